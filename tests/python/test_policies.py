"""Retries, rate limits, idempotency keys and tokens, over real sockets and in the process."""

from __future__ import annotations

import json
import pickle
import re
import threading
import time
from datetime import datetime, timedelta, timezone
from email.utils import formatdate

import privy
import pytest
from support import PROMPT, TOKEN, Reply, Request, recording, served

CONTACT = "cus_0123456789abcdef"
WELL = Reply(body=json.dumps({"data": {"id": CONTACT, "email": "a@b.c"}}))


def in_turn(*replies):
    """Answers with the replies one after the other, the last one for ever."""
    left = list(replies)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


def budget(minute=(60, 59), day=(10_000, 9_000), reset=60):
    """The headers with the rate limits of the account."""
    at = int(time.time()) + reset
    rows = {"Minute": (*minute, at), "Day": (*day, int(time.time()) + 40_000)}
    return {
        f"X-RateLimit-{what}-{window}": str(value)
        for window, values in rows.items()
        for what, value in zip(("Limit", "Remaining", "Reset"), values, strict=True)
    }


# ---- retries ----


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_failure_that_passes_is_retried(recorder, status):
    recorder.answer = in_turn(Reply(status, body=""), WELL)
    assert recorder.client(max_retries=3).contacts.get(CONTACT).email == "a@b.c"
    assert len(recorder.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 501])
def test_what_will_not_pass_is_not(recorder, status):
    recorder.answer = lambda request: Reply(status, body="")
    with pytest.raises(privy.PrivyError) as caught:
        recorder.client(max_retries=3).contacts.get(CONTACT)
    assert (caught.value.attempts, caught.value.waited) == (1, 0)
    assert len(recorder.requests) == 1


def test_a_broken_connection_is_retried(recorder):
    recorder.answer = in_turn(Reply(raw=b"", close=True), Reply(raw=b"HTTP/1.1 200 OK\r\n", close=True), WELL)
    assert recorder.client(max_retries=3).contacts.get(CONTACT).id == CONTACT
    assert len(recorder.requests) == 3


def test_a_failure_in_the_sandbox_is_retried(client, sandbox):
    sandbox.fail(500)
    assert client.contacts.create(email="a@b.c").email == "a@b.c"
    assert (sandbox.counts.requests, sandbox.counts.contacts) == (2, 1)


def test_max_retries_zero_is_one_attempt(recorder):
    recorder.answer = in_turn(Reply(503, body=""), WELL)
    client = recorder.client(max_retries=3)
    with pytest.raises(privy.ServerError) as caught:
        client.contacts.get(CONTACT, max_retries=0)
    assert (caught.value.attempts, caught.value.waited) == (1, 0)
    assert len(recorder.requests) == 1


def test_retries_end_with_an_error_that_counts_them(recorder):
    recorder.answer = lambda request: Reply(503, {"Retry-After": "0.1"}, "")
    started = time.monotonic()
    with pytest.raises(privy.ServerError) as caught:
        recorder.client(max_retries=2).contacts.get(CONTACT)
    took = time.monotonic() - started
    assert caught.value.attempts == len(recorder.requests) == 3
    assert 0 < caught.value.waited <= took + 0.1
    assert pickle.loads(pickle.dumps(caught.value)).waited == caught.value.waited


def test_retry_after_in_seconds_is_respected(recorder):
    recorder.answer = in_turn(Reply(503, {"Retry-After": "1"}, ""), WELL)
    started = time.monotonic()
    recorder.client(max_retries=1).contacts.get(CONTACT)
    assert 0.95 <= time.monotonic() - started < PROMPT


def test_retry_after_as_a_date_is_respected(recorder):
    def answer(request):
        later = formatdate(time.time() + 2, usegmt=True)
        return Reply(429, {"Retry-After": later}, "") if len(recorder.requests) == 1 else WELL

    recorder.answer = answer
    started = time.monotonic()
    recorder.client(max_retries=1).contacts.get(CONTACT)
    assert 0.9 <= time.monotonic() - started < PROMPT


@pytest.mark.parametrize("after", ["-5", "soon", "", "1e3", "Sun, 99 Foo 1994 08:49:37 GMT"])
def test_a_retry_after_that_says_nothing(recorder, after):
    recorder.answer = in_turn(Reply(503, {"Retry-After": after}, ""), WELL)
    started = time.monotonic()
    recorder.client(max_retries=1).contacts.get(CONTACT)
    assert time.monotonic() - started < PROMPT


def test_a_retry_after_past_max_wait_raises_at_once(recorder):
    recorder.answer = lambda request: Reply(429, {"Retry-After": "300"}, "")
    started = time.monotonic()
    with pytest.raises(privy.RateLimitError) as caught:
        recorder.client(max_retries=3, max_wait=5).contacts.get(CONTACT)
    assert time.monotonic() - started < PROMPT
    assert (caught.value.retry_after, caught.value.attempts, caught.value.status) == (300, 1, 429)
    assert len(recorder.requests) == 1


# ---- after a lost response ----


@pytest.mark.parametrize("fault", [{"drop": True}, {"truncate": True}])
def test_a_create_whose_response_was_lost_returns_its_contact(client, sandbox, fault):
    sandbox.fail(**fault)
    jane = client.contacts.create(email="jane@example.com")
    assert sandbox.counts.contacts == 1
    assert client.contacts.get(jane.id) == jane


def test_a_real_conflict_raises(client, sandbox):
    sandbox.set_clock(1_800_000_000)
    jane = client.contacts.create(email="jane@example.com")
    sandbox.advance(3600)
    with pytest.raises(privy.ConflictError) as caught:
        client.contacts.create(email="jane@example.com")
    assert (caught.value.contact_id, caught.value.attempts) == (jane.id, 1)


def test_a_real_conflict_after_a_lost_attempt_raises(sandbox):
    jane = sandbox.client().contacts.create(email="jane@example.com")
    sandbox.set_clock(time.time() + 3600)
    sandbox.fail(503)
    with pytest.raises(privy.ConflictError) as caught:
        sandbox.client().contacts.create(email="jane@example.com")
    assert caught.value.contact_id == jane.id
    assert sandbox.counts.contacts == 1


def test_a_delete_whose_response_was_lost_succeeds(client, sandbox):
    jane = client.contacts.create(email="jane@example.com")
    sandbox.fail(drop=True)
    assert client.contacts.delete(jane.id) is None
    assert sandbox.counts.contacts == 0


def test_one_key_for_all_attempts_of_an_event_and_another_for_the_next(recorder):
    accepted = Reply(body='{"event_id": "evt_1", "status": "accepted"}')
    recorder.answer = in_turn(Reply(500, body=""), Reply(raw=b"", close=True), accepted, accepted)
    client = recorder.client(max_retries=3)
    client.events.ingest("seen", email="a@b.c")
    client.events.ingest("seen", email="a@b.c")
    keys = [request.header("Idempotency-Key") for request in recorder.requests]
    assert len(keys) == 4
    assert len(set(keys[:3])) == 1
    assert keys[3] != keys[0]
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)


def test_the_error_of_an_event_has_its_key(recorder):
    recorder.answer = lambda request: Reply(500, body="")
    with pytest.raises(privy.ServerError) as caught:
        recorder.client(max_retries=0).events.ingest("seen", email="a@b.c")
    assert caught.value.idempotency_key == recorder.requests[0].header("Idempotency-Key")


def test_an_event_whose_response_was_lost_is_recorded_once(client, sandbox):
    sandbox.fail(drop=True)
    assert client.events.ingest("seen", email="a@b.c").status == "accepted"
    assert sandbox.counts.events == 1


# ---- tokens ----


class TokenServer:
    """An API with a token endpoint whose answers take a while; it takes only the token given last."""

    def __init__(self) -> None:
        self.fetched = 0
        self.valid = ""

    def __call__(self, request: Request) -> Reply:
        if request.target == "/oauth/token":
            self.fetched += 1
            time.sleep(0.2)
            self.valid = f"token-{self.fetched}"
            return Reply(body=json.dumps({"access_token": self.valid, "token_type": "Bearer", "expires_in": 7200}))
        if request.header("Authorization") != f"Bearer {self.valid}":
            return Reply(401, body='{"error": {"code": "unauthorized", "message": "no"}}')
        return WELL


@pytest.fixture
def tokens():
    server = TokenServer()
    with recording(server) as recorder:
        settings = {"base_url": recorder.base_url, "client_id": "id", "client_secret": "very-secret"}
        with privy.Client(**settings) as client:
            yield server, client


def test_a_token_is_fetched_once_for_many_threads(tokens):
    server, client = tokens
    found = []
    threads = [threading.Thread(target=lambda: found.append(client.contacts.get(CONTACT))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 16
    assert server.fetched == 1


def test_a_token_that_was_revoked_is_renewed(tokens):
    server, client = tokens
    client.contacts.get(CONTACT)
    server.valid = "revoked"
    assert client.contacts.get(CONTACT).id == CONTACT
    assert server.fetched == 2


def test_a_token_is_renewed_once_only(tokens):
    server, client = tokens
    client.contacts.get(CONTACT)
    server.__class__ = type("Refusing", (TokenServer,), {"__call__": refuse_all})
    with pytest.raises(privy.AuthenticationError) as caught:
        client.contacts.get(CONTACT)
    assert server.fetched == 2
    assert "very-secret" not in repr(vars(caught.value))


def refuse_all(self, request):
    reply = TokenServer.__call__(self, request)
    return reply if request.target == "/oauth/token" else Reply(401, body="")


# ---- budget ----


def test_rate_limits_are_unknown_before_the_first_response(sandbox):
    limit = sandbox.client().rate_limit
    for window in (limit.minute, limit.day):
        assert (window.known, window.limit, window.remaining, window.resets_at) == (False, None, None, None)


def test_the_budget_is_what_the_headers_said(recorder):
    recorder.answer = lambda request: Reply(200, budget((60, 41), (10_000, 9_876), reset=30), WELL.body)
    client = recorder.client()
    client.contacts.get(CONTACT)
    limit = client.with_options(timeout=3).rate_limit
    assert (limit.minute.known, limit.minute.limit, limit.minute.remaining) == (True, 60, 41)
    assert (limit.day.limit, limit.day.remaining) == (10_000, 9_876)
    assert abs(limit.minute.resets_at - datetime.now(timezone.utc) - timedelta(seconds=30)) < timedelta(seconds=3)
    assert limit.minute.resets_at.tzinfo is timezone.utc
    assert limit == client.rate_limit or limit.day == client.rate_limit.day
    with pytest.raises(AttributeError):
        limit.minute.remaining = 5
    assert pickle.loads(pickle.dumps(limit)) == limit
    client.close()
    with pytest.raises(privy.PrivyError, match="closed"):
        _ = client.rate_limit


def test_a_spent_minute_is_waited_for(recorder):
    def answer(request):
        first = len(recorder.requests) == 1
        return Reply(200, budget((60, 0), reset=2) if first else budget((60, 59), reset=62), WELL.body)

    recorder.answer = answer
    client = recorder.client()
    started = time.monotonic()
    client.contacts.get(CONTACT)
    client.contacts.get(CONTACT)
    assert 0.9 < time.monotonic() - started < PROMPT
    assert len(recorder.requests) == 2


def test_a_spent_minute_past_max_wait_raises_at_once(recorder):
    recorder.answer = lambda request: Reply(200, budget((60, 0), reset=55), WELL.body)
    client = recorder.client(max_wait=5)
    client.contacts.get(CONTACT)
    started = time.monotonic()
    with pytest.raises(privy.RateLimitError) as caught:
        client.contacts.get(CONTACT)
    assert time.monotonic() - started < PROMPT
    error = caught.value
    assert (error.attempts, error.status) == (0, None)
    assert 55 - PROMPT < error.retry_after <= 56
    assert abs(error.resets_at - datetime.now(timezone.utc) - timedelta(seconds=55)) < timedelta(seconds=PROMPT)
    assert len(recorder.requests) == 1


def test_a_spent_day_raises_at_once(recorder):
    recorder.answer = lambda request: Reply(200, budget(day=(10_000, 0)), WELL.body)
    client = recorder.client(max_wait=999_999)
    client.contacts.get(CONTACT)
    with pytest.raises(privy.RateLimitError, match="daily") as caught:
        client.contacts.get(CONTACT)
    assert caught.value.resets_at > datetime.now(timezone.utc) + timedelta(hours=5)
    assert caught.value.retry_after > 18_000
    assert len(recorder.requests) == 1


def test_no_429_is_earned(sandbox):
    sandbox.set_limits(per_minute=5)
    sandbox.set_clock(1_800_000_000)
    client = sandbox.client(max_wait=0)
    for _ in range(5):
        client.request("GET", "/contacts")
    with pytest.raises(privy.RateLimitError) as caught:
        client.request("GET", "/contacts")
    assert sandbox.counts.requests == 5
    assert 1_800_000_000 < caught.value.resets_at.timestamp() <= 1_800_000_061
    sandbox.advance(61)
    assert client.request("GET", "/contacts").status == 200


def test_a_reserve_is_left_to_others(sandbox):
    sandbox.set_limits(per_minute=10)
    sandbox.set_clock(1_800_000_000)
    client = sandbox.client(max_wait=0, reserve=4)
    for _ in range(6):
        client.request("GET", "/contacts")
    with pytest.raises(privy.RateLimitError):
        client.request("GET", "/contacts")
    assert sandbox.counts.requests == 6
    assert sandbox.client(max_wait=0).request("GET", "/contacts").status == 200


def test_a_reserve_over_a_socket(sandbox):
    sandbox.set_limits(per_minute=4)
    with served(sandbox) as server, privy.Client(TOKEN, base_url=server.base_url, max_wait=0, reserve=3) as client:
        client.request("GET", "/contacts")
        with pytest.raises(privy.RateLimitError):
            client.request("GET", "/contacts")
    assert sandbox.counts.requests == 1
