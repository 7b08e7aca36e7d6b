"""The life of the client for asyncio, and its bulk runs."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
import warnings

import privy
import pytest
from privy import _loop
from support import PROMPT, TOKEN, eventually, served, until

ORDER = {"email": "a@b.c", "total": 1, "currency": "USD", "order_date": "2026-05-12T10:00:00Z"}

# ---- life ----


def test_closing_cancels_the_calls_in_flight(run, opened, sandbox):
    async def main():
        client = opened()
        await client.request("GET", "/contacts")
        sandbox.fail(delay=120)
        call = asyncio.ensure_future(client.request("GET", "/contacts"))
        await asyncio.sleep(0.1)
        started = time.monotonic()
        await client.aclose()
        with pytest.raises(privy.PrivyError, match="closed"):
            await call
        assert time.monotonic() - started < PROMPT
        await client.aclose()

    run(main())


def test_an_error_that_nothing_awaits_is_not_reported(run):
    """A page that is requested early may fail before the first step of its task, which is then cancelled: the loop must
    not call its exception handler for the error."""

    async def main():
        future = asyncio.get_running_loop().create_future()
        _loop._fail(future, privy.PrivyError("the call failed"))
        assert isinstance(future.exception(), privy.PrivyError)

    async def forgotten():
        _loop._fail(asyncio.get_running_loop().create_future(), privy.PrivyError("the call failed"))
        gc.collect()

    run(main())
    run(forgotten())


def test_two_loops_in_two_threads(opened, sandbox):
    client = opened()
    found = []

    def work():
        async def main():
            results = await asyncio.gather(*(client.events.ingest("seen", email="a@b.c") for _ in range(40)))
            found.extend(results)

        asyncio.run(main())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(found) == 160 == sandbox.counts.events
    asyncio.run(client.aclose())


def test_one_loop_after_the_other(opened):
    client = opened()
    for number in range(3):

        async def main(number=number):
            return await client.contacts.create(email=f"c{number}@b.c")

        assert asyncio.run(main()).email == f"c{number}@b.c"
        assert len(client._inside.drivers._by_loop) == 1


def test_a_client_left_open_is_collected_quietly(opened):
    async def main():
        client = opened()
        await client.request("GET", "/contacts")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(main())


def test_outside_a_loop_there_are_no_calls(opened):
    client = opened()
    with pytest.raises(RuntimeError, match="loop"):
        client.contacts.get("cus_0123456789abcdef").send(None)


def test_descriptors_do_not_pile_up(run, sandbox):
    sandbox.set_limits(per_minute=1_000_000, per_day=1_000_000)

    def held():
        return len(os.listdir("/proc/self/fd"))

    with served(sandbox) as server:

        async def main():
            async with privy.AsyncClient(TOKEN, base_url=server.base_url) as client:
                await asyncio.gather(*(client.request("GET", "/contacts") for _ in range(20)))

        run(main())
        time.sleep(0.2)
        before = held()
        for _ in range(5):
            run(main())
        until(lambda: held() <= before + 5)


# ---- bulk ----


def test_a_bulk_run(run, opened, sandbox):
    async def main():
        async with opened() as client:
            reports = []
            rows = [{"order_id": number, **ORDER} for number in range(1, 61)]
            rows[5]["currency"] = "usd"
            bulk = client.orders.upsert_many(rows, concurrency=6, on_progress=reports.append)
            results = [result async for result in bulk]
            assert sorted(result.index for result in results) == list(range(60))
            assert [result.index for result in results if not result.ok] == [5]
            assert all(str(result.value.order_id) == str(result.row["order_id"]) for result in results if result.ok)
            assert (bulk.taken, bulk.done, bulk.failed, reports[-1].done) == (60, 60, 1, 60)

    run(main())
    assert sandbox.counts.orders == 59


def test_a_bulk_run_that_is_left_or_cancelled(run, opened, sandbox):
    def rows(taken):
        for _ in range(100):
            taken.append(1)
            yield {"event_type": "seen", "email": "a@b.c"}

    async def main():
        async with opened() as client:
            taken = []
            async with client.events.ingest_many(rows(taken), concurrency=4) as bulk:
                async for _ in bulk:
                    break
            assert len(taken) <= 5
            assert len(client._inside.drivers.here().group) == 0
            async for _ in client.events.ingest_many(rows(taken), concurrency=4):
                break
            await eventually(lambda: len(client._inside.drivers.here().group) == 0)
            sandbox.fail(delay=120, count=0)

            async def consume():
                async for _ in client.events.ingest_many(rows(taken)):
                    pass

            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(consume(), 0.3)
            await eventually(lambda: len(client._inside.drivers.here().group) == 0)

    run(main())


def test_a_bulk_run_on_a_spent_day(run, sandbox):
    sandbox.set_limits(per_day=5)

    async def main():
        async with privy.AsyncClient(sandbox=sandbox) as client:
            bulk = client.events.ingest_many([{"event_type": "seen", "email": "a@b.c"}] * 20, concurrency=3)
            results = []
            with pytest.raises(privy.RateLimitError) as caught:
                async for result in bulk:
                    results.append(result)
            assert [result.ok for result in results] == [True] * 5
            assert caught.value.unsent == bulk.unsent
            assert len(results) + len(bulk.unsent) == 20
            assert bulk.in_doubt == []

    run(main())
