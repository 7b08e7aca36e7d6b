"""The client for asyncio: every method, many calls at once, cancellation, and no threads."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import signal
import threading
import time

import privy
import pytest
from support import PROMPT, TOKEN, Reply, eventually, recording, served
from test_policies import TokenServer, budget

CONTACT = "cus_0123456789abcdef"
WELL = Reply(body=json.dumps({"data": {"id": CONTACT, "email": "a@b.c"}}))
ORDER = {"email": "a@b.c", "total": 1, "currency": "USD", "order_date": "2026-05-12T10:00:00Z"}


# ---- what can be called ----


def test_every_method_works_in_a_loop(run, opened, sandbox):
    async def main():
        async with opened() as client:
            jane = await client.contacts.create(email="jane@example.com", tags=["a"])
            assert isinstance(jane, privy.Contact)
            assert await client.contacts.get(jane.id) == jane
            assert (await client.contacts.update(jane.id, first_name="Jane")).first_name == "Jane"
            assert (await client.contacts.upsert(email="jane@example.com", last_name="Doe")).id == jane.id
            order = await client.orders.upsert(order_id=1, **ORDER)
            assert (order.created, str(order.order_id)) == (True, "1")
            assert (await client.events.ingest("seen", privy_id=jane.id)).status == "accepted"
            made = await client.request("GET", "/contacts", params={"email": "jane@example.com"})
            assert (made.status, made.json()["pagination"]["total_count"]) == (200, 1)
            assert (await client.contacts.delete(jane.id)).id == jane.id
            with pytest.raises(privy.NotFoundError) as caught:
                await client.contacts.get(jane.id)
            assert (caught.value.status, caught.value.path) == (404, f"/contacts/{jane.id}")
            assert client.rate_limit.minute.known
        assert client.closed
        assert repr(client) == "AsyncClient(closed)"

    run(main())
    assert sandbox.counts.events == 1


def test_lists_read_all_pages_in_a_loop(run, opened, sandbox):
    async def main():
        async with opened() as client:
            for i in range(7):
                await client.contacts.create(email=f"c{i}@example.com")
            before = sandbox.counts.requests
            contacts = client.contacts.list(per_page=3)
            assert repr(contacts) == "AsyncContactList(sandbox, not fetched)"
            assert sandbox.counts.requests == before
            assert await contacts.total_count() == 7
            found = [contact.email async for contact in contacts]
            assert sorted(found) == [f"c{i}@example.com" for i in range(7)]
            assert sandbox.counts.requests == before + 3
            pages = [page async for page in client.contacts.list(per_page=3, page=2).pages()]
            assert [(page.page, len(page)) for page in pages] == [(2, 3), (3, 1)]
            before = sandbox.counts.requests
            async for _ in client.contacts.list(per_page=3):
                break
            assert sandbox.counts.requests == before + 1
            with pytest.raises(privy.ValidationError):
                await client.contacts.list(per_page=1000).total_count()

    run(main())


def test_await_raises_errors(run, opened, sandbox):
    async def main():
        async with opened() as client:
            with pytest.raises(privy.ValidationError) as caught:
                await client.contacts.create(email="nobody", tags=[object()])
            assert [fault["field"] for fault in caught.value.details] == ["email", "tags[0]"]
            with pytest.raises(privy.PrivyError, match="timeout"):
                await client.contacts.get(CONTACT, timeout=0)
            with pytest.raises(TypeError):
                await client.contacts.get()
        with pytest.raises(privy.PrivyError, match="closed"):
            await client.contacts.get(CONTACT)

    run(main())
    assert sandbox.counts.requests == 0


def test_a_deprecation_warning_names_the_caller(run, opened):
    async def main():
        async with opened() as client:
            jane = await client.contacts.create(email="jane@example.com", email_consent="subscribed")
            with pytest.warns(DeprecationWarning, match="email_consent") as caught:
                await client.contacts.unsubscribe(jane.id)
            assert caught[0].filename == __file__

    run(main())


def test_an_unawaited_call_sends_nothing(run, opened, sandbox):
    async def main():
        async with opened() as client:
            client.contacts.create(email="a@b.c").close()
            await asyncio.sleep(0.05)

    run(main())
    assert sandbox.counts.requests == 0


@pytest.mark.parametrize("name", ["Contacts", "Orders", "Events"])
def test_what_is_to_be_awaited(name):
    for key, value in vars(getattr(privy, f"Async{name}")).items():
        if not key.startswith("_"):
            plain = key in ("list", "validate") or key.endswith("_many")
            assert inspect.iscoroutinefunction(value) != plain
            assert value.__qualname__ == f"Async{name}.{key}"


# ---- many at once ----


def test_every_call_gets_its_own_response(run, opened, sandbox):
    async def one(client, number):
        jane = await client.contacts.create(email=f"c{number}@example.com", first_name=str(number))
        assert (await client.contacts.get(jane.id)).first_name == str(number)

    async def main():
        async with opened() as client:
            await asyncio.gather(*(one(client, number) for number in range(150)))

    run(main())
    assert sandbox.counts.contacts == 150


def test_thousands_of_calls_at_once_without_a_thread(run, sandbox):
    sandbox.set_limits(per_minute=1_000_000, per_day=1_000_000)

    async def main():
        async with privy.AsyncClient(sandbox=sandbox) as client:
            before = set(threading.enumerate())
            calls = [asyncio.ensure_future(client.events.ingest("seen", email="a@b.c")) for _ in range(3000)]
            await asyncio.sleep(0)
            assert set(threading.enumerate()) <= before
            assert {receipt.status for receipt in await asyncio.gather(*calls)} == {"accepted"}

    run(main())
    assert sandbox.counts.events == 3000


def test_a_thousand_calls_over_sockets(run):
    """The server names a limit of 60 requests per minute and never counts down: 60 are in flight, the others wait."""

    def own_threads():
        return {thread.name for thread in threading.enumerate() if "_serve" not in thread.name}

    with recording(lambda request: Reply(200, budget(), WELL.body)) as recorder:

        async def main():
            async with privy.AsyncClient(TOKEN, base_url=recorder.base_url) as client:
                before = own_threads()
                found = await asyncio.gather(*(client.contacts.get(CONTACT) for _ in range(1000)))
                assert len(found) == 1000
                assert own_threads() == before

        run(main())
        assert len(recorder.requests) == 1000
        assert recorder.connections <= 60


def test_the_loop_continues_while_calls_wait(run, opened, sandbox):
    async def main():
        async with opened() as client:
            await client.request("GET", "/contacts")
            sandbox.fail(delay=1.5)
            call = asyncio.ensure_future(client.request("GET", "/contacts"))
            turns = 0
            while not call.done():
                await asyncio.sleep(0.005)
                turns += 1
            assert turns > 5

    run(main())


def test_no_turn_of_the_loop_is_spent_while_calls_wait(run):
    def slowly(request):
        time.sleep(0.6)
        return WELL

    with recording(slowly) as recorder:

        async def main():
            async with privy.AsyncClient(TOKEN, base_url=recorder.base_url) as client:
                started, cpu = time.monotonic(), time.process_time()
                await asyncio.gather(*(client.contacts.get(CONTACT) for _ in range(4)))
                assert time.monotonic() - started > 0.5
                assert time.process_time() - cpu < 0.2

        run(main())


# ---- cancellation ----


def test_cancelling_a_task_aborts_its_transfer(run):
    release = threading.Event()

    def answer(request):
        release.wait(300)
        return WELL

    with recording(answer) as recorder:

        async def main():
            async with privy.AsyncClient(TOKEN, base_url=recorder.base_url, max_retries=0) as client:
                task = asyncio.ensure_future(client.contacts.get(CONTACT))
                await eventually(lambda: recorder.requests)
                started = time.monotonic()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert time.monotonic() - started < PROMPT
                assert len(client._inside.drivers.here().group) == 0
                release.set()
                assert (await client.contacts.get(CONTACT)).id == CONTACT

        run(main())
        assert len(recorder.requests) == 2
        assert recorder.connections == 2


def test_a_timeout_of_asyncio_ends_a_call(run, opened, sandbox):
    async def main():
        async with opened() as client:
            sandbox.fail(delay=120)
            started = time.monotonic()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.request("GET", "/contacts"), 0.2)
            assert time.monotonic() - started < PROMPT
            assert (await client.request("GET", "/contacts")).status == 200

    run(main())


def test_a_call_ends_in_time_although_the_loop_was_late(run):
    release = threading.Event()

    def answer(request):
        release.wait(300)
        return WELL

    async def main(base_url):
        settings = {"timeout": 1, "connect_timeout": 0.5, "max_retries": 0}
        async with privy.AsyncClient(TOKEN, base_url=base_url, **settings) as client:
            call = asyncio.ensure_future(client.contacts.get(CONTACT))
            await asyncio.sleep(0.4)
            time.sleep(0.2)
            with pytest.raises(privy.APITimeoutError):
                await asyncio.wait_for(call, PROMPT)

    with recording(answer) as recorder:
        run(main(recorder.base_url))
        release.set()


def test_some_of_many_are_cancelled(run, opened, sandbox):
    async def main():
        async with opened() as client:
            await client.request("GET", "/contacts")
            sandbox.fail(delay=1.5, count=0)
            tasks = [asyncio.ensure_future(client.request("GET", "/contacts")) for _ in range(20)]
            await asyncio.sleep(0.1)
            for task in tasks[::2]:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert [isinstance(result, asyncio.CancelledError) for result in results] == [True, False] * 10

    run(main())


def test_a_call_that_waits_for_budget_can_be_cancelled(run):
    with recording(lambda request: Reply(200, budget((60, 0), reset=50), WELL.body)) as recorder:

        async def main():
            async with privy.AsyncClient(TOKEN, base_url=recorder.base_url) as client:
                await client.contacts.get(CONTACT)
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(client.contacts.get(CONTACT), 0.2)
                with pytest.raises(privy.RateLimitError):
                    await client.contacts.get(CONTACT, max_wait=1)

        run(main())
        assert len(recorder.requests) == 1


def test_ctrl_c_ends_the_loop_and_the_client_works_in_the_next(sandbox):
    with served(sandbox) as server:
        client = privy.AsyncClient(TOKEN, base_url=server.base_url)

        async def main():
            await client.request("GET", "/contacts")
            sandbox.fail(delay=120)
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
            await client.request("GET", "/contacts")

        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(main())
        assert time.monotonic() - started < PROMPT

        async def again():
            assert (await client.request("GET", "/contacts")).status == 200
            assert len(client._inside.drivers._by_loop) == 1
            await client.aclose()

        asyncio.run(again())


# ---- policies ----


def test_failures_are_retried(run, opened, sandbox):
    sandbox.fail(500)
    sandbox.fail(drop=True)

    async def main():
        async with opened() as client:
            assert (await client.contacts.create(email="a@b.c")).email == "a@b.c"

    run(main())
    assert sandbox.counts.contacts == 1


def test_max_retries_zero_is_one_attempt(run, opened, sandbox):
    sandbox.fail(503, count=2)

    async def main():
        async with opened(max_retries=0) as client:
            for call in (client.contacts.create(email="b@b.c"), client.request("GET", "/contacts")):
                with pytest.raises(privy.ServerError) as caught:
                    await call
                assert (caught.value.attempts, caught.value.waited) == (1, 0)
            assert (await client.request("GET", "/contacts")).status == 200

    run(main())


def test_a_token_is_fetched_once_for_all(run):
    server = TokenServer()
    with recording(server) as recorder:

        async def main():
            settings = {"client_id": "id", "client_secret": "secret", "base_url": recorder.base_url}
            async with privy.AsyncClient(**settings) as client:
                await asyncio.gather(*(client.contacts.get(CONTACT) for _ in range(16)))
                assert server.fetched == 1
                server.valid = "revoked"
                await client.contacts.get(CONTACT)
                assert server.fetched == 2

        run(main())


def test_connections_are_used_again_and_shared_by_copies(run):
    with recording(lambda request: WELL) as recorder:

        async def main():
            client = privy.AsyncClient(TOKEN, base_url=recorder.base_url)
            for _ in range(3):
                await client.contacts.get(CONTACT)
            copy = client.with_options(timeout=3)
            assert isinstance(copy, privy.AsyncClient)
            await copy.contacts.get(CONTACT)
            await copy.aclose()
            assert client.closed

        run(main())
        assert (len(recorder.requests), recorder.connections) == (4, 1)
