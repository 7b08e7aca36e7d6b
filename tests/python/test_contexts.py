"""Callbacks run with the context variables of the caller, and no callback of an event loop keeps a context alive."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import threading
import weakref
from contextvars import ContextVar

import privy
import pytest
from support import TOKEN, Reply, recording

NAME: ContextVar[object] = ContextVar("NAME", default=None)


class Thing:
    """Something that a context may keep alive."""


def names_of(seen):
    """The name that all hooks of a call saw, for each call, sorted."""
    calls = {}
    for call, name in seen:
        calls.setdefault(call, set()).add(name)
    assert all(len(names) == 1 for names in calls.values()), calls
    return sorted(name for names in calls.values() for name in names)


class Names(logging.Handler):
    """Which name each line is logged under."""

    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    def emit(self, record):
        self.seen.append((record.privy_event.call, NAME.get()))


@pytest.fixture
def logged():
    seen = []
    logger, handler = logging.getLogger("privy"), Names(seen)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield seen
    logger.setLevel(logging.NOTSET)
    logger.removeHandler(handler)


@pytest.fixture
def hooked():
    """A list of (call, name), and the hook that fills it."""
    seen = []
    return seen, lambda event: seen.append((event.call, NAME.get()))


async def named(name, call):
    NAME.set(name)
    return await call()


# ---- asyncio ----


def test_gathered_calls_have_their_own_context(run, hooked, logged):
    seen, hook = hooked

    async def main():
        with recording(lambda request: Reply()) as recorder:
            async with privy.AsyncClient(TOKEN, base_url=recorder.base_url, on_event=hook) as client:
                ask = client.request
                await asyncio.gather(*(named(f"n{i}", lambda i=i: ask("GET", f"/{i}")) for i in range(6)))

    run(main())
    for events in (seen, logged):
        assert names_of(events) == [f"n{i}" for i in range(6)]
    assert len(seen) == len(logged) == 6 * 4  # start, request, response, end


def test_retries_have_the_context_of_their_call(run, hooked):
    seen, hook = hooked
    answered = []

    def answer(request):
        answered.append(request.target)
        return Reply(status=503, headers={"Retry-After": "0"}) if answered.count(request.target) < 3 else Reply()

    async def main():
        with recording(answer) as recorder:
            client = privy.AsyncClient(TOKEN, base_url=recorder.base_url, on_event=hook, max_retries=3)
            async with client:
                ask = client.request
                await asyncio.gather(*(named(i, lambda i=i: ask("GET", f"/{i}")) for i in range(3)))

    run(main())
    assert names_of(seen) == [0, 1, 2]
    assert len(seen) == 3 * (2 + 3 * 2 + 2)  # start and end, three requests answered, two retries


def test_cancelled_and_failed_calls_report_in_their_context(run, hooked):
    seen, hook = hooked
    answers = threading.Event()

    def answer(request):
        if "slow" in request.target:
            answers.wait(60)
        return Reply(status=404)

    async def main():
        with recording(answer) as recorder:
            async with privy.AsyncClient(TOKEN, base_url=recorder.base_url, on_event=hook) as client:
                slow = asyncio.create_task(named("slow", lambda: client.request("GET", "/slow")))
                while not recorder.requests:
                    await asyncio.sleep(0.001)
                with pytest.raises(privy.NotFoundError):
                    await asyncio.create_task(named("failed", lambda: client.request("GET", "/a")))
                slow.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await slow
                answers.set()

    try:
        run(main())
    finally:
        answers.set()
    assert names_of(seen) == ["failed", "slow"]
    assert len(seen) == 2 * 4


def test_closing_a_client_reports_calls_in_their_context(run, hooked):
    seen, hook = hooked
    sandbox = privy.Sandbox()
    sandbox.fail(delay=3600, count=0)

    async def main():
        client = privy.AsyncClient(sandbox=sandbox, on_event=hook)
        tasks = [
            asyncio.create_task(named(i, lambda i=i: client.contacts.create(email=f"c{i}@example.com")))
            for i in range(3)
        ]
        while len(seen) < 6:
            await asyncio.sleep(0.001)
        NAME.set("closer")
        await client.aclose()
        assert all(
            isinstance(error, privy.PrivyError) for error in await asyncio.gather(*tasks, return_exceptions=True)
        )

    run(main())
    assert names_of(seen) == [0, 1, 2]


def test_a_hook_that_makes_calls_and_one_that_changes_its_context(run, sandbox):
    """What a hook sets stays for the later events of its call, and reaches neither the caller nor other calls."""
    seen = []

    def hook(event):
        seen.append((event.call, event.kind, NAME.get()))
        if event.kind == "start":
            NAME.set(f"{NAME.get()} of {event.call}")

    async def main():
        async with privy.AsyncClient(sandbox=sandbox, on_event=hook) as client:
            NAME.set("caller")
            await client.contacts.create(email="a@b.c")
            await client.contacts.create(email="d@e.f")
            assert NAME.get() == "caller"

    run(main())
    assert [name for call, kind, name in seen if kind != "start"] == ["caller of 1"] * 3 + ["caller of 2"] * 3


def test_a_hook_that_cancels_its_own_call(run):
    """Events that come while a hook of the same call runs are reported in a copy of the context."""
    seen = []
    sandbox = privy.Sandbox()

    async def main():
        def hook(event):
            seen.append((event.kind, NAME.get()))
            if event.kind == "request":
                client._inside.drivers.here().group.cancel(1)

        client = privy.AsyncClient(sandbox=sandbox, on_event=hook)
        sandbox.fail(delay=3600)
        task = asyncio.create_task(named("own", lambda: client.contacts.list().total_count()))
        while len(seen) < 4:
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.aclose()

    run(main())
    assert seen == [("start", "own"), ("request", "own"), ("failure", "own"), ("end", "own")]


def test_events_of_a_prefetched_page_run_in_the_context_of_its_list(run, hooked):
    seen, hook = hooked
    sandbox = privy.Sandbox()
    for i in range(6):
        sandbox.client().contacts.create(email=f"c{i}@example.com")

    async def read(client, name):
        NAME.set(name)
        return [contact.email async for contact in client.contacts.list(per_page=2)]

    async def main():
        async with privy.AsyncClient(sandbox=sandbox, on_event=hook) as client:
            lists = await asyncio.gather(*(asyncio.create_task(read(client, i)) for i in range(3)))
            assert [len(emails) for emails in lists] == [6, 6, 6]

    run(main())
    assert names_of(seen) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


# ---- bulk runs and threads ----


def test_rows_have_the_context_in_which_they_were_taken(run, hooked):
    seen, hook = hooked
    rows = [{"event_type": "seen", "email": f"c{i}@example.com"} for i in range(4)]

    async def main():
        sandbox = privy.Sandbox()
        sandbox.fail(503, retry_after=0, count=2)
        async with privy.AsyncClient(sandbox=sandbox, on_event=hook) as client:

            async def consume(name):
                NAME.set(name)
                return [result.ok async for result in client.events.ingest_many(rows, concurrency=2)]

            tasks = [asyncio.create_task(consume(name)) for name in ("one", "two")]
            assert await asyncio.gather(*tasks) == [[True] * 4] * 2

    run(main())
    assert names_of(seen) == ["one"] * 4 + ["two"] * 4


def test_a_bulk_run_of_a_thread(hooked):
    seen, hook = hooked
    run = (
        privy.Sandbox()
        .client(on_event=hook)
        .events.ingest_many([{"event_type": "seen", "email": f"c{i}@example.com"} for i in range(3)], concurrency=1)
    )
    for name in ("first", "second", "third"):
        NAME.set(name)
        assert next(run).ok
    NAME.set(None)
    assert names_of(seen) == ["first", "second", "third"]


def test_a_call_that_is_waited_for_reports_in_the_callers_own_context(hooked):
    """Not in a copy: what a hook sets is there when the call returns."""
    seen, hook = hooked

    def both(event):
        hook(event)
        NAME.set("set by the hook")

    def call():
        NAME.set("caller")
        privy.Sandbox().client(on_event=both).contacts.create(email="a@b.c")
        return NAME.get()

    assert contextvars.copy_context().run(call) == "set by the hook"
    assert seen[0] == (1, "caller")


# ---- what stays ----


def test_a_context_is_let_go_with_its_call(run):
    things = []

    async def call(client, i):
        thing = Thing()
        things.append(weakref.ref(thing))
        NAME.set(thing)
        await client.contacts.create(email=f"c{i}@example.com")

    async def main():
        events = []
        async with privy.AsyncClient(sandbox=privy.Sandbox(), on_event=events.append) as client:
            await asyncio.gather(*(asyncio.create_task(call(client, i)) for i in range(5)))
            await asyncio.sleep(0)
            gc.collect()
            assert [thing() for thing in things] == [None] * 5
        assert len(events) == 5 * 4

    run(main())


def test_no_callback_of_the_loop_keeps_the_context_of_a_call(recorder, run):
    """The timer that was set while one call went on serves another call when that one has ended."""
    answers = threading.Event()

    def answer(request):
        if request.target.endswith("/slow"):
            answers.wait(60)
        return Reply()

    async def call(client):
        thing = Thing()
        NAME.set(thing)
        await client.request("GET", "/any")
        return weakref.ref(thing)

    async def main():
        async with privy.AsyncClient(TOKEN, base_url=recorder.base_url) as client:
            slow = asyncio.create_task(client.request("GET", "/slow"))
            while not recorder.requests:
                await asyncio.sleep(0.001)
            kept = await asyncio.create_task(call(client))
            for _ in range(20):
                await asyncio.sleep(0)
            gc.collect()
            assert kept() is None
            assert not slow.done()
            answers.set()
            await slow

    recorder.answer = answer
    try:
        run(main())
    finally:
        answers.set()
