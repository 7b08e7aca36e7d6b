"""The public sandbox: settings, injected faults, the clock."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone

import privy
import pytest
from privy.sandbox import Counts

ORDER = {"email": "a@b.c", "total": 1, "currency": "USD", "order_date": "2026-05-12T10:00:00Z"}


@pytest.fixture
def client(sandbox):
    return sandbox.client(max_retries=0)


def test_handle_returns_the_response_to_one_request(sandbox):
    headers = {"Authorization": f"Bearer {sandbox.token}", "Content-Type": "application/json"}
    made = sandbox.handle("POST", "/v1/contacts", headers, '{"email": "jäne@example.com"}')
    assert made.status == 201
    assert json.loads(made.body)["data"]["email"] == "jäne@example.com"
    found = sandbox.handle("GET", "/contacts?per_page=1", list(headers.items()))
    assert json.loads(found.body)["pagination"]["total_count"] == 1
    assert not any(name.lower().startswith("x-ratelimit") for name, _ in found.headers)
    assert (found.delay, found.dropped, found.truncated) == (0, False, False)
    assert sandbox.handle("GET", "/contacts").status == 401
    with pytest.raises(ValueError, match="line break"):
        sandbox.handle("GET", "/contacts", {"X-A": "b\r\nX-C: d"})


def test_counts_and_reset(sandbox, client):
    jane = client.contacts.create(email="a@b.c", phone_number="+14155550171", sms_consent="subscribed")
    client.orders.upsert(order_id=1, **ORDER)
    client.events.ingest("seen", privy_id=jane.id)
    assert sandbox.counts == Counts(requests=3, contacts=1, orders=1, events=1, welcome_messages=1)
    assert "contacts=1" in repr(sandbox)
    sandbox.reset()
    assert sandbox.counts == Counts(0, 0, 0, 0, 0)
    assert sandbox.counts != Counts(1, 0, 0, 0, 0)
    client.contacts.create(email="a@b.c")


def test_tokens_have_scopes_and_can_be_revoked(sandbox):
    token = "privy_" + "2" * 40
    with pytest.raises(privy.AuthenticationError):
        sandbox.client(token).contacts.create(email="a@b.c")
    sandbox.add_token(token, ["contacts_read", "contacts_write"])
    client = sandbox.client(token)
    client.contacts.create(email="a@b.c")
    with pytest.raises(privy.PermissionDeniedError) as caught:
        client.orders.upsert(order_id=1, **ORDER)
    assert caught.value.code == "insufficient_scope"
    assert sandbox.revoke_token(token) is True
    assert sandbox.revoke_token("privy_" + "3" * 40) is False
    with pytest.raises(privy.AuthenticationError):
        client.contacts.create(email="b@b.c")


def test_an_oauth_client_gets_a_token(sandbox):
    sandbox.add_client("mine", "secret", "contacts_write")
    client = sandbox.client(client_id="mine", client_secret="secret")
    client.contacts.create(email="a@b.c")
    with pytest.raises(privy.PermissionDeniedError):
        list(client.contacts.list())


def test_an_integration_token_must_be_known_and_active(sandbox, client):
    sandbox.add_integration("shop")
    sandbox.add_integration("gone", active=False)
    assert client.orders.upsert(order_id=1, integration_token="shop", **ORDER).created
    for token in ("gone", "unknown"):
        with pytest.raises(privy.ValidationError) as caught:
            client.orders.upsert(order_id=2, integration_token=token, **ORDER)
        assert caught.value.status == 422


def test_consents_that_no_request_can_set(sandbox, client):
    jane = client.contacts.create(email="a@b.c", phone_number="+14155550171")
    sandbox.set_consent(jane.id, "sms_consent", "pending")
    assert client.contacts.get(jane.id).sms_consent == "pending"
    sandbox.set_consent(jane.id, "email_consent", "compliance_suppressed")
    with pytest.raises(privy.ValidationError) as caught:
        client.contacts.update(jane.id, email_consent="subscribed")
    assert caught.value.status == 422
    with pytest.raises(LookupError):
        sandbox.set_consent("cus_0000000000000000", "sms_consent", "pending")
    with pytest.raises(ValueError, match="cannot be set"):
        sandbox.set_consent(jane.id, "sms_consent", "sometimes")


def test_sms_consent_needs_a_supported_country(sandbox, client):
    call = {"phone_number": "+447911123456", "sms_consent": "subscribed"}
    with pytest.raises(privy.ValidationError):
        client.contacts.create(**call)
    sandbox.set_sms_countries(["+1", "+44"])
    assert client.contacts.create(**call).sms_consent == "subscribed"


def test_waits_may_be_skipped(sandbox):
    client = sandbox.client()
    sandbox.skip_waits()
    began = sandbox.now
    sandbox.fail(429, retry_after=42)
    client.contacts.list().total_count()
    assert sandbox.now - began >= 42
    sandbox.fail(delay=600)
    with pytest.raises(privy.APITimeoutError):
        client.with_options(max_retries=0).contacts.list().total_count()
    sandbox.skip_waits(False)
    sandbox.fail(429, retry_after=42)
    with pytest.raises(privy.RateLimitError):
        client.with_options(max_wait=0).contacts.list().total_count()


def test_the_clock_can_be_stopped_and_advanced(sandbox, client):
    at = datetime(2026, 5, 12, 10, tzinfo=timezone.utc)
    sandbox.set_clock(at)
    jane = client.contacts.create(email="a@b.c")
    assert jane.created_at == at
    sandbox.advance(90)
    assert sandbox.now == at.timestamp() + 90
    assert client.contacts.update(jane.id, first_name="A").updated_at == at + timedelta(seconds=90)
    sandbox.set_clock(at.timestamp() + 100)
    assert sandbox.now == at.timestamp() + 100
    sandbox.set_clock(None)
    assert abs(sandbox.now - time.time()) < 10
    with pytest.raises(ValueError, match="zone"):
        sandbox.set_clock(datetime(2026, 5, 12))


def test_only_limits_that_are_on_are_reported(sandbox):
    client = sandbox.client()
    client.request("GET", "/contacts")
    assert (client.rate_limit.minute.known, client.rate_limit.day.known) == (False, False)
    sandbox.set_limits(per_minute=60)
    for _ in range(3):
        client.request("GET", "/contacts")
    minute, day = client.rate_limit.minute, client.rate_limit.day
    assert (minute.limit, minute.remaining, day.known) == (60, 57, False)


def test_its_clients_do_not_look_like_those_of_the_api(sandbox):
    for client in (sandbox.client(), privy.AsyncClient(sandbox=sandbox), privy.Client(sandbox=sandbox)):
        assert client.base_url == "https://sandbox.invalid/v1"
        assert repr(client) == f"{type(client).__name__}(sandbox, base_url='https://sandbox.invalid/v1')"


def test_requests_beyond_a_limit_are_refused(sandbox):
    sandbox.set_clock(1_800_000_000)
    sandbox.set_limits(per_minute=2, per_day=100)
    client = sandbox.client(max_retries=0, max_wait=0)
    for _ in range(2):
        client.request("GET", "/contacts")
    with pytest.raises(privy.RateLimitError):
        client.request("GET", "/contacts")
    sandbox.advance(61)
    assert sandbox.client().request("GET", "/contacts").status == 200
    with pytest.raises(ValueError, match="per_minute and per_day must not be negative"):
        sandbox.set_limits(per_minute=-1)


def test_a_client_waits_for_the_end_of_a_short_minute(sandbox):
    sandbox.set_limits(per_minute=5, window=1)
    with sandbox.serve() as url, privy.Client(sandbox.token, base_url=url) as served:
        for client in (sandbox.client(), served):
            for _ in range(12):
                client.request("GET", "/contacts")
        assert client.rate_limit.minute.limit == 5
    assert len(sandbox.requests) >= 24
    assert sandbox.requests[-1].at - sandbox.requests[0].at >= timedelta(seconds=3)


def test_headers_of_a_short_minute_are_consistent(sandbox):
    sandbox.set_clock(1_800_000_000.75)
    sandbox.set_limits(per_minute=1, window=5)
    client = sandbox.client(max_retries=0, max_wait=0)
    first = client.request("GET", "/contacts")
    assert first.headers["X-RateLimit-Reset-Minute"] == "1800000005"
    refused = sandbox.handle("GET", "/contacts", {"Authorization": f"Bearer {sandbox.token}"})
    assert (refused.status, dict(refused.headers)["Retry-After"]) == (429, "5")
    sandbox.advance(4.25)
    assert client.request("GET", "/contacts").status == 200
    for window in (-1, 0, 61, 10**30):
        with pytest.raises(ValueError, match="window must be 1 to 60 seconds"):
            sandbox.set_limits(window=window)
    with pytest.raises(TypeError):
        sandbox.set_limits(window=2.5)


def test_injected_faults_occur_in_order(sandbox, client):
    sandbox.fail(503, skip=1)
    sandbox.fail(500, body="<html>down</html>")
    assert client.request("GET", "/contacts").status == 200
    with pytest.raises(privy.ServerError) as caught:
        client.request("GET", "/contacts")
    assert caught.value.status == 503
    with pytest.raises(privy.ServerError) as caught:
        client.request("GET", "/contacts")
    assert (caught.value.status, caught.value.body) == (500, "<html>down</html>")
    assert client.request("GET", "/contacts").status == 200


def test_injected_faults_end_when_they_are_cleared(sandbox, client):
    sandbox.fail(429, retry_after=7, count=0)
    for _ in range(3):
        with pytest.raises(privy.RateLimitError) as caught:
            client.request("GET", "/contacts", max_wait=0)
    assert caught.value.retry_after == 7
    sandbox.clear_faults()
    assert client.request("GET", "/contacts").status == 200


def test_a_request_with_a_dropped_response_was_processed(sandbox, client):
    sandbox.fail(drop=True)
    with pytest.raises(privy.APIConnectionError):
        client.contacts.create(email="a@b.c")
    assert sandbox.counts.contacts == 1


def test_a_fault_that_is_invalid_raises(sandbox):
    for fault in ({"drop": True, "truncate": True}, {"skip": -1}, {"count": -1}, {"delay": -1.0}):
        with pytest.raises(ValueError, match="exclude each other|negative"):
            sandbox.fail(**fault)
    for fault in ({"body": "broken"}, {"retry_after": 5}, {"delay": 1.0, "retry_after": 0}):
        with pytest.raises(ValueError, match="body and retry_after need status"):
            sandbox.fail(**fault)
    for fault in ({}, {"on": "orders.upsert"}, {"skip": 1, "count": 0}):
        with pytest.raises(ValueError, match="a fault needs status, delay, drop or truncate"):
            sandbox.fail(**fault)
    assert sandbox.client().contacts.list().total_count() == 0


def test_sandboxes_are_worlds_of_their_own():
    one, two = privy.Sandbox(), privy.Sandbox()
    one.client().contacts.create(email="a@b.c")
    assert (one.counts.contacts, two.counts.contacts) == (1, 0)
    assert privy.Sandbox is privy.sandbox.Sandbox


def test_a_client_keeps_its_sandbox():
    client = privy.Sandbox().client()
    client.contacts.create(email="a@b.c")
    assert client.contacts.list().total_count() == 1
