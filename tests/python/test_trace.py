"""The events of a call, for on_event: what they hold."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import pickle
import re
import threading
from pathlib import Path

import privy
import pytest
from privy import _trace
from support import TOKEN, Reply, recording
from test_policies import CONTACT, WELL, TokenServer, budget, in_turn
from tracing import Listener, look

ORDER = {"email": "a@b.c", "total": 1, "currency": "USD", "order_date": "2026-05-12T10:00:00Z"}
TIMES = ("lookup", "connect", "tls", "first_byte", "total")
COSTS = (*TIMES, "bytes_sent", "bytes_received", "reused")


def test_a_request_and_its_response_are_reported(recorder, listener):
    reported = {"X-Request-Id": "req_1", **budget(minute=(60, 41), day=(10_000, 77))}
    recorder.answer = lambda request: Reply(headers=reported, body=WELL.body)
    client = recorder.client(on_event=listener)
    client.contacts.get(CONTACT)
    client.contacts.get(CONTACT)
    request, response, _, again = listener.events
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
    assert listener.threads == {threading.get_ident()}


def test_a_retry_is_reported(recorder, listener):
    recorder.answer = in_turn(Reply(503, body=""), WELL)
    recorder.client(max_retries=1, on_event=listener).contacts.get(CONTACT)
    assert listener.kinds == ["request", "response", "retry", "request", "response"]
    failed, retry, last = listener.events[1], listener.events[2], listener.events[4]
    assert (failed.status, failed.error, failed.attempt) == (503, "ServerError", 1)
    assert (retry.status, retry.error) == (503, "ServerError")
    assert 0 <= retry.seconds < 60
    assert retry.total is None
    assert (last.status, last.error, last.attempt) == (200, None, 2)
    assert {event.call for event in listener.events} == {1}


def test_a_lost_response_is_reported(recorder, listener):
    recorder.answer = lambda request: Reply(raw=b"", close=True)
    with pytest.raises(privy.APIConnectionError):
        recorder.client(on_event=listener).contacts.get(CONTACT)
    assert listener.kinds == ["request", "failure"]
    failure = listener.events[1]
    assert (failure.error, failure.status) == ("APIConnectionError", None)
    assert failure.reason
    assert failure.total > 0


def test_a_wait_for_the_budget(sandbox, listener):
    sandbox.set_clock(1_800_000_000)
    sandbox.set_limits(per_minute=1, per_day=100)

    def listen(event):
        listener(event)
        if event.kind == "wait":
            sandbox.advance(event.seconds)

    client = sandbox.client(on_event=listen)
    look(client)
    look(client)
    assert listener.kinds == ["request", "response", "wait", "request", "response"]
    wait = listener.events[2]
    assert 0 < wait.seconds <= 61
    assert (wait.call, wait.path, wait.minute_left, wait.total) == (2, "/contacts", 0, None)


def test_a_new_token(listener):
    with recording(TokenServer()) as recorder:
        settings = {"client_id": "id", "client_secret": "very-secret", "on_event": listener}
        privy.Client(base_url=recorder.base_url, **settings).contacts.get(CONTACT)
    assert listener.kinds == ["request", "response", "token", "request", "response"]
    token = listener.events[2]
    assert (token.method, token.path) == ("POST", "/oauth/token")
    assert 0 < token.seconds <= 7200.001
    assert "token-1" not in repr(listener.events) + str(token)
    assert "very-secret" not in repr(listener.events)


def test_no_secret_and_no_person(recorder, listener):
    person, phone, token = "jane@example.com", "+14155550171", "privy_" + "5" * 40
    body = f'{{"error": {{"code": "{token}", "message": "{token} of {person}"}}, "access_token": "{token}"}}'
    gone = Reply(raw=b"", close=True)
    recorder.answer = in_turn(
        Reply(503, headers={"X-Token": token, "Retry-After": "0"}, body=body), Reply(422, body=body), gone
    )
    client = recorder.client(max_retries=1, on_event=listener)
    with pytest.raises(privy.ValidationError):
        client.request(
            "POST", f"/people/{person}/{phone}?email={person}&token={token}", {"p": phone}, {"email": person}
        )
    with pytest.raises(privy.APIConnectionError):
        client.with_options(max_retries=0).request("GET", f"/{person}", headers={"X-Person": person})
    assert listener.kinds == ["request", "response", "retry", "request", "response", "request", "failure"]
    text = " ".join(repr(event) + str(event) + str(dataclasses.astuple(event)) for event in listener.all)
    for secret in (person, "jane", phone, "4155550171", token, TOKEN):
        assert secret not in text


def test_an_event_is_a_value(client):
    listener = Listener()
    sandbox = privy.Sandbox()
    sandbox.set_limits(per_minute=60, per_day=10_000)
    look(sandbox.client(on_event=listener))
    event = listener.events[1]
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


def test_an_end_says_what_the_call_did():
    ends = []
    client = privy.Sandbox().client(on_event=lambda event: ends.append(event) if event.kind == "end" else None)
    client.contacts.upsert(email="jane@example.com", email_consent="subscribed")
    client.contacts.upsert(email="jane@example.com", first_name="Jane")
    for _ in range(2):
        client.events.ingest("seen", email="jane@example.com", idempotency_key="jane@example.com:1")
    client.contacts.list().total_count()
    assert [event.created for event in ends] == [True, False, None, None, None]
    assert [event.replay for event in ends] == [None, None, False, True, None]
    assert {event.idempotency_key for event in ends} == {None, "j***@example.com:1"}
    assert all(event.sandbox and event.row_index is None for event in ends)


def test_events_of_a_bulk_run_have_the_index_of_their_row():
    events = []
    client = privy.Sandbox().client(on_event=events.append)
    rows = [{"email": "jane@example.com"}, {"email": "no address"}, {"email": "joe@example.com"}]
    client.contacts.upsert_many(rows).run()
    kinds = ("refused", "end")
    assert sorted((event.row_index, event.kind) for event in events if event.kind in kinds) == [
        (0, "end"),
        (1, "refused"),
        (2, "end"),
    ]


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


# ---- refusals ----


def test_a_request_that_is_invalid(client, sandbox, listener, run):
    tracing_client = sandbox.client(on_event=listener)
    with pytest.raises(privy.ValidationError):
        tracing_client.contacts.create(email="no address", tags=[5], extra={"joe@x.io": {}})
    with pytest.raises(privy.ValidationError):
        tracing_client.request("GRAB", "/joe@x.io/..", headers={"Host": "joe"})
    results = list(
        tracing_client.events.ingest_many([{"event_type": "joe@x.io"}, {"event_type": "seen", "email": "a@b.c"}])
    )
    assert [result.ok for result in results].count(True) == 1

    async def main():
        async with privy.AsyncClient(sandbox=sandbox, on_event=listener) as asked:
            with pytest.raises(privy.ValidationError):
                await asked.contacts.get("joe")

    run(main())
    refusals = [event for event in listener.all if event.kind == "refused"]
    assert [(event.operation, event.method, event.path, event.reason) for event in refusals] == [
        ("contacts.create", "POST", "/contacts", "invalid: email, tags"),
        ("request", "", "", "invalid: method, path, headers"),
        ("events.ingest", "POST", "/events", "invalid: event_type, base"),
        ("contacts.get", "GET", "/contacts/{id}", "invalid: id"),
    ]
    for event in refusals:
        assert (event.level, event.error, event.attempt) == ("debug", "ValidationError", 0)
        assert (event.status, event.seconds) == (None, None)
        kinds = [other.kind for other in listener.all if other.call == event.call]
        assert kinds[0] == "refused" or event is refusals[-1]
    assert str(refusals[0]) == "contacts.create, call 1: refused: invalid: email, tags"


def test_a_budget_that_is_spent(sandbox, listener):
    sandbox.set_clock(1_800_000_000)
    sandbox.set_limits(per_minute=1)
    client = sandbox.client(on_event=listener, max_wait=5)
    look(client)
    with pytest.raises(privy.RateLimitError) as caught:
        look(client)
    assert [event.kind for event in listener.all[4:]] == ["start", "refused", "end"]
    refused, end = listener.all[5:]
    assert (refused.error, refused.reason, refused.status) == ("RateLimitError", caught.value.message, None)
    assert refused.seconds == caught.value.retry_after
    assert (end.error, end.reason, end.attempt) == ("RateLimitError", caught.value.message, 0)


def test_events_become_json_without_an_encoder(recorder):
    recorder.answer = lambda request: Reply(status=503, headers={"X-Request-Id": "req-1"})
    events = []
    with recorder.client(on_event=events.append) as client, pytest.raises(privy.ServerError):
        client.contacts.get("cus_1")
    for event in events:
        fields = json.loads(json.dumps(event.to_dict()))
        assert fields == {name: getattr(event, name) for name in fields}
        assert None not in fields.values()
        assert fields["message"] == str(event)
        assert (fields["kind"], fields["operation"]) == (event.kind, "contacts.get")
    assert {"status", "request_id", "total"} <= events[-1].to_dict().keys()
    assert "seconds" not in events[-1].to_dict()
