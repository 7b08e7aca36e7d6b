"""Options of clients and calls, credentials, and a client's life."""

from __future__ import annotations

import pickle
import time
import weakref

import privy
import pytest
from support import PROMPT, TOKEN, Reply, recording, served

CONTACT = "cus_0123456789abcdef"


def test_with_options_is_a_copy(sandbox):
    client = sandbox.client(timeout=300, max_retries=0)
    quick = client.with_options(timeout=0.15)
    jane = client.contacts.create(email="a@b.c")
    sandbox.fail(delay=120)
    sandbox.fail(delay=1)
    started = time.monotonic()
    with pytest.raises(privy.APITimeoutError):
        quick.contacts.get(jane.id)
    assert time.monotonic() - started < PROMPT
    assert client.contacts.get(jane.id) == jane


def test_options_of_a_call_win(sandbox):
    client = sandbox.client(max_retries=0).with_options(timeout=20)
    sandbox.fail(delay=15)
    with pytest.raises(privy.APITimeoutError):
        client.request("GET", "/contacts", timeout=0.1)
    assert client.request("GET", "/contacts").status == 200


def test_a_copy_may_leave_more_of_the_minute_to_others(sandbox):
    sandbox.set_clock(1_800_000_000)
    sandbox.set_limits(per_minute=10)
    client = sandbox.client(max_wait=0)
    jobs = client.with_options(reserve=7)
    for _ in range(3):
        jobs.request("GET", "/contacts")
    with pytest.raises(privy.RateLimitError):
        jobs.request("GET", "/contacts")
    event = {"event_type": "seen", "email": "a@b.c"}
    report = jobs.with_options(timeout=5).events.ingest_many([event] * 2, max_wait=0).run()
    assert (report.requests, len(report.unsent)) == (0, 2)
    for _ in range(7):
        client.request("GET", "/contacts")
    with pytest.raises(privy.RateLimitError):
        client.request("GET", "/contacts")
    with pytest.raises(privy.PrivyError, match="reserve"):
        client.with_options(reserve=-1)


def test_a_copy_may_have_a_hook_of_its_own(sandbox):
    seen, mine = [], []
    client = sandbox.client(on_event=seen.append)
    copy = client.with_options(on_event=mine.append).with_options(timeout=3)
    copy.request("GET", "/contacts")
    copy.events.ingest_many([{"event_type": "seen", "email": "a@b.c"}, {}]).run()
    assert seen == []
    assert {event.kind for event in mine} >= {"start", "request", "response", "end", "refused"}
    client.request("GET", "/contacts")
    assert len(seen) > 0
    with pytest.raises(TypeError, match="on_event"):
        client.with_options(on_event=5)


def test_a_bulk_run_takes_the_options_of_its_client(sandbox):
    client = sandbox.client(max_retries=3).with_options(max_retries=0, max_wait=0)
    sandbox.fail(status=503)
    event = {"event_type": "seen", "email": "a@b.c"}
    assert client.events.ingest_many([event] * 2).run().failed == 1


def test_copies_share_connections_and_close_together():
    with recording() as recorder:
        client = recorder.client()
        other = client.with_options(timeout=3)
        client.contacts.get(CONTACT)
        other.contacts.get(CONTACT)
        other.with_options(max_wait=1).contacts.get(CONTACT)
        assert recorder.connections == 1
        other.close()
        assert client.closed
        assert other.closed
        with pytest.raises(privy.PrivyError, match="closed"):
            client.contacts.get(CONTACT)
        client.close()
        assert len(recorder.requests) == 3


def test_a_copy_keeps_the_client_alive():
    with recording() as recorder:
        other = recorder.client().with_options(timeout=3)
        assert other.contacts.get(CONTACT) is not None


def test_the_end_of_a_with_block_closes_the_client(sandbox):
    with sandbox.client() as client:
        client.contacts.create(email="a@b.c")
        assert not client.closed
    assert client.closed
    assert repr(client) == "Client(closed)"


def test_repr_and_pickle(sandbox):
    client = privy.Client(TOKEN, base_url="http://127.0.0.1:9/v1/")
    assert repr(client) == "Client(sandbox, base_url='http://127.0.0.1:9/v1')"
    assert repr(privy.Client("t", base_url="http://127.0.0.1:9")) == "Client(base_url='http://127.0.0.1:9')"
    for value in (client, sandbox, client._core, sandbox._core):
        with pytest.raises(TypeError, match="pickle"):
            pickle.dumps(value)
    assert weakref.ref(client)() is client


@pytest.mark.parametrize("options", [{"timeout": -1}, {"max_retries": -1}, {"max_wait": "x"}, {"timeout": 0}])
def test_wrong_options_of_a_call(sandbox, options):
    client = sandbox.client()
    with pytest.raises((privy.PrivyError, TypeError)):
        client.contacts.get(CONTACT, **options)
    assert sandbox.counts.requests == 0


def test_settings_come_from_the_environment(monkeypatch):
    with recording() as recorder:
        monkeypatch.setenv("PRIVY_API_TOKEN", TOKEN)
        monkeypatch.setenv("PRIVY_BASE_URL", recorder.base_url)
        privy.Client().contacts.get(CONTACT)
        assert recorder.requests[0].header("Authorization") == f"Bearer {TOKEN}"


def test_a_given_token_wins_over_the_environment(monkeypatch, recorder):
    monkeypatch.setenv("PRIVY_API_TOKEN", "privy_" + "0" * 40)
    recorder.client().contacts.get(CONTACT)
    assert recorder.requests[0].header("Authorization") == f"Bearer {TOKEN}"


def test_oauth_over_http(sandbox):
    with served(sandbox) as server:
        client = privy.Client(
            client_id=sandbox.client_id,
            client_secret=sandbox.client_secret,
            scopes=["contacts_read", "contacts_write"],
            base_url=server.base_url,
        )
        jane = client.contacts.create(email="jane@example.com")
        assert client.contacts.get(jane.id) == jane
        with pytest.raises(privy.PermissionDeniedError):
            client.events.ingest("seen", email="jane@example.com")


def test_oauth_in_process(sandbox):
    client = sandbox.client(client_id=sandbox.client_id, client_secret=sandbox.client_secret)
    assert client.contacts.create(email="jane@example.com").email == "jane@example.com"
    wrong = sandbox.client(client_id=sandbox.client_id, client_secret="very-secret")
    with pytest.raises(privy.AuthenticationError) as caught:
        wrong.contacts.create(email="joe@example.com")
    assert caught.value.code == "invalid_client"
    assert "very-secret" not in repr(vars(caught.value))


def test_two_clients_never_touch(sandbox):
    sandbox.add_token("privy_" + "1" * 40, "contacts_read")
    reader, writer = sandbox.client("privy_" + "1" * 40), sandbox.client()
    jane = writer.contacts.create(email="a@b.c")
    assert reader.contacts.get(jane.id) == jane
    with pytest.raises(privy.PermissionDeniedError):
        reader.contacts.delete(jane.id)


def test_a_body_beyond_max_response_raises(recorder):
    recorder.answer = lambda request: Reply(body='{"data":{"first_name":"' + "x" * 5000 + '"}}')
    assert recorder.client(max_response=10_000).contacts.get(CONTACT).first_name == "x" * 5000
    with pytest.raises(privy.PrivyError):
        recorder.client(max_response=1000).contacts.get(CONTACT)


def test_redirects_are_not_followed():
    with recording() as elsewhere, recording() as recorder:
        recorder.answer = lambda request: Reply(302, {"Location": elsewhere.base_url + "/contacts"})
        with pytest.raises(privy.APIStatusError):
            recorder.client().contacts.get(CONTACT)
        assert elsewhere.requests == []
