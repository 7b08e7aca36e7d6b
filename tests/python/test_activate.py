"""An active sandbox receives the calls of all clients in the process."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
from collections import deque

import privy
import pytest
from privy import _client
from privy.sandbox import Sandbox

JANE = "jane@example.com"
NOWHERE = "http://127.0.0.1:9/v1"
"""No server listens here: a call that reaches the network fails."""


@pytest.fixture(autouse=True)
def nothing_stays_active():
    yield
    assert _client.active is None


@pytest.fixture
def other():
    return Sandbox()


def total(client):
    return client.contacts.list().total_count()


async def async_total(client):
    return await client.contacts.list().total_count()


# ---- clients made while a sandbox is active ----


def test_every_client_made_while_it_is_active_uses_it(sandbox, monkeypatch):
    monkeypatch.setenv("PRIVY_BASE_URL", NOWHERE)
    with sandbox.activate() as active:
        assert active is sandbox
        privy.Client().contacts.create(email=JANE)
        clients = [
            privy.Client("any-token"),
            privy.Client(base_url=NOWHERE),
            privy.Client(client_id="any-id", client_secret="any-secret"),
            privy.Client(sandbox.token, allow_plain_http=True, base_url="http://privy.example/v1"),
        ]
        assert [total(client) for client in clients] == [1, 1, 1, 1]
    sandbox.assert_contact(JANE)


def test_variables_of_the_environment_are_ignored(sandbox, monkeypatch):
    monkeypatch.setenv("PRIVY_API_TOKEN", "real-token")
    monkeypatch.setenv("PRIVY_SCOPES", "nonsense")
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    with sandbox.activate():
        assert total(privy.Client()) == 0
        assert not sandbox.revoke_token("real-token")


def test_known_tokens_keep_their_scopes(sandbox):
    sandbox.add_token("reads", "contacts_read")
    with sandbox.activate():
        client = privy.Client("reads")
        assert total(client) == 0
        with pytest.raises(privy.PermissionDeniedError):
            client.contacts.create(email=JANE)


def test_a_revoked_token_stays_revoked(sandbox):
    with sandbox.activate():
        client = privy.Client("mine")
        assert total(client) == 0
        assert sandbox.revoke_token("mine")
        for one in (client, privy.Client("mine")):
            with pytest.raises(privy.AuthenticationError):
                total(one)


def test_invalid_settings_still_raise(sandbox):
    with sandbox.activate():
        for settings in ({"token": "a b"}, {"client_id": "only"}, {"timeout": -1}):
            with pytest.raises(privy.PrivyError):
                privy.Client(**settings)


def test_a_client_of_another_sandbox_keeps_it(sandbox, other):
    with sandbox.activate():
        other.client().contacts.create(email=JANE)
        privy.Client(sandbox=other).contacts.create(email="john@example.com")
    assert (sandbox.counts.contacts, other.counts.contacts) == (0, 2)


def test_async_clients_use_it(sandbox):
    async def run():
        async with privy.AsyncClient() as client:
            await client.contacts.create(email=JANE)
            return await async_total(client)

    with sandbox.activate():
        assert asyncio.run(run()) == 1
    sandbox.assert_contact(JANE)


def test_the_repr_names_the_sandbox(sandbox):
    with sandbox.activate():
        client = privy.Client()
        assert repr(client).startswith("Client(sandbox, ")
        assert repr(privy.AsyncClient()).startswith("AsyncClient(sandbox, ")
        client.close()
        assert repr(client) == "Client(closed)"
    assert repr(sandbox.client()) == repr(privy.Client(sandbox=sandbox))
    assert "sandbox" not in repr(privy.Client("token"))


# ---- clients made before, and used later ----


def test_a_client_made_before_uses_it_and_returns_to_the_network(sandbox):
    client = privy.Client("token", base_url=NOWHERE, max_retries=0)
    contacts = client.contacts
    with sandbox.activate():
        contacts.create(email=JANE)
        assert total(client) == 1
        assert repr(client).startswith("Client(sandbox, ")
    assert repr(client) == f"Client(base_url='{NOWHERE}')"
    with pytest.raises(privy.APIConnectionError):
        contacts.list().total_count()


def test_async_clients_skip_waits(sandbox):
    async def run():
        client = privy.AsyncClient("token", base_url=NOWHERE, max_wait=7200)
        sandbox.skip_waits()
        sandbox.set_limits(2, 1000)
        sandbox.fail(429, retry_after=42)
        began = sandbox.now
        with sandbox.activate():
            assert [await async_total(client) for _ in range(6)] == [0] * 6
        assert sandbox.now - began >= 119  # six calls at two a minute

    asyncio.run(run())


def test_an_async_client_made_before_uses_it_too(sandbox):
    async def run():
        client = privy.AsyncClient("token", base_url=NOWHERE, max_retries=0)
        drivers = client._inside.drivers
        with sandbox.activate():
            assert await async_total(client) == 0
        assert client._inside.drivers is drivers
        with pytest.raises(privy.APIConnectionError):
            await async_total(client)
        with sandbox.activate():
            assert await async_total(client) == 0
            await client.aclose()
        assert client.closed

    asyncio.run(run())


def test_a_client_made_before_keeps_its_options(sandbox):
    events = []
    client = privy.Client("token", base_url=NOWHERE, max_retries=1, reserve=7, on_event=events.append)
    copy = client.with_options(max_retries=0)
    with sandbox.activate():
        sandbox.fail(503, count=2, retry_after=0)
        with pytest.raises(privy.ServerError):
            total(copy)
        assert [request.status for request in sandbox.requests] == [503]
        assert total(client) == 0
        assert [request.status for request in sandbox.requests] == [503, 503, 200]
        assert client._core.reserve == copy._core.reserve == 7
    assert {event.kind for event in events} >= {"request", "response", "retry"}


def test_copies_share_the_rate_limit_of_their_stand_in(sandbox):
    client = privy.Client("token", base_url=NOWHERE)
    copy = client.with_options(timeout=3)
    sandbox.set_limits(60, 1000)
    with sandbox.activate():
        total(copy)
        later = client.with_options(timeout=2)
        assert client.rate_limit.minute.remaining == later.rate_limit.minute.remaining == 59
    assert not client.rate_limit.minute.known


def test_lists_and_runs_of_before_raise(sandbox):
    client = privy.Client("token", base_url=NOWHERE)
    listed, run = client.contacts.list(), client.contacts.upsert_many([{"email": JANE}])
    with sandbox.activate():
        for use in (listed.total_count, run.run):
            with pytest.raises(privy.PrivyError, match="a sandbox is active"):
                use()
    assert sandbox.counts.requests == 0


def test_a_client_made_inside_raises_afterwards(sandbox):
    with sandbox.activate():
        client, asynchronous = privy.Client("token"), privy.AsyncClient()
        copy, listed = client.with_options(timeout=5), client.contacts.list()
    for use in (lambda: total(client), lambda: total(copy), listed.total_count, lambda: client.rate_limit):
        with pytest.raises(privy.PrivyError, match="no longer active"):
            use()
    with pytest.raises(privy.PrivyError, match="no longer active"):
        asyncio.run(async_total(asynchronous))
    with pytest.raises(privy.PrivyError, match="no longer active"):
        total(client.with_options(timeout=4))
    assert sandbox.counts.requests == 0
    client.close()
    assert client.closed


def test_a_client_made_inside_uses_the_sandbox_that_is_active_later(sandbox, other):
    with sandbox.activate():
        client, asynchronous = privy.Client("token"), privy.AsyncClient()
        client.contacts.create(email=JANE)
        copy = client.with_options(timeout=5)
    late = client.with_options(timeout=4)
    for _ in range(2):
        with other.activate():
            assert [total(client), total(copy), total(late), asyncio.run(async_total(asynchronous))] == [0, 0, 0, 0]
        for one in (client, copy, late):
            with pytest.raises(privy.PrivyError, match="no longer active"):
                total(one)
    assert (sandbox.counts.requests, other.counts.requests) == (1, 8)


def test_closing_closes_for_good(sandbox, other):
    client = privy.Client("token", base_url=NOWHERE)
    copy = client.with_options(timeout=5)
    with sandbox.activate():
        copy.close()
        assert client.closed
    with other.activate():
        assert client.closed
        assert copy.closed
    assert repr(client) == "Client(closed)"


# ---- activations ----


def test_the_innermost_activation_counts(sandbox, other):
    before = privy.Client("token", base_url=NOWHERE)
    with sandbox.activate():
        client = privy.Client()
        listed = client.contacts.list()
        client.contacts.create(email=JANE)
        with other.activate():
            assert [total(client), total(before), total(privy.Client())] == [0, 0, 0]
            assert listed.total_count() == 1
            with sandbox.activate():
                assert [total(client), total(before)] == [1, 1]
            assert total(client) == 0
        assert [total(client), total(before)] == [1, 1]


def test_activations_may_end_in_any_order(sandbox, other):
    first, second = sandbox.activate(), other.activate()
    assert first.start() is sandbox
    sandbox.client().contacts.create(email=JANE)
    client = privy.Client()
    second.start()
    first.stop()
    assert total(client) == 0
    second.stop()
    for activation in (first, second):
        with pytest.raises(RuntimeError, match="not started"):
            activation.stop()
    with pytest.raises(privy.PrivyError, match="no longer active"):
        total(client)


def test_an_exception_ends_it(sandbox):
    with pytest.raises(ZeroDivisionError), sandbox.activate():
        1 / 0  # noqa: B018
    with pytest.raises(privy.PrivyError, match="no credentials"):
        privy.Client()


def test_it_is_active_in_all_threads(sandbox):
    found = []
    with sandbox.activate():
        thread = threading.Thread(target=lambda: found.append(total(privy.Client())))
        thread.start()
        thread.join()
    assert found == [0]


def test_clients_made_in_threads_meanwhile_follow(sandbox):
    """Whenever a client is made, it uses the active sandbox from the moment on at which both exist."""
    clients, stop = deque(maxlen=8), threading.Event()

    def work():
        while not stop.is_set():
            clients.append(privy.Client("token", base_url=NOWHERE, max_retries=0))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            with sandbox.activate():
                for client in list(clients):
                    assert total(client) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_collected_clients_are_forgotten(sandbox):
    gc.collect()
    before = len(_client.followers)
    with sandbox.activate():
        clients = [privy.Client() for _ in range(10)]
        clients += [client.with_options(timeout=1) for client in clients]
        assert len(_client.followers) == before + 20
    del clients
    gc.collect()
    assert len(_client.followers) == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_child_has_a_copy_of_the_sandbox(sandbox):
    with sandbox.activate():
        privy.Client().contacts.create(email=JANE)
        child = os.fork()
        if child == 0:
            client = privy.Client()
            client.contacts.create(email="child@example.com")
            os._exit(total(client))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    assert [contact.email for contact in sandbox.contacts.values()] == [JANE]


# ---- decorators ----


def test_it_decorates_functions(sandbox):
    @sandbox.activate()
    def create(email, *, times=1):
        """Creates."""
        for number in range(times):
            privy.Client().contacts.create(email=f"{number}{email}")
        return times

    assert create.__doc__ == "Creates."
    assert create("a@example.com", times=2) == 2
    assert create("b@example.com") == 1
    assert sandbox.counts.contacts == 3
    with pytest.raises(privy.PrivyError):
        privy.Client()


def test_it_decorates_coroutine_functions(sandbox):
    @sandbox.activate()
    async def create():
        async with privy.AsyncClient() as client:
            await asyncio.sleep(0)
            return (await client.contacts.create(email=JANE)).email

    assert asyncio.iscoroutinefunction(create)
    assert asyncio.run(create()) == JANE


def test_it_decorates_generators(sandbox):
    @sandbox.activate()
    def clients():
        yield privy.Client()
        return 7

    generator = clients()
    assert total(next(generator)) == 0
    with pytest.raises(StopIteration) as ended:
        next(generator)
    assert ended.value.value == 7


def test_it_refuses_to_decorate_what_it_cannot(sandbox):
    async def generator():
        yield

    for what in (type("Tests", (), {}), generator, 5):
        with pytest.raises(TypeError, match="decorates functions"):
            sandbox.activate()(what)


# ---- where the network would be ----

PROGRAM = """
import socket, privy
def refuse(*arguments):
    raise SystemExit("a socket")
socket.socket = refuse
sandbox = privy.Sandbox()
with sandbox.activate():
    privy.Client("token", base_url="https://api.privy.com/v1").contacts.create(email="jane@example.com")
import os
print(sandbox.counts.contacts, any("libcurl" in line for line in open("/proc/self/maps")))
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="needs /proc")
def test_the_network_library_is_not_even_loaded():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.split() == ["1", "False"]
