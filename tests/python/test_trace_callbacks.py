"""Callbacks for events may fail, stop the call, make calls and close the client."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref

import privy
import pytest
from support import PROMPT
from test_policies import CONTACT
from tracing import count_complete_calls, look


def broken(event):
    raise ValueError(event.kind)


def test_an_exception_of_a_callback_does_not_stop_the_call(client, unraisable):
    sandbox = privy.Sandbox()
    tracing_client = sandbox.client(on_event=broken)
    jane = tracing_client.contacts.create(email="jane@example.com")
    assert tracing_client.contacts.get(jane.id) == jane
    assert [str(error) for error in unraisable] == ["start", "request", "response", "end"] * 2
    rows = [{"event_type": "seen", "email": "a@b.c"}] * 3
    assert all(result.ok for result in tracing_client.events.ingest_many(rows))
    assert len(unraisable) == 20
    with pytest.raises(privy.NotFoundError):
        tracing_client.contacts.get(CONTACT)


def test_an_exception_in_a_loop_is_reported(run, traced, unraisable):
    async def main():
        async with privy.AsyncClient(**{**traced, "on_event": broken}) as client:
            results = await asyncio.gather(*(client.events.ingest("seen", email="a@b.c") for _ in range(3)))
            assert [result.status for result in results] == ["accepted"] * 3

    run(main())
    assert len(unraisable) == 12


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("when", ["request", "response"])
def test_a_callback_may_stop_the_call(traced, sandbox, listener, stop, when, unraisable):
    def listen(event):
        listener(event)
        if event.kind == when and armed:
            armed.clear()
            raise stop("enough")

    armed = [True]
    client = privy.Client(**{**traced, "on_event": listen})
    if when == "request":
        sandbox.fail(delay=120)
    started = time.monotonic()
    with pytest.raises(stop, match="enough"):
        look(client)
    assert time.monotonic() - started < PROMPT
    assert listener.kinds == ["request", "failure" if when == "request" else "response"]
    sandbox.clear_faults()
    assert client.contacts.list().total_count() == 0
    rows = [{"event_type": "seen", "email": "a@b.c"}] * 2
    armed.append(True)
    with pytest.raises(stop, match="enough"):
        list(client.events.ingest_many(rows))
    assert unraisable == []


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_a_callback_may_stop_the_loop(traced, stop):
    def listen(event):
        if event.kind == "response":
            raise stop

    async def main():
        async with privy.AsyncClient(**{**traced, "on_event": listen}) as client:
            await client.contacts.list().total_count()

    with pytest.raises(stop):
        asyncio.run(main())


def test_a_callback_may_make_calls_and_reports_no_events_of_them(traced, sandbox, listener, unraisable):
    found = []

    def listen(event):
        listener(event)
        found.append(client.contacts.create(email=f"{len(found)}@example.com").id)
        found.extend(contact.id for contact in client.contacts.list(per_page=1))
        found.extend(
            result.value.event_id for result in client.events.ingest_many([{"event_type": "x", "email": "a@b.c"}])
        )

    client = privy.Client(**{**traced, "on_event": listen})
    assert client.events.ingest("seen", email="a@b.c").status == "accepted"
    assert unraisable == []
    assert count_complete_calls(listener) == 1
    assert sandbox.counts.events == 1 + 4
    assert sandbox.counts.contacts == 1 + 4
    ids = [contact for contact in found if contact.startswith("cus_")]
    assert len(set(ids)) == 1 + 4


def test_a_callback_may_close_the_client(traced, unraisable):
    def listen(event):
        if event.kind == "request":
            client.close()

    client = privy.Client(**{**traced, "on_event": listen})
    assert client.contacts.list().total_count() == 0
    with pytest.raises(privy.PrivyError, match="closed"):
        look(client)
    assert unraisable == []


def test_a_callback_may_close_the_run_that_reports(traced, unraisable):
    def listen(event):
        if event.kind == "response":
            bulk.close()

    client = privy.Client(**{**traced, "on_event": listen})
    bulk = client.events.ingest_many([{"event_type": "seen", "email": "a@b.c"}] * 3, concurrency=1)
    assert list(bulk) == []
    assert unraisable == []


def test_threads_get_the_events_of_their_own_calls(traced, sandbox):
    ours = threading.local()
    wrong = []

    def listen(event):
        known = ours.__dict__.setdefault("calls", [])
        if event.kind == "start":
            known.append(event.call)
        elif known[-1] != event.call:
            wrong.append(event)

    client = privy.Client(**{**traced, "on_event": listen})
    threads = [
        threading.Thread(target=lambda: [client.events.ingest("seen", email="a@b.c") for _ in range(20)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sandbox.counts.events == 160
    assert wrong == []


def test_a_client_that_its_callback_knows_is_collected():
    class Shop:
        def __init__(self):
            self.client = privy.Sandbox().client(on_event=self.listen)

        def listen(self, event):
            pass

    shop = Shop()
    look(shop.client)
    gone = weakref.ref(shop)
    del shop
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_a_callback_may_stop_at_a_refusal(sandbox, stop, unraisable):
    def listen(event):
        raise stop("enough")

    with pytest.raises(stop, match="enough"):
        sandbox.client(on_event=listen).contacts.create()
    assert unraisable == []


def test_a_callback_that_fails_at_a_refusal_is_reported(sandbox, unraisable):
    client = sandbox.client(on_event=broken)
    with pytest.raises(privy.ValidationError):
        client.contacts.create()
    assert [str(error) for error in unraisable] == ["refused"]
    client.close()
    with pytest.raises(privy.ValidationError):
        client.contacts.create()
    assert len(unraisable) == 1
