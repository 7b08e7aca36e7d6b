"""How requests travel: what is set on the sockets, which way they go, what is trusted, and what is never sent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import threading

import privy
import proxies
import pytest
from http2 import INTERNAL, REFUSED_STREAM, Connection
from places import Place
from wire import Wire

TOKEN = "privy_" + "7" * 40


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith(("PRIVY_", "SSL_CERT_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def client(place: Place, **settings) -> privy.Client:
    return privy.Client(TOKEN, base_url=place.base_url, **{"max_retries": 0, "timeout": 60, **settings})


def ask(place: Place, **settings) -> privy.EventReceipt:
    with client(place, **settings) as one:
        return one.events.ingest("seen", email="row1@example.com")


# ---- sockets ----


def sockets_to(port: int) -> list[socket.socket]:
    """This process's sockets whose other end is the port."""
    found = []
    for entry in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            one = socket.socket(fileno=os.dup(int(entry)))
            if one.family == socket.AF_INET and one.getpeername()[1] == port:
                found.append(one)
            else:
                one.close()
    return found


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="only Linux shows a process its own sockets")
def test_connections_are_probed_and_send_at_once(place):
    server = place(tls=False)
    with client(server) as one:
        one.events.ingest("seen", email="row1@example.com")
        (kept,) = sockets_to(server.port)
        with kept:
            assert kept.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert kept.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


# ---- proxies: which are used, and what errors say about them ----


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_proxies_of_the_environment(place, folder, monkeypatch, name, scheme):
    through = proxies.connect if scheme == "http" else proxies.socks(proxies.NAME)
    server = place(host=proxies.NAMED, through=through)
    monkeypatch.setenv(name, f"{scheme}://{server.proxy}")
    assert ask(server, ca_bundle=folder / "authority.pem").event_id == "evt_row1"
    assert server.through == 1


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
@pytest.mark.parametrize("hosts", ["127.0.0.1", "other.example, 127.0.0.1", "127.0.0.0/8", "*"])
def test_hosts_that_the_environment_keeps_from_proxies(place, folder, monkeypatch, name, hosts):
    server = place(through=proxies.tunnel)
    monkeypatch.setenv("https_proxy", f"http://{server.proxy}")
    monkeypatch.setenv(name, hosts)
    assert ask(server, ca_bundle=folder / "authority.pem").event_id == "evt_row1"
    assert server.through == 0
    monkeypatch.delenv(name)
    with pytest.raises(privy.APIConnectionError):
        ask(server, ca_bundle=folder / "authority.pem")
    assert server.through == 1


def test_a_proxy_setting_overrides_the_environment(place, folder, monkeypatch):
    server = place(host=proxies.NAMED, through=proxies.connect)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    assert ask(server, ca_bundle=folder / "authority.pem", proxy=f"http://{server.proxy}").event_id == "evt_row1"
    assert server.through == 1


def test_plain_http_to_loopback_takes_no_proxy(place, monkeypatch):
    server = place(tls=False, through=proxies.tunnel)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://{server.proxy}")
    assert ask(server, proxy=f"http://{server.proxy}").event_id == "evt_row1"
    assert server.through == 0


PROXIES_THAT_FAIL = [
    "http://{secret}@127.0.0.1:1",
    "http://{secret}@nowhere.invalid:3128",
    "socks5://{secret}@127.0.0.1:1",
    "https://{secret}@127.0.0.1:1",
]
PROXIES_THAT_CANNOT_BE_READ = [
    "http://{secret}@127.0.0.1:99999",
    "http://{secret}@[::zz]:3128",
    "socks5h://{secret}@127.0.0.1:99999",
    "http://{secret}",
    "http://{secret}@",
    "http://{secret}@:3128",
    "ftp://{secret}@127.0.0.1:1",
]


def secrets_in(error: BaseException) -> list[str]:
    reported = repr((error, str(error), vars(error)))
    return [word for word in (proxies.PASSWORD, proxies.USER, TOKEN) if word in reported]


@pytest.mark.parametrize("url", PROXIES_THAT_FAIL)
def test_no_error_shows_the_credentials_of_a_proxy(place, monkeypatch, url):
    proxy = url.format(secret=f"{proxies.USER}:{proxies.PASSWORD}")
    server = place(through=proxies.tunnel)
    with client(server, proxy=proxy) as one:
        assert proxies.PASSWORD not in repr(one)
        with pytest.raises(privy.APIConnectionError) as caught:
            one.events.ingest("seen", email="row1@example.com")
    assert secrets_in(caught.value) == []
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(privy.APIConnectionError) as caught:
        ask(server)
    assert secrets_in(caught.value) == []
    assert server.seen.connections == 0


@pytest.mark.parametrize("url", PROXIES_THAT_CANNOT_BE_READ)
def test_a_proxy_that_cannot_be_read_is_refused_without_being_quoted(place, url):
    with pytest.raises(privy.PrivyError, match=r"^proxy ") as caught:
        client(place(), proxy=url.format(secret=f"{proxies.USER}:{proxies.PASSWORD}"))
    assert type(caught.value) is privy.PrivyError
    assert secrets_in(caught.value) == []


@pytest.mark.parametrize("url", [*PROXIES_THAT_CANNOT_BE_READ, "{secret}", "httpx://{secret}@127.0.0.1:1"])
def test_nor_is_one_of_the_environment(place, monkeypatch, url):
    monkeypatch.setenv("https_proxy", url.format(secret=f"{proxies.USER}:{proxies.PASSWORD}"))
    with pytest.raises(privy.APIConnectionError) as caught:
        ask(place())
    assert secrets_in(caught.value) == []


# ---- trust ----


def test_trusted_certificates_of_the_environment(place, folder, monkeypatch):
    server = place()
    with pytest.raises(privy.APIConnectionError, match="certificate"):
        ask(server)
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "authority.pem"))
    assert ask(server).event_id == "evt_row1"
    with pytest.raises(privy.APIConnectionError, match="certificate"):
        ask(server, ca_bundle=folder / "self_signed.pem")
    assert len(server.seen.requests) == 1


def test_a_bundle_that_cannot_be_used_is_not_tried_again(place, folder, tmp_path):
    """It looked right when the client was made."""
    server, bundle = place(), tmp_path / "bundle.pem"
    bundle.write_bytes((folder / "authority.pem").read_bytes())
    with client(server, ca_bundle=bundle, max_retries=3) as one:
        bundle.unlink()
        with pytest.raises(privy.PrivyError, match="bundle.pem") as caught:
            one.events.ingest("seen", email="row1@example.com")
    assert type(caught.value) is privy.PrivyError
    assert caught.value.attempts == 1


# ---- what is never sent ----

INJECTIONS = [
    {"path": "/x HTTP/1.1\r\nX-Evil: 1\r\n\r\n"},
    {"path": "/x\nX-Evil: 1"},
    {"path": "/x\x00y"},
    {"path": "/../../admin"},
    {"path": "/%2e%2e/admin"},
    {"path": "//evil.example\\@x"},
    {"path": "@evil.example/"},
    {"path": "http://evil.example/"},
    {"path": "/x", "headers": {"X-A": "1\r\nX-Evil: 1"}},
    {"path": "/x", "headers": {"X-A\r\nX-Evil": "1"}},
    {"path": "/x", "headers": {"X-A: 1\nX-Evil": "1"}},
    {"path": "/x", "headers": {"Authorization": "Bearer other"}},
    {"path": "/x", "headers": {"Host": "evil.example"}},
    {"path": "/x", "headers": {"Transfer-Encoding": "chunked"}},
]


@pytest.mark.parametrize("asked", INJECTIONS, ids=repr)
def test_nothing_is_smuggled_into_a_request(place, asked):
    server = place(tls=False)
    with client(server) as one:
        with pytest.raises((privy.ValidationError, ValueError)):
            one.request("POST", **asked)
        with pytest.raises(privy.ValidationError):
            one.events.ingest("seen", email="row1@example.com", idempotency_key="k\r\nX-Evil: 1")
        with pytest.raises(privy.ValidationError):
            one.contacts.get("cus_1/../../admin?x=1\r\nX-Evil: 1")
    assert server.seen.connections == 0


@pytest.mark.parametrize("token", ["privy_a\r\nX-Evil: 1", "privy_a b", "privy_é"])
def test_a_token_that_breaks_the_line_is_refused(place, token):
    with pytest.raises(privy.PrivyError, match="token must be visible ASCII") as caught:
        privy.Client(token, base_url=place(tls=False).base_url)
    assert token not in str(caught.value)


# ---- HTTP/2: many requests on one connection ----


def asked_at(client: privy.AsyncClient, number: int, **options):
    return client.events.ingest("seen", email=f"row{number}@example.com", **options)


def silent_after_one(wire: Wire) -> None:
    """The first connection answers one request and none after it; others are well."""
    connection = Connection(wire)
    first = not wire.seen.requests
    while (asked := connection.request()) is not None:
        if not first or asked[1].json["email"].startswith("row0@"):
            connection.well(*asked)


def test_calls_leave_a_dead_connection_together(place, folder):
    server = place(silent_after_one, alpn=["h2"])

    async def main() -> list:
        settings = {"ca_bundle": folder / "authority.pem", "max_retries": 1, "timeout": 300}
        async with privy.AsyncClient(TOKEN, base_url=server.base_url, **settings) as client:
            await asked_at(client, 0)
            hasty = asked_at(client, 1, timeout=2)
            return await asyncio.wait_for(asyncio.gather(hasty, *(asked_at(client, n) for n in (2, 3))), 60)

    assert [event.event_id for event in asyncio.run(main())] == ["evt_row1", "evt_row2", "evt_row3"]
    assert server.seen.connections >= 2


def deaf_to_one(wire: Wire) -> None:
    """Answers row1 never, row2 after a while, and all others at once."""
    connection = Connection(wire)
    lock = threading.Lock()

    def later(stream: int, request) -> None:
        with lock:
            connection.well(stream, request)

    while (asked := connection.request()) is not None:
        row = asked[1].json["email"].partition("@")[0]
        if row == "row2":
            threading.Timer(3.0, later, asked).start()
        elif row != "row1":
            later(*asked)


def test_one_slow_response_does_not_cost_the_others_their_connection(place, folder):
    server = place(deaf_to_one, alpn=["h2"])

    async def main() -> list:
        settings = {"ca_bundle": folder / "authority.pem", "max_retries": 0, "timeout": 300}
        async with privy.AsyncClient(TOKEN, base_url=server.base_url, **settings) as client:
            await asked_at(client, 0)
            hasty = asyncio.ensure_future(asked_at(client, 1, timeout=2))
            slow = asyncio.ensure_future(asked_at(client, 2))
            await asyncio.sleep(0.2)
            quick = await asked_at(client, 3)
            with pytest.raises(privy.APITimeoutError):
                await hasty
            return [quick, await slow, await asked_at(client, 4)]

    assert [event.event_id for event in asyncio.run(main())] == ["evt_row3", "evt_row2", "evt_row4"]
    assert server.seen.connections == 1


def test_a_stopped_call_leaves_no_dead_connection(place, folder):
    server = place(silent_after_one, alpn=["h2"])

    async def main() -> privy.EventReceipt:
        settings = {"ca_bundle": folder / "authority.pem", "max_retries": 0, "timeout": 300}
        async with privy.AsyncClient(TOKEN, base_url=server.base_url, **settings) as client:
            await asked_at(client, 0)
            stopped = asyncio.ensure_future(asked_at(client, 1))
            while len(server.seen.requests) < 2:
                await asyncio.sleep(0.01)
            stopped.cancel()
            with pytest.raises(asyncio.CancelledError):
                await stopped
            return await asyncio.wait_for(asked_at(client, 2), 60)

    assert asyncio.run(main()).event_id == "evt_row2"
    assert server.seen.connections == 2
    assert not re.search("row1", repr(server.seen.requests[2:]))


# ---- HTTP/2: what the server reports about a request without a response ----


def post_once(place: Place, folder, code: int) -> privy.Response:
    """A POST of one's own, without a key, to a server that resets its stream once."""

    def serve(wire: Wire) -> None:
        connection = Connection(wire)
        while (asked := connection.request()) is not None:
            if len(wire.seen.requests) > 1:
                connection.well(*asked)
            else:
                connection.reset(asked[0], code)

    server = place(serve, alpn=["h2"])
    with client(server, ca_bundle=folder / "authority.pem", max_retries=1) as one:
        return one.request("POST", "/events", body={"event_type": "seen", "email": "row1@example.com"})


def test_a_write_that_the_server_refused_unread_is_repeated(place, folder):
    assert post_once(place, folder, REFUSED_STREAM).json()["event_id"] == "evt_row1"


def test_a_write_whose_stream_the_server_reset_is_not(place, folder):
    with pytest.raises(privy.APIConnectionError, match="may have been acted on") as caught:
        post_once(place, folder, INTERNAL)
    assert caught.value.attempts == 1
