"""Lost requests and responses: which are retried, for how long, and how a conflict with our own request is resolved."""

from __future__ import annotations

import threading
import time

import privy
import pytest
from support import Reply, recording

CONTACT = "cus_0123456789abcdef"
OPEN = "the request may have been acted on"
OTHER = "other@example.com"


# ---- requests of one's own ----


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_raw_write_is_sent_once(recorder, method):
    recorder.answer = lambda request: Reply(raw=b"", close=True)
    with pytest.raises(privy.APIConnectionError, match=OPEN) as caught:
        recorder.client(max_retries=3).request(method, "/events", body={"a": 1})
    assert (caught.value.attempts, len(recorder.requests)) == (1, 1)


def test_a_raw_write_has_one_effect(sandbox):
    sandbox.fail(drop=True)
    with pytest.raises(privy.APIConnectionError, match=OPEN):
        sandbox.client().request("POST", "/events", body={"event_type": "x", "email": "a@b.c"})
    assert sandbox.counts.events == 1


def test_a_raw_write_with_a_key_is_repeated(sandbox):
    sandbox.fail(drop=True)
    body = {"event_type": "x", "email": "a@b.c"}
    answer = sandbox.client().request("POST", "/events", body=body, headers={"Idempotency-Key": "k1"})
    assert answer.json()["idempotent_replay"] is True
    assert sandbox.counts.events == 1


@pytest.mark.parametrize(
    ("status", "headers", "requests"),
    [(429, {}, 2), (503, {"Retry-After": "0"}, 2), (503, {}, 1), (500, {}, 1), (408, {}, 1)],
)
def test_a_raw_write_is_repeated_where_nothing_was_acted_on(recorder, status, headers, requests):
    recorder.answer = lambda request: (
        Reply(status, headers, "") if len(recorder.requests) == 1 else Reply(200, {}, "{}")
    )
    client = recorder.client(max_retries=3)
    if requests == 1:
        with pytest.raises(privy.APIStatusError, match=OPEN):
            client.request("POST", "/things", body={})
    else:
        assert client.request("POST", "/things", body={}).status == 200
    assert len(recorder.requests) == requests


def test_a_raw_write_is_retried_after_a_refused_connection():
    with recording() as recorder:
        client = recorder.client(max_retries=1)
    time.sleep(0.3)  # until the server has stopped
    with pytest.raises(privy.APIConnectionError) as caught:
        client.request("POST", "/things", body={})
    assert caught.value.attempts == 2
    assert OPEN not in str(caught.value)


# ---- tokens are no attempts ----


def test_a_failed_token_request_does_not_make_a_missing_contact_deleted(sandbox):
    client = sandbox.client(client_id="sandbox-client", client_secret="sandbox-secret")
    sandbox.fail(503)
    with pytest.raises(privy.NotFoundError):
        client.contacts.delete(CONTACT)


def test_a_failed_token_request_does_not_make_a_contact_ours(sandbox):
    sandbox.client().contacts.create(email=OTHER, first_name="B")
    client = sandbox.client(client_id="sandbox-client", client_secret="sandbox-secret")
    sandbox.fail(drop=True)
    with pytest.raises(privy.ConflictError) as caught:
        client.contacts.create(email=OTHER, first_name="B")
    assert OPEN not in str(caught.value)


# ---- creates ----


def test_a_lost_create_gives_its_contact(sandbox):
    sandbox.fail(drop=True)
    contact = sandbox.client().contacts.create(
        email=OTHER, first_name="Zoë", tags=["b", "a"], custom_fields={"n": 1.5, "s": "x"}, email_consent="subscribed"
    )
    assert (contact.email, contact.first_name, sandbox.counts.contacts) == (OTHER, "Zoë", 1)


def test_a_restored_contact_is_ours(sandbox):
    client = sandbox.client()
    sandbox.set_clock(1_800_000_000)
    client.contacts.delete(client.contacts.create(email=OTHER).id)
    sandbox.advance(3600)
    sandbox.fail(drop=True)
    contact = client.contacts.create(email=OTHER, first_name="B")
    assert contact.first_name == "B"


def test_the_contact_of_another_client_is_a_conflict(sandbox):
    # Our request is refused before it is processed; another client is faster.
    sandbox.fail(503)
    other = sandbox.client()
    made = []

    def make_it(event):
        if event.kind == "retry":
            made.append(other.contacts.create(email=OTHER, first_name="A"))

    with pytest.raises(privy.ConflictError) as caught:
        sandbox.client(on_event=make_it).contacts.create(email=OTHER, first_name="B")
    assert caught.value.contact_id == made[0].id
    assert OPEN not in str(caught.value)


@pytest.mark.parametrize("fault", [{"status": 403}, {"status": 404}, {"status": 500}, {"drop": True}])
def test_a_conflict_names_the_contact_whatever_becomes_of_the_look(sandbox, fault):
    sandbox.fail(drop=True)
    sandbox.fail(skip=1, count=0, **fault)
    with pytest.raises(privy.ConflictError, match=OPEN) as caught:
        sandbox.client(max_retries=1).contacts.create(email=OTHER)
    sandbox.clear_faults()
    assert caught.value.contact_id == next(iter(sandbox.client().contacts.list(email=OTHER))).id
    assert (caught.value.status, caught.value.code) == (409, "conflict")


def test_a_token_that_may_not_read(sandbox):
    sandbox.add_token("privy_writer", ["contacts_write"])
    sandbox.fail(drop=True)
    with pytest.raises(privy.ConflictError) as caught:
        sandbox.client(token="privy_writer").contacts.create(email=OTHER)
    assert caught.value.contact_id.startswith("cus_")


# ---- not later than half a minute ----


def test_a_consent_is_not_written_late(sandbox):
    client = sandbox.client(max_wait=3600)
    jane = client.contacts.create(email=OTHER)
    sandbox.fail(500, retry_after=31)
    with pytest.raises(privy.ServerError, match=OPEN) as caught:
        client.contacts.update(jane.id, email_consent="subscribed")
    assert caught.value.attempts == 1


def test_what_was_not_acted_on_is_repeated_at_any_time(sandbox):
    client = sandbox.client(max_wait=3600)
    jane = client.contacts.create(email=OTHER)
    sandbox.set_clock(1_800_000_000)
    sandbox.fail(429, retry_after=100)
    done = []
    caller = threading.Thread(
        target=lambda: done.append(client.contacts.update(jane.id, email_consent="subscribed").email_consent)
    )
    caller.start()
    while sandbox.counts.requests < 2:
        time.sleep(0.01)
    time.sleep(0.1)
    sandbox.advance(101)
    caller.join(30)
    assert done == ["subscribed"]


def test_a_bulk_run_does_not_write_late_either(sandbox):
    sandbox.fail(500, retry_after=31)
    run = sandbox.client().contacts.upsert_many([{"email": OTHER, "email_consent": "subscribed"}])
    result = next(run)
    assert isinstance(result.error, privy.ServerError)
    assert OPEN in str(result.error)
    assert sandbox.counts.requests == 1
