"""Every step of every call is told: to on_event and to the logger, whichever way the call is made."""

from __future__ import annotations

import ast
import asyncio
import dataclasses
import gc
import inspect
import logging
import pickle
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
from privy import _events
from support import PROMPT, TOKEN, Reply, eventually, recording, served
from test_policies import CONTACT, WELL, TokenServer, budget, in_turn

ORDER = {"email": "a@b.c", "total": 1, "currency": "USD", "order_date": "2026-05-12T10:00:00Z"}
TIMES = ("lookup", "connect", "tls", "first_byte", "total")
COSTS = (*TIMES, "bytes_sent", "bytes_received", "reused")


class Listener:
    """Keeps what it is told."""

    def __init__(self):
        self.events = []
        self.threads = set()

    def __call__(self, event):
        self.events.append(event)
        self.threads.add(threading.get_ident())

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
    assert 0 < token.seconds <= 7200
    assert "token-1" not in repr(heard.events) + str(token)
    assert "very-secret" not in repr(heard.events)


def test_no_secret_and_no_person(recorder, heard):
    person, phone, token = "jane@example.com", "+14155550171", "privy_" + "5" * 40
    body = f'{{"error": {{"code": "{token}", "message": "{token} of {person}"}}, "access_token": "{token}"}}'
    gone = Reply(raw=b"", close=True)
    recorder.answer = in_turn(Reply(503, headers={"X-Token": token}, body=body), Reply(422, body=body), gone)
    client = recorder.client(max_retries=1, on_event=heard)
    with pytest.raises(privy.ValidationError):
        client.request(
            "POST", f"/people/{person}/{phone}?email={person}&token={token}", {"p": phone}, {"email": person}
        )
    with pytest.raises(privy.APIConnectionError):
        client.with_options(max_retries=0).request("GET", f"/{person}", headers={"X-Person": person})
    assert heard.kinds == ["request", "response", "retry", "request", "response", "request", "failure"]
    text = " ".join(repr(event) + str(event) + str(dataclasses.astuple(event)) for event in heard.events)
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
        "Event(kind='response', call=1, method='GET', path='/contacts', attempt=1, status=200,"
    )
    assert "seconds" not in repr(event)
    assert re.fullmatch(
        r"GET /contacts, attempt 1: 200 in [\d.]+ s, \d+ of the minute and \d+ of the day left", str(event)
    )


def test_every_field_and_kind_is_documented():
    tree = ast.parse(inspect.getsource(_events))
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Event").body
    documented = [
        field.target.id
        for field, text in zip(body, body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value.value, str)
    ]
    assert documented == [field.name for field in dataclasses.fields(privy.Event)]
    header = Path(__file__).parents[2].joinpath("csrc", "privy.h").read_text("utf-8")
    rows = header[header.index("#define PRIVY_EVENTS(X)") :].split("typedef", 1)[0]
    kinds = re.findall(r'X\([A-Z]+, "(\w+)"', rows)
    assert re.findall(r"\w+", privy.Event.__annotations__["kind"]) == ["Literal", *kinds]


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
    """How many calls were told of, each by its request and its response."""
    calls = {}
    for event in heard.events:
        calls.setdefault(event.call, []).append(event.kind)
    assert list(calls) == list(range(1, len(calls) + 1))
    assert all(kinds == ["request", "response"] for kinds in calls.values())
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


def test_a_bulk_run_that_is_closed(telling, sandbox, heard):
    sandbox.fail(skip=1, delay=20, count=0)
    with privy.Client(**telling).events.ingest_many([{"event_type": "seen", "email": "a@b.c"}] * 3) as run:
        assert next(run).ok
        assert heard.kinds.count("request") == 3
    assert heard.kinds.count("response") == 1
    assert heard.kinds.count("failure") == 2


# ---- callables that fail, stop, and make calls ----


def broken(event):
    raise ValueError(event.kind)


def test_an_exception_is_reported_and_the_call_goes_on(client, complaints):
    sandbox = privy.Sandbox()
    teller = sandbox.client(on_event=broken)
    jane = teller.contacts.create(email="jane@example.com")
    assert teller.contacts.get(jane.id) == jane
    assert [str(error) for error in complaints] == ["request", "response"] * 2
    rows = [{"event_type": "seen", "email": "a@b.c"}] * 3
    assert all(result.ok for result in teller.events.ingest_many(rows))
    assert len(complaints) == 10
    with pytest.raises(privy.NotFoundError):
        teller.contacts.get(CONTACT)


def test_an_exception_in_a_loop_is_reported(run, telling, complaints):
    async def main():
        async with privy.AsyncClient(**{**telling, "on_event": broken}) as client:
            results = await asyncio.gather(*(client.events.ingest("seen", email="a@b.c") for _ in range(3)))
            assert [result.status for result in results] == ["accepted"] * 3

    run(main())
    assert len(complaints) == 6


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
    assert client.contacts.list().total_count == 0
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
    assert heard.kinds == ["request", "response"]
    assert sandbox.counts.events == 3
    assert sandbox.counts.contacts == 3
    assert len(set(found)) == 3 + 2


def test_a_callable_may_close_the_client(telling, complaints):
    def listen(event):
        if event.kind == "request":
            client.close()

    client = privy.Client(**{**telling, "on_event": listen})
    assert client.contacts.list().total_count == 0
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
        if event.kind == "request":
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
    assert [record.levelname for record in records] == ["DEBUG"] * 2
    assert [record.privy_event.kind for record in records] == ["request", "response"]
    assert all(isinstance(record.privy_event, privy.Event) for record in records)
    assert records[1].getMessage() == str(records[1].privy_event)
    assert records[1].getMessage().startswith("GET /contacts, attempt 1: 200 in ")
    assert logging.getLogger("privy").handlers == []


def test_what_the_lines_say(recorder, caplog):
    recorder.answer = in_turn(
        Reply(503, body=""), Reply(raw=b"", close=True), Reply(200, budget((60, 9), (99, 8)), WELL.body)
    )
    client = recorder.client(max_retries=2)
    with caplog.at_level(logging.DEBUG, logger="privy"):
        client.contacts.get(CONTACT)
    lines = [re.sub(r"\d+\.\d+", "#", record.getMessage()) for record in caplog.records if record.name == "privy"]
    call = "GET /contacts/{id}, attempt "
    assert lines[:4] == [
        f"{call}1: sent",
        f"{call}1: 503 ServerError in # s",
        f"{call}1: another attempt in # s after 503 ServerError",
        f"{call}2: sent",
    ]
    assert lines[4].startswith(f"{call}2: APIConnectionError after # s: ")
    assert lines[5] == f"{call}2: another attempt in # s after APIConnectionError"
    assert lines[7] == f"{call}3: 200 in # s, 9 of the minute and 8 of the day left"


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
    assert told == heard.events[2:]


def test_a_filter_that_fails_does_not_break_the_call(client, caplog, complaints):
    def fail(record):
        raise ValueError("no")

    logger = logging.getLogger("privy")
    logger.addFilter(fail)
    try:
        with caplog.at_level(logging.DEBUG, logger="privy"):
            assert client.contacts.list().total_count == 0
    finally:
        logger.removeFilter(fail)
    assert [str(error) for error in complaints] == ["no", "no"]


def test_nothing_is_imported_or_told_when_nobody_listens():
    script = """
        import sys
        import privy
        def seen():
            print(*(name in sys.modules for name in ("logging", "privy._events")))
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
    told = ["DEBUG privy log"] * 2
    assert output.stdout.splitlines() == ["False False", "True False", *told, "True True"]
