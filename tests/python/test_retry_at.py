"""What errors say about a retry: retryable, retry_after, retry_at and may_have_succeeded."""

from __future__ import annotations

import copy
import pickle
import time
from datetime import datetime, timedelta, timezone
from email.utils import formatdate

import privy
import pytest
from support import Reply

CONTACT = "cus_0123456789abcdef"
SOON = timedelta(seconds=20)


def failure(recorder, reply, call=lambda client: client.contacts.get(CONTACT)):
    recorder.answer = lambda request: reply
    with pytest.raises(privy.PrivyError) as caught:
        call(recorder.client())
    return caught.value


def agrees(error):
    """Whether everything that the error says of time means one instant, and how far it is away."""
    now = datetime.now(timezone.utc)
    assert error.retry_at.tzinfo is timezone.utc
    if isinstance(error, privy.RateLimitError):
        assert error.resets_at == error.retry_at
    offset = (error.retry_at - now).total_seconds()
    return error.retry_after - SOON.total_seconds() < offset <= error.retry_after + 0.1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_failure_that_passes_says_when(recorder, status):
    error = failure(recorder, Reply(status, {"Retry-After": "300"}, ""))
    assert (error.retryable, error.retry_after, error.may_have_succeeded) == (True, 300, False)
    assert agrees(error)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 501])
def test_a_failure_that_lasts_does_not(recorder, status):
    error = failure(recorder, Reply(status, {"Retry-After": "300"}, ""))
    assert (error.retryable, error.retry_after, error.retry_at) == (False, None, None)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("offset", [-7200, 0, 7200])
def test_a_date_is_judged_by_the_server_s_clock(recorder, status, offset):
    there = time.time() + offset
    headers = {"Date": formatdate(there, usegmt=True), "Retry-After": formatdate(there + 120, usegmt=True)}
    error = failure(recorder, Reply(status, headers, ""))
    assert error.retry_after == 120
    assert agrees(error)


def test_a_date_without_a_date_is_judged_by_ours(recorder):
    error = failure(recorder, Reply(429, {"Retry-After": formatdate(time.time() + 120, usegmt=True)}, ""))
    assert 100 < error.retry_after <= 120
    assert agrees(error)


def test_retry_after_and_the_limits_do_not_contradict_each_other(recorder):
    now = int(time.time())
    headers = {
        "Retry-After": "300",
        "X-RateLimit-Limit-Minute": "60",
        "X-RateLimit-Remaining-Minute": "0",
        "X-RateLimit-Reset-Minute": str(now + 60),
    }
    error = failure(recorder, Reply(429, headers, ""))
    assert error.retry_after == 300
    assert agrees(error)
    del headers["Retry-After"]
    error = failure(recorder, Reply(429, headers, ""))
    assert 40 < error.retry_after <= 60
    assert agrees(error)


def test_retry_after_is_at_most_a_day(recorder):
    for after in ("9999999999", formatdate(time.time() + 9_999_999, usegmt=True)):
        error = failure(recorder, Reply(503, {"Retry-After": after}, ""))
        assert error.retry_after == 86_400
        assert agrees(error)


def test_without_a_word_of_the_server(recorder):
    error = failure(recorder, Reply(503, {}, ""))
    assert (error.retryable, error.retry_after, error.retry_at) == (True, None, None)


def test_an_error_of_the_sandbox_goes_by_its_clock(sandbox):
    sandbox.set_clock(1_800_000_000)
    sandbox.fail(429, retry_after=300)
    with pytest.raises(privy.RateLimitError) as caught:
        sandbox.client(max_wait=0).contacts.get(CONTACT)
    error = caught.value
    assert error.retry_at == error.resets_at == datetime.fromtimestamp(1_800_000_300, timezone.utc)
    assert error.retry_after == 300


def test_a_budget_that_is_spent(sandbox):
    sandbox.set_limits(per_minute=1)
    sandbox.set_clock(1_800_000_000)
    client = sandbox.client(max_wait=0)
    client.request("GET", "/contacts")
    with pytest.raises(privy.RateLimitError) as caught:
        client.request("GET", "/contacts")
    error = caught.value
    assert (error.retryable, error.retry_after, error.attempts) == (True, 60, 0)
    assert error.retry_at == error.resets_at == datetime.fromtimestamp(1_800_000_060, timezone.utc)


def test_a_broken_connection(recorder):
    error = failure(recorder, Reply(raw=b"", close=True))
    assert (error.retryable, error.retry_after, error.may_have_succeeded) == (True, None, False)


LOST = Reply(raw=b"", close=True)


@pytest.mark.parametrize(
    ("call", "retryable"),
    [
        (lambda client: client.contacts.update(CONTACT, first_name="A"), True),
        (lambda client: client.contacts.create(email="a@b.c"), True),
        (lambda client: client.events.ingest("x", email="a@b.c", idempotency_key="k"), True),
        (lambda client: client.events.ingest("x", email="a@b.c"), False),
        (lambda client: client.request("POST", "/x", body={}), False),
        (lambda client: client.request("POST", "/x", body={}, headers={"Idempotency-Key": "k"}), True),
        (lambda client: client.request("PUT", "/x", body={}), True),
    ],
)
def test_a_write_that_may_have_succeeded(recorder, call, retryable):
    error = failure(recorder, LOST, call)
    assert (error.may_have_succeeded, error.retryable) == (True, retryable)
    assert str(error).endswith("; the request may have been acted on")


def test_an_event_is_made_again_with_its_key(sandbox):
    sandbox.fail(drop=True)
    client = sandbox.client(max_retries=0)
    with pytest.raises(privy.APIConnectionError) as caught:
        client.events.ingest("x", email="a@b.c")
    again = client.events.ingest("x", email="a@b.c", idempotency_key=caught.value.idempotency_key)
    assert again.idempotent_replay
    assert sandbox.counts.events == 1


def test_they_are_copied_and_pickled(recorder):
    error = failure(recorder, Reply(429, {"Retry-After": "300"}, ""))
    for one in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (one.retryable, one.retry_after, one.retry_at, one.resets_at, one.may_have_succeeded) == (
            True,
            300,
            error.retry_at,
            error.resets_at,
            False,
        )


def test_errors_of_one_s_own_making():
    at = datetime(2026, 5, 12, tzinfo=timezone.utc)
    error = privy.ServerError("x", retryable=True, retry_after=3.0, retry_at=at, may_have_succeeded=True)
    assert (error.retryable, error.retry_after, error.retry_at, error.may_have_succeeded) == (True, 3.0, at, True)
    plain = privy.PrivyError("x")
    assert (plain.retryable, plain.retry_after, plain.retry_at, plain.may_have_succeeded) == (False, None, None, False)
