"""Every kind of call reports events, and each start has one end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import threading

import privy
import pytest
from support import eventually
from test_policies import CONTACT
from tracing import count_by_end, count_complete_calls


def test_bulk_runs_and_lists(traced, listener):
    client = privy.Client(**traced)
    rows = [{"email": f"c{i}@example.com"} for i in range(12)]
    assert sum(result.ok for result in client.contacts.upsert_many(rows, concurrency=4)) == 12
    assert count_complete_calls(listener) == 12
    assert len(list(client.contacts.list(per_page=3))) == 12
    assert count_complete_calls(listener) == 16
    client.with_options(timeout=3).request("GET", "/contacts")
    assert count_complete_calls(listener) == 17


def test_calls_in_a_loop(run, traced, listener):
    async def main():
        async with privy.AsyncClient(**traced) as client:
            rows = [{"email": f"c{i}@example.com"} for i in range(12)]
            assert len([result async for result in client.contacts.upsert_many(rows, concurrency=4)]) == 12
            assert len([contact async for contact in client.contacts.list(per_page=3)]) == 12
            await asyncio.gather(*(client.request("GET", "/contacts") for _ in range(5)))

    run(main())
    assert count_complete_calls(listener) == 12 + 4 + 5
    assert listener.threads == {threading.get_ident()}


def test_calls_that_are_ended(run, traced, sandbox, listener):
    sandbox.fail(delay=120, count=0)

    async def main():
        async with privy.AsyncClient(**traced) as client:
            calls = [asyncio.ensure_future(client.contacts.get(CONTACT)) for _ in range(2)]
            while len(listener.events) < 2:
                await asyncio.sleep(0.01)
            calls[0].cancel()
            await eventually(lambda: len(listener.kinds) > 2)
            assert listener.kinds == ["request", "request", "failure"]
        with pytest.raises(privy.PrivyError, match="closed"):
            await calls[1]

    run(main())
    assert listener.kinds == ["request", "request", "failure", "failure"]
    assert [(event.error, event.reason) for event in listener.events[2:]] == [(None, "the call was stopped")] * 2


def answer_the_first(sandbox):
    """Delays the response to the first request; later requests get none."""
    sandbox.fail(delay=0.3, count=1)
    sandbox.fail(delay=20, count=0)


def test_a_bulk_run_that_is_closed(traced, sandbox, listener):
    answer_the_first(sandbox)
    with privy.Client(**traced).events.ingest_many([{"event_type": "seen", "email": "a@b.c"}] * 3) as run:
        assert next(run).ok
        assert listener.kinds.count("request") == 3
    assert listener.kinds.count("response") == 1
    assert listener.kinds.count("failure") == 2


def test_calls_that_are_stopped_end_too(run, traced, sandbox, listener):
    sandbox.fail(delay=20, count=0)

    async def main():
        async with privy.AsyncClient(**traced) as client:
            call = asyncio.ensure_future(client.contacts.get(CONTACT))
            while not listener.events:
                await asyncio.sleep(0.01)
            call.cancel()
            await asyncio.wait([call])

    run(main())
    client = privy.Client(**traced)
    with pytest.raises(privy.APITimeoutError):
        client.contacts.get(CONTACT, timeout=0.1, max_retries=0)
    one, other = [event for event in listener.all if event.kind == "end"]
    assert (one.operation, one.status, one.error, one.reason) == ("contacts.get", None, None, "the call was stopped")
    assert (other.status, other.error, other.attempt) == (None, "APITimeoutError", 1)
    assert other.total >= 0.05
    assert other.waited == 0


def test_a_run_that_is_dropped_ends_its_calls(traced, sandbox, listener):
    answer_the_first(sandbox)
    client = privy.Client(**traced)
    for result in client.events.ingest_many([{"event_type": "seen", "email": "a@b.c"}] * 4, concurrency=3):
        assert result.ok
        break
    assert count_by_end(listener).keys() == {"success", "stopped"}


def test_a_run_that_is_collected_as_garbage_ends_its_calls(traced, sandbox, listener):
    answer_the_first(sandbox)
    client = privy.Client(**traced)
    bulk = client.events.ingest_many([{"event_type": "seen", "email": "a@b.c"}] * 4, concurrency=3)
    assert next(bulk).ok
    circle = [bulk]
    circle.append(circle)
    before = len(listener.all)
    del bulk, circle
    gc.collect()
    assert count_by_end(listener).keys() == {"success", "stopped"}
    assert {event.kind for event in listener.all[before:]} == {"failure", "end"}


# ---- each start has one end ----


def some_faults(sandbox, dice):
    """Injects a random fault into the next requests."""
    sandbox.clear_faults()
    fault = dice.choice([{}, {"status": 503, "retry_after": 0}, {"status": 422}, {"drop": True}, {"delay": 20}])
    if fault:
        sandbox.fail(**fault, skip=dice.randrange(3), count=dice.randrange(1, 3))


def some_rows(dice):
    good, bad = {"event_type": "seen", "email": "a@b.c"}, {"event_type": "no way"}
    return [dice.choice([good, good, bad]) for _ in range(dice.randrange(8))]


def test_every_start_has_one_end(traced, sandbox, listener, unraisable):
    dice = random.Random(20260512)
    armed = []

    def listen(event):
        listener(event)
        if armed and dice.random() < 0.3:
            raise armed.pop()

    client = privy.Client(**{**traced, "on_event": listen}, max_retries=1, max_wait=0.2, timeout=0.05)

    def read_some(items):
        for number, _ in enumerate(items):
            if number == dice.randrange(6):
                break

    ways = [
        lambda: client.contacts.upsert(email=f"{dice.randrange(9)}@b.c", first_name="A"),
        lambda: client.contacts.get(dice.choice([CONTACT, "joe"])),
        lambda: client.request("GET", "/contacts"),
        lambda: read_some(client.contacts.list(per_page=2)),
        lambda: read_some(client.events.ingest_many(some_rows(dice), concurrency=3)),
    ]
    for _ in range(80):
        some_faults(sandbox, dice)
        armed[:] = [KeyboardInterrupt()] * (dice.random() < 0.2)
        with contextlib.suppress(privy.PrivyError, KeyboardInterrupt):
            dice.choice(ways)()
    gc.collect()
    assert set(count_by_end(listener)) >= {"success", "stopped", "invalid"}


def test_every_start_has_one_end_in_a_loop(run, traced, sandbox, listener):
    dice = random.Random(20260513)

    async def read_some(items):
        number = 0
        async for _ in items:
            number += 1
            if number == dice.randrange(6):
                break

    async def main():
        async with privy.AsyncClient(**traced, max_retries=1, max_wait=0.2, timeout=0.05) as client:
            ways = [
                lambda: client.contacts.upsert(email=f"{dice.randrange(9)}@b.c", first_name="A"),
                lambda: client.contacts.get(CONTACT),
                lambda: client.request("GET", "/contacts"),
                lambda: read_some(client.contacts.list(per_page=2)),
                lambda: read_some(client.events.ingest_many(some_rows(dice), concurrency=3)),
            ]
            for _ in range(25):
                some_faults(sandbox, dice)
                tasks = [asyncio.ensure_future(dice.choice(ways)()) for _ in range(4)]
                await asyncio.wait(tasks, timeout=dice.choice([0.0, 0.01, 0.05, 0.3]))
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
            tasks = [asyncio.ensure_future(ways[0]()) for _ in range(4)]
            await asyncio.sleep(0)
        await asyncio.gather(*tasks, return_exceptions=True)

    run(main())
    gc.collect()
    assert set(count_by_end(listener)) >= {"success", "stopped"}
