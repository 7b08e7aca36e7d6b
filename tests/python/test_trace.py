"""Every call reports what happens: to on_event and to the logger, whichever way the call is made."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import dataclasses
import gc
import inspect
import logging
import pickle
import random
import re
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from pathlib import Path

import privy
import pytest
from privy import _trace
from support import PROMPT, TOKEN, Reply, eventually, recording, served
from test_policies import CONTACT, WELL, TokenServer, budget, in_turn

ORDER = {"email": "a@b.c", "total": 1, "currency": "USD", "order_date": "2026-05-12T10:00:00Z"}
TIMES = ("lookup", "connect", "tls", "first_byte", "total")
COSTS = (*TIMES, "bytes_sent", "bytes_received", "reused")


class Listener:
    """Keeps the events that it gets."""

    def __init__(self):
        self.all = []
        self.threads = set()

    def __call__(self, event):
        self.all.append(event)
        self.threads.add(threading.get_ident())

    @property
    def events(self):
        """What happened between the starts and the ends of calls."""
        return [event for event in self.all if event.kind not in ("start", "end")]

    @property
    def kinds(self):
        return [event.kind for event in self.events]


def look(client):
    """The cheapest call there is."""
    return client.request("GET", "/contacts")


@pytest.fixture
def heard():
    return Listener()


@pytest.fixture
def complaints(monkeypatch):
    """What would have gone to the standard error stream: exceptions that could not be raised."""
    found = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: found.append(told.exc_value))
    return found


# ---- what is told ----


def test_a_request_and_its_answer(recorder, heard):
    told = {"X-Request-Id": "req_1", **budget(minute=(60, 41), day=(10_000, 77))}
    recorder.answer = lambda request: Reply(headers=told, body=WELL.body)
    client = recorder.client(on_event=heard)
    client.contacts.get(CONTACT)
    client.contacts.get(CONTACT)
    request, response, _, again = heard.events
    assert (request.kind, response.kind) == ("request", "response")
    for event in (request, response):
        assert (event.call, event.method, event.path, event.attempt) == (1, "GET", "/contacts/{id}", 1)
        assert (event.error, event.reason, event.seconds) == (None, None, None)
    assert [getattr(request, name) for name in (*COSTS, "status", "request_id", "minute_left")] == [None] * 11
    assert (response.status, response.request_id) == (200, "req_1")
    assert (response.minute_left, response.day_left) == (41, 77)
    assert 0 < response.first_byte <= response.total < 30
    assert response.connect > 0
    assert response.tls == 0
    assert response.bytes_sent > len(f"GET /v1/contacts/{CONTACT}")
    assert response.bytes_received > len(WELL.body)
    assert not response.reused
    assert (again.call, again.reused, again.connect) == (2, True, 0)
    assert heard.threads == {threading.get_ident()}


def test_another_attempt(recorder, heard):
    recorder.answer = in_turn(Reply(503, body=""), WELL)
    recorder.client(max_retries=1, on_event=heard).contacts.get(CONTACT)
    assert heard.kinds == ["request", "response", "retry", "request", "response"]
    failed, retry, last = heard.events[1], heard.events[2], heard.events[4]
    assert (failed.status, failed.error, failed.attempt) == (503, "ServerError", 1)
    assert (retry.status, retry.error) == (503, "ServerError")
    assert 0 <= retry.seconds < 60
    assert retry.total is None
    assert (last.status, last.error, last.attempt) == (200, None, 2)
    assert {event.call for event in heard.events} == {1}


def test_no_answer(recorder, heard):
    recorder.answer = lambda request: Reply(raw=b"", close=True)
    with pytest.raises(privy.APIConnectionError):
        recorder.client(on_event=heard).contacts.get(CONTACT)
    assert heard.kinds == ["request", "failure"]
    failure = heard.events[1]
    assert (failure.error, failure.status) == ("APIConnectionError", None)
    assert failure.reason
    assert failure.total > 0


def test_a_wait_for_the_budget(sandbox, heard):
    sandbox.set_clock(1_800_000_000)
    sandbox.set_limits(per_minute=1, per_day=100)

    def listen(event):
        heard(event)
        if event.kind == "wait":
            sandbox.advance(event.seconds)

    client = sandbox.client(on_event=listen)
    look(client)
    look(client)
    assert heard.kinds == ["request", "response", "wait", "request", "response"]
    wait = heard.events[2]
    assert 0 < wait.seconds <= 61
    assert (wait.call, wait.path, wait.minute_left, wait.total) == (2, "/contacts", 0, None)


def test_a_new_token(heard):
    with recording(TokenServer()) as recorder:
        settings = {"client_id": "id", "client_secret": "very-secret", "on_event": heard}
        privy.Client(base_url=recorder.base_url, **settings).contacts.get(CONTACT)
    assert heard.kinds == ["request", "response", "token", "request", "response"]
    token = heard.events[2]
    assert (token.method, token.path) == ("POST", "/oauth/token")
    assert 0 < token.seconds <= 7200.001
    assert "token-1" not in repr(heard.events) + str(token)
    assert "very-secret" not in repr(heard.events)


def test_no_secret_and_no_person(recorder, heard):
    person, phone, token = "jane@example.com", "+14155550171", "privy_" + "5" * 40
    body = f'{{"error": {{"code": "{token}", "message": "{token} of {person}"}}, "access_token": "{token}"}}'
    gone = Reply(raw=b"", close=True)
    recorder.answer = in_turn(
        Reply(503, headers={"X-Token": token, "Retry-After": "0"}, body=body), Reply(422, body=body), gone
    )
    client = recorder.client(max_retries=1, on_event=heard)
    with pytest.raises(privy.ValidationError):
        client.request(
            "POST", f"/people/{person}/{phone}?email={person}&token={token}", {"p": phone}, {"email": person}
        )
    with pytest.raises(privy.APIConnectionError):
        client.with_options(max_retries=0).request("GET", f"/{person}", headers={"X-Person": person})
    assert heard.kinds == ["request", "response", "retry", "request", "response", "request", "failure"]
    text = " ".join(repr(event) + str(event) + str(dataclasses.astuple(event)) for event in heard.all)
    for secret in (person, "jane", phone, "4155550171", token, TOKEN):
        assert secret not in text


def test_an_event_is_a_value(client):
    heard = Listener()
    sandbox = privy.Sandbox()
    sandbox.set_limits(per_minute=60, per_day=10_000)
    look(sandbox.client(on_event=heard))
    event = heard.events[1]
    with pytest.raises(AttributeError):
        event.kind = "request"
    assert pickle.loads(pickle.dumps(event)) == event
    assert repr(event).startswith(
        "CallEvent(kind='response', level='debug', call=1, operation='request', method='GET', path='/contacts', "
        "attempt=1, status=200, request_id="
    )
    assert "seconds" not in repr(event)
    assert str(event) == event.message
    assert re.fullmatch(
        r"request, call 1: GET /contacts, attempt 1: 200 in [\d.]+ s, \d+ of the minute and \d+ of the day left",
        str(event),
    )


def test_an_event_of_your_own():
    event = privy.CallEvent(
        kind="wait", level="info", call=1, operation="orders.upsert", method="POST", path="/x", attempt=0
    )
    assert event.seconds is None
    assert str(event) == repr(event)
    with pytest.raises(TypeError):
        privy.CallEvent(kind="wait", colour=1)


def test_every_field_and_kind_is_documented():
    tree = ast.parse(inspect.getsource(_trace))
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "CallEvent").body
    documented = [
        field.target.id
        for field, text in zip(body, body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value.value, str)
    ]
    assert documented == [field.name for field in dataclasses.fields(privy.CallEvent)]
    header = Path(__file__).parents[2].joinpath("csrc", "privy.h").read_text("utf-8")
    rows = header[header.index("#define PRIVY_TRACE_EVENTS(X)") :].split("typedef", 1)[0]
    kinds = re.findall(r'X\([A-Z]+, "(\w+)"', rows)
    assert re.findall(r"\w+", privy.CallEvent.__annotations__["kind"]) == ["Literal", *kinds]


def test_only_what_can_be_called_listens():
    with pytest.raises(TypeError, match="on_event"):
        privy.Sandbox().client(on_event="print")


# ---- in every kind of call ----


@pytest.fixture(params=["in process", "over HTTP"])
def telling(request, sandbox, heard):
    """Settings of clients of the sandbox that tell what they do."""
    sandbox.set_limits(per_minute=1_000_000, per_day=1_000_000)
    if request.param == "in process":
        yield {"sandbox": sandbox, "on_event": heard}
        return
    with served(sandbox) as server:
        yield {"token": TOKEN, "base_url": server.base_url, "on_event": heard}


def asked_and_answered(heard):
    """How many calls were reported, each by its start, its request, its response and its end."""
    calls = {}
    for event in heard.all:
        calls.setdefault(event.call, []).append(event.kind)
    assert list(calls) == list(range(1, len(calls) + 1))
    assert all(kinds == ["start", "request", "response", "end"] for kinds in calls.values())
    return len(calls)


def test_bulk_runs_and_lists(telling, heard):
    client = privy.Client(**telling)
    rows = [{"email": f"c{i}@example.com"} for i in range(12)]
    assert sum(result.ok for result in client.contacts.upsert_many(rows, concurrency=4)) == 12
    assert asked_and_answered(heard) == 12
    assert len(list(client.contacts.list(per_page=3))) == 12
    assert asked_and_answered(heard) == 16
    client.with_options(timeout=3).request("GET", "/contacts")
    assert asked_and_answered(heard) == 17


def test_calls_in_a_loop(run, telling, heard):
    async def main():
        async with privy.AsyncClient(**telling) as client:
            rows = [{"email": f"c{i}@example.com"} for i in range(12)]
            assert len([result async for result in client.contacts.upsert_many(rows, concurrency=4)]) == 12
            assert len([contact async for contact in client.contacts.list(per_page=3)]) == 12
            await asyncio.gather(*(client.request("GET", "/contacts") for _ in range(5)))

    run(main())
    assert asked_and_answered(heard) == 12 + 4 + 5
    assert heard.threads == {threading.get_ident()}


def test_calls_that_are_ended(run, telling, sandbox, heard):
    sandbox.fail(delay=120, count=0)

    async def main():
        async with privy.AsyncClient(**telling) as client:
            calls = [asyncio.ensure_future(client.contacts.get(CONTACT)) for _ in range(2)]
            while len(heard.events) < 2:
                await asyncio.sleep(0.01)
            calls[0].cancel()
            await eventually(lambda: len(heard.kinds) > 2)
            assert heard.kinds == ["request", "request", "failure"]
        with pytest.raises(privy.PrivyError, match="closed"):
            await calls[1]

    run(main())
    assert heard.kinds == ["request", "request", "failure", "failure"]
    assert [(event.error, event.reason) for event in heard.events[2:]] == [(None, "the call was stopped")] * 2


def answer_the_first(sandbox):
    """A moment after the others have been sent, which are never answered."""
    sandbox.fail(delay=0.3, count=1)
    sandbox.fail(delay=20, count=0)


def test_a_bulk_run_that_is_closed(telling, sandbox, heard):
    answer_the_first(sandbox)
    with privy.Client(**telling).events.ingest_many([{"event_type": "seen", "email": "a@b.c"}] * 3) as run:
        assert next(run).ok
        assert heard.kinds.count("request") == 3
    assert heard.kinds.count("response") == 1
    assert heard.kinds.count("failure") == 2


def test_calls_that_are_stopped_end_too(run, telling, sandbox, heard):
    sandbox.fail(delay=20, count=0)

    async def main():
        async with privy.AsyncClient(**telling) as client:
            call = asyncio.ensure_future(client.contacts.get(CONTACT))
            while not heard.events:
                await asyncio.sleep(0.01)
            call.cancel()
            await asyncio.wait([call])

    run(main())
    client = privy.Client(**telling)
    with pytest.raises(privy.APITimeoutError):
        client.contacts.get(CONTACT, timeout=0.1, max_retries=0)
    one, other = [event for event in heard.all if event.kind == "end"]
    assert (one.operation, one.status, one.error, one.reason) == ("contacts.get", None, None, "the call was stopped")
    assert (other.status, other.error, other.attempt) == (None, "APITimeoutError", 1)
    assert other.total >= 0.05
    assert other.waited == 0


def test_a_run_that_is_dropped_ends_its_calls(telling, sandbox, heard):
    answer_the_first(sandbox)
    client = privy.Client(**telling)
    for result in client.events.ingest_many([{"event_type": "seen", "email": "a@b.c"}] * 4, concurrency=3):
        assert result.ok
        break
    assert lives(heard).keys() == {"success", "stopped"}


def test_a_run_that_is_collected_as_garbage_ends_its_calls(telling, sandbox, heard):
    answer_the_first(sandbox)
    client = privy.Client(**telling)
    bulk = client.events.ingest_many([{"event_type": "seen", "email": "a@b.c"}] * 4, concurrency=3)
    assert next(bulk).ok
    circle = [bulk]
    circle.append(circle)
    before = len(heard.all)
    del bulk, circle
    gc.collect()
    assert lives(heard).keys() == {"success", "stopped"}
    assert {event.kind for event in heard.all[before:]} == {"failure", "end"}


# ---- refusals ----


def test_a_request_that_is_invalid(client, sandbox, heard, run):
    teller = sandbox.client(on_event=heard)
    with pytest.raises(privy.ValidationError):
        teller.contacts.create(email="no address", tags=[5], extra={"joe@x.io": {}})
    with pytest.raises(privy.ValidationError):
        teller.request("GRAB", "/joe@x.io/..", headers={"Host": "joe"})
    results = list(teller.events.ingest_many([{"event_type": "joe@x.io"}, {"event_type": "seen", "email": "a@b.c"}]))
    assert [result.ok for result in results].count(True) == 1

    async def main():
        async with privy.AsyncClient(sandbox=sandbox, on_event=heard) as asked:
            with pytest.raises(privy.ValidationError):
                await asked.contacts.get("joe")

    run(main())
    refusals = [event for event in heard.all if event.kind == "refused"]
    assert [(event.operation, event.method, event.path, event.reason) for event in refusals] == [
        ("contacts.create", "POST", "/contacts", "invalid: email, tags"),
        ("request", "", "", "invalid: method, path, headers"),
        ("events.ingest", "POST", "/events", "invalid: event_type, base"),
        ("contacts.get", "GET", "/contacts/{id}", "invalid: id"),
    ]
    for event in refusals:
        assert (event.level, event.error, event.attempt) == ("debug", "ValidationError", 0)
        assert (event.status, event.seconds) == (None, None)
        assert [other.kind for other in heard.all if other.call == event.call][:1] == ["refused"] or event is refusals[
            -1
        ]
    assert str(refusals[0]) == "contacts.create, call 1: refused: invalid: email, tags"


def test_a_budget_that_is_spent(sandbox, heard):
    sandbox.set_clock(1_800_000_000)
    sandbox.set_limits(per_minute=1)
    client = sandbox.client(on_event=heard, max_wait=5)
    look(client)
    with pytest.raises(privy.RateLimitError) as caught:
        look(client)
    assert [event.kind for event in heard.all[4:]] == ["start", "refused", "end"]
    refused, end = heard.all[5:]
    assert (refused.error, refused.reason, refused.status) == ("RateLimitError", caught.value.message, None)
    assert refused.seconds == caught.value.retry_after
    assert (end.error, end.reason, end.attempt) == ("RateLimitError", caught.value.message, 0)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_a_callable_may_stop_at_a_refusal(sandbox, stop, complaints):
    def listen(event):
        raise stop("enough")

    with pytest.raises(stop, match="enough"):
        sandbox.client(on_event=listen).contacts.create()
    assert complaints == []


def test_a_callable_that_fails_at_a_refusal_is_reported(sandbox, complaints):
    client = sandbox.client(on_event=broken)
    with pytest.raises(privy.ValidationError):
        client.contacts.create()
    assert [str(error) for error in complaints] == ["refused"]
    client.close()
    with pytest.raises(privy.ValidationError):
        client.contacts.create()
    assert len(complaints) == 1


# ---- each start has one end ----


def lives(heard):
    """How many calls ended in which way, once all are found to have begun and ended once."""
    calls = {}
    for event in heard.all:
        calls.setdefault(event.call, []).append(event)
    ways = {}
    for events in calls.values():
        kinds = [event.kind for event in events]
        if kinds == ["refused"]:
            way = "invalid"
        else:
            assert (kinds[0], kinds[-1]) == ("start", "end")
            assert kinds.count("start") == kinds.count("end") == 1
            assert len({event.operation for event in events}) == 1
            way = events[-1].error or ("stopped" if events[-1].reason else "success")
        ways[way] = ways.get(way, 0) + 1
    return ways


def some_faults(sandbox, dice):
    """What meets the next requests."""
    sandbox.clear_faults()
    fault = dice.choice([{}, {"status": 503, "retry_after": 0}, {"status": 422}, {"drop": True}, {"delay": 20}])
    if fault:
        sandbox.fail(**fault, skip=dice.randrange(3), count=dice.randrange(1, 3))


def some_rows(dice):
    good, bad = {"event_type": "seen", "email": "a@b.c"}, {"event_type": "no way"}
    return [dice.choice([good, good, bad]) for _ in range(dice.randrange(8))]


def test_every_start_has_one_end(telling, sandbox, heard, complaints):
    dice = random.Random(20260512)
    armed = []

    def listen(event):
        heard(event)
        if armed and dice.random() < 0.3:
            raise armed.pop()

    client = privy.Client(**{**telling, "on_event": listen}, max_retries=1, max_wait=0.2, timeout=0.05)

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
    assert set(lives(heard)) >= {"success", "stopped", "invalid"}


def test_every_start_has_one_end_in_a_loop(run, telling, sandbox, heard):
    dice = random.Random(20260513)

    async def read_some(items):
        number = 0
        async for _ in items:
            number += 1
            if number == dice.randrange(6):
                break

    async def main():
        async with privy.AsyncClient(**telling, max_retries=1, max_wait=0.2, timeout=0.05) as client:
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
    assert set(lives(heard)) >= {"success", "stopped"}


# ---- callables that fail, stop, and make calls ----


def broken(event):
    raise ValueError(event.kind)


def test_an_exception_is_reported_and_the_call_goes_on(client, complaints):
    sandbox = privy.Sandbox()
    teller = sandbox.client(on_event=broken)
    jane = teller.contacts.create(email="jane@example.com")
    assert teller.contacts.get(jane.id) == jane
    assert [str(error) for error in complaints] == ["start", "request", "response", "end"] * 2
    rows = [{"event_type": "seen", "email": "a@b.c"}] * 3
    assert all(result.ok for result in teller.events.ingest_many(rows))
    assert len(complaints) == 20
    with pytest.raises(privy.NotFoundError):
        teller.contacts.get(CONTACT)


def test_an_exception_in_a_loop_is_reported(run, telling, complaints):
    async def main():
        async with privy.AsyncClient(**{**telling, "on_event": broken}) as client:
            results = await asyncio.gather(*(client.events.ingest("seen", email="a@b.c") for _ in range(3)))
            assert [result.status for result in results] == ["accepted"] * 3

    run(main())
    assert len(complaints) == 12


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("when", ["request", "response"])
def test_a_callable_may_stop_the_call(telling, sandbox, heard, stop, when, complaints):
    def listen(event):
        heard(event)
        if event.kind == when and armed:
            armed.clear()
            raise stop("enough")

    armed = [True]
    client = privy.Client(**{**telling, "on_event": listen})
    if when == "request":
        sandbox.fail(delay=120)
    started = time.monotonic()
    with pytest.raises(stop, match="enough"):
        look(client)
    assert time.monotonic() - started < PROMPT
    assert heard.kinds == ["request", "failure" if when == "request" else "response"]
    sandbox.clear_faults()
    assert client.contacts.list().total_count() == 0
    rows = [{"event_type": "seen", "email": "a@b.c"}] * 2
    armed.append(True)
    with pytest.raises(stop, match="enough"):
        list(client.events.ingest_many(rows))
    assert complaints == []


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_a_callable_may_stop_the_loop(telling, stop):
    def listen(event):
        if event.kind == "response":
            raise stop

    async def main():
        async with privy.AsyncClient(**{**telling, "on_event": listen}) as client:
            await client.contacts.list().total_count()

    with pytest.raises(stop):
        asyncio.run(main())


def test_a_callable_may_make_calls_and_is_not_told_of_them(telling, sandbox, heard, complaints):
    found = []

    def listen(event):
        heard(event)
        found.append(client.contacts.create(email=f"{len(found)}@example.com").id)
        found.extend(contact.id for contact in client.contacts.list(per_page=1))
        found.extend(
            result.value.event_id for result in client.events.ingest_many([{"event_type": "x", "email": "a@b.c"}])
        )

    client = privy.Client(**{**telling, "on_event": listen})
    assert client.events.ingest("seen", email="a@b.c").status == "accepted"
    assert complaints == []
    assert asked_and_answered(heard) == 1
    assert sandbox.counts.events == 1 + 4
    assert sandbox.counts.contacts == 1 + 4
    ids = [contact for contact in found if contact.startswith("cus_")]
    assert len(set(ids)) == 1 + 4


def test_a_callable_may_close_the_client(telling, complaints):
    def listen(event):
        if event.kind == "request":
            client.close()

    client = privy.Client(**{**telling, "on_event": listen})
    assert client.contacts.list().total_count() == 0
    with pytest.raises(privy.PrivyError, match="closed"):
        look(client)
    assert complaints == []


def test_a_callable_may_close_the_run_it_is_told_of(telling, complaints):
    def listen(event):
        if event.kind == "response":
            bulk.close()

    client = privy.Client(**{**telling, "on_event": listen})
    bulk = client.events.ingest_many([{"event_type": "seen", "email": "a@b.c"}] * 3, concurrency=1)
    assert list(bulk) == []
    assert complaints == []


def test_threads_are_told_of_their_own_calls(telling, sandbox):
    ours = threading.local()
    wrong = []

    def listen(event):
        known = ours.__dict__.setdefault("calls", [])
        if event.kind == "start":
            known.append(event.call)
        elif known[-1] != event.call:
            wrong.append(event)

    client = privy.Client(**{**telling, "on_event": listen})
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


def test_a_client_that_its_callable_knows_is_collected():
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


# ---- logging ----


def test_a_line_and_the_event_for_each_step(client, caplog):
    with caplog.at_level(logging.DEBUG, logger="privy"):
        look(client)
    records = [record for record in caplog.records if record.name == "privy"]
    assert [record.levelname for record in records] == ["DEBUG"] * 4
    assert [record.privy_event.kind for record in records] == ["start", "request", "response", "end"]
    assert all(isinstance(record.privy_event, privy.CallEvent) for record in records)
    assert records[2].getMessage() == str(records[2].privy_event)
    assert ": GET /contacts, attempt 1: 200 in " in records[2].getMessage()
    assert {type(handler) for handler in logging.getLogger("privy").handlers} == {logging.NullHandler}


def test_what_the_lines_say(recorder, caplog):
    recorder.answer = in_turn(
        Reply(503, body=""), Reply(raw=b"", close=True), Reply(200, budget((60, 9), (99, 8)), WELL.body)
    )
    client = recorder.client(max_retries=2)
    with caplog.at_level(logging.DEBUG, logger="privy"):
        client.contacts.get(CONTACT)
    lines = [re.sub(r"\d+\.\d+", "#", record.getMessage()) for record in caplog.records if record.name == "privy"]
    call = "contacts.get, call 1: "
    attempt = f"{call}GET /contacts/{{id}}, attempt "
    assert lines[:5] == [
        f"{call}started",
        f"{attempt}1: sent",
        f"{attempt}1: 503 ServerError in # s",
        f"{attempt}1: retry in # s after 503 ServerError",
        f"{attempt}2: sent",
    ]
    assert lines[5].startswith(f"{attempt}2: APIConnectionError after # s: ")
    assert lines[6] == f"{attempt}2: retry in # s after APIConnectionError"
    assert lines[8:] == [
        f"{attempt}3: 200 in # s, 9 of the minute and 8 of the day left",
        f"{call}ended with 200 after 3 requests and # s, # s of them waiting",
    ]


def test_both_are_told_and_other_levels_are_not(client, caplog, sandbox, heard):
    teller = sandbox.client(on_event=heard)
    with caplog.at_level(logging.INFO, logger="privy"):
        look(client)
        look(teller)
    assert [record for record in caplog.records if record.name == "privy"] == []
    assert heard.kinds == ["request", "response"]
    with caplog.at_level(logging.DEBUG, logger="privy"):
        look(teller)
    told = [record.privy_event for record in caplog.records if record.name == "privy"]
    assert told == heard.all[4:]


def logged(caplog):
    """What the logger got: level and kind."""
    return [(record.levelname, record.privy_event.kind) for record in caplog.records if record.name == "privy"]


def test_retries_and_long_waits_are_logged_at_info(sandbox, caplog, heard):
    sandbox.set_clock(1_800_000_000)
    sandbox.set_limits(per_minute=2, per_day=3)
    sandbox.fail(status=503, retry_after=0)

    def listen(event):
        heard(event)
        if event.kind == "wait":
            sandbox.advance(event.seconds)

    client = sandbox.client(on_event=listen)
    with caplog.at_level(logging.INFO, logger="privy"):
        look(client)
        look(client)
        look(client)
        with pytest.raises(privy.RateLimitError):
            look(client)
    kinds = heard.kinds
    assert kinds.count("retry") == kinds.count("wait") == kinds.count("refused") == 1
    assert logged(caplog) == [("INFO", "retry"), ("INFO", "wait"), ("WARNING", "refused")]
    assert [event.level for event in heard.events if event.level != "debug"] == ["info", "info", "warning"]


def test_a_refusal_by_budget_is_a_warning(sandbox, caplog):
    sandbox.set_limits(per_day=1)
    client = sandbox.client()
    with caplog.at_level(logging.WARNING, logger="privy"):
        look(client)
        with pytest.raises(privy.RateLimitError) as caught:
            look(client)
        with pytest.raises(privy.ValidationError):
            client.contacts.create()
    assert logged(caplog) == [("WARNING", "refused")]
    assert caplog.records[-1].getMessage() == f"request, call 1: refused: {caught.value.message}"


def test_a_program_that_configures_no_logging_prints_nothing():
    script = """
        import logging
        import privy
        sandbox = privy.Sandbox()
        sandbox.set_limits(per_day=1)
        client = sandbox.client()
        client.request("GET", "/contacts")
        try:
            client.request("GET", "/contacts")
        except privy.RateLimitError:
            print("refused")
    """
    code = f"import sys; sys.path[:] = {sys.path!r}\n" + textwrap.dedent(script)
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert (output.stdout, output.stderr) == ("refused\n", "")


def test_a_filter_that_fails_does_not_break_the_call(client, caplog, complaints):
    def fail(record):
        raise ValueError("no")

    logger = logging.getLogger("privy")
    logger.addFilter(fail)
    try:
        with caplog.at_level(logging.DEBUG, logger="privy"):
            assert client.contacts.list().total_count() == 0
    finally:
        logger.removeFilter(fail)
    assert [str(error) for error in complaints] == ["no"] * 4


def test_nothing_is_imported_or_told_when_nobody_listens():
    script = """
        import sys
        import privy
        def seen():
            print(*(name in sys.modules for name in ("logging", "privy._trace")))
        client = privy.Sandbox().client()
        person = client.contacts.create(email="jane@example.com").id
        client.contacts.get(person)
        seen()
        sys.modules["logging"] = None
        client.contacts.get(person)
        del sys.modules["logging"]
        import logging
        client.contacts.get(person)
        seen()
        logging.basicConfig(level="DEBUG", stream=sys.stdout, format="%(levelname)s %(name)s %(funcName)s")
        client.contacts.get(person)
        seen()
    """
    code = f"import sys; sys.path[:] = {sys.path!r}\n" + textwrap.dedent(script)
    output = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, timeout=120, check=True)
    told = ["DEBUG privy log"] * 4
    assert output.stdout.splitlines() == ["False False", "True False", *told, "True True"]
