"""The sandbox over HTTP: the WSGI application, its server, and the program."""

from __future__ import annotations

import contextlib
import errno
import http.client
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import privy
import pytest
from privy import _core
from privy.sandbox import app
from privy.sandbox._server import Server
from support import TOKEN, served, until

AUTHORIZED = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}


def ask(application, method, path, body=b"", query="", headers=AUTHORIZED):
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "CONTENT_LENGTH": str(len(body))}
    environ["wsgi.input"] = io.BytesIO(body)
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    environ["SCRIPT_NAME"] = ""
    setup_testing_defaults(environ)
    started = []
    chunks = application(environ, lambda status, fields, exc_info=None: started.append((status, fields)))
    body = b"".join(chunks)
    if hasattr(chunks, "close"):
        chunks.close()
    return started[0][0], dict(started[0][1]), body


def test_the_application_follows_wsgi(sandbox):
    application = validator(app(sandbox))
    status, headers, body = ask(application, "POST", "/v1/contacts", b'{"email":"jane@example.com"}')
    assert status == "201 Created"
    assert int(headers["Content-Length"]) == len(body)
    status, _, body = ask(application, "GET", "/contacts", query="email=jane%40example.com")
    assert status == "200 OK"
    assert json.loads(body)["pagination"]["total_count"] == 1
    assert ask(application, "GET", "/contacts", headers={})[0] == "401 Unauthorized"


def test_the_application_returns_the_responses_of_the_sandbox():
    one, two = privy.Sandbox(), privy.Sandbox()
    for sandbox in (one, two):
        sandbox.set_clock(1_800_000_000)
    application = app(two)
    for method, path, body in (
        ("POST", "/contacts", b'{"email":"jane@example.com"}'),
        ("POST", "/contacts", b'{"email":"nobody"}'),
        ("GET", "/contacts/cus_0000000000000000", b""),
        ("GET", "/nowhere", b""),
        ("POST", "/events", b"{"),
    ):
        direct = one.handle(method, path, AUTHORIZED, body)
        status, headers, answer = ask(application, method, path, body)
        assert status.startswith(str(direct.status))
        assert {name for name, _ in direct.headers} <= set(headers)
        assert shape(answer) == shape(direct.body)


def shape(body):
    value = json.loads(body)
    return {key: sorted(inner) if isinstance(inner, dict) else inner for key, inner in value.items()}


def test_a_server_of_the_user_s_own_decides_about_hosts_and_methods(sandbox):
    application = validator(app(sandbox))
    headers = {**AUTHORIZED, "Host": "shop.example", "Origin": "https://page.example"}
    assert ask(application, "GET", "/v1/contacts", headers=headers)[0] == "200 OK"
    status, _, body = ask(app(sandbox), "TRACE", "/v1/contacts")
    assert (status, json.loads(body)["error"]["code"]) == ("404 Not Found", "not_found")


class Quiet(WSGIRequestHandler):
    def log_message(self, format, *args):
        pass


def test_another_server_can_serve_it(sandbox):
    with make_server("127.0.0.1", 0, app(sandbox), handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        client = privy.Client(TOKEN, base_url=f"http://127.0.0.1:{server.server_port}/v1")
        jane = client.contacts.create(email="jane@example.com")
        assert client.contacts.get(jane.id) == jane
        server.shutdown()
        thread.join(120)


def test_connections_are_kept(sandbox):
    with served(sandbox) as server:
        connection = http.client.HTTPConnection(*server.server_address, timeout=120)
        connection.request("GET", "/v1/contacts", headers=AUTHORIZED)
        first = connection.getresponse()
        first.read()
        held = connection.sock
        connection.request("POST", "/v1/contacts", b'{"email":"a@b.c"}', AUTHORIZED)
        second = connection.getresponse()
        assert second.status == 201
        second.read()
        assert connection.sock is held
        connection.close()


def test_a_response_to_head_has_no_body(sandbox):
    with served(sandbox) as server:
        connection = http.client.HTTPConnection(*server.server_address, timeout=120)
        for _ in range(2):
            connection.request("HEAD", "/v1/contacts", headers=AUTHORIZED)
            assert connection.getresponse().read() == b""
        connection.close()


def exchange(server, text):
    with socket.create_connection(server.server_address, timeout=120) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received


POST = b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\n"
GET = b"GET /v1/contacts HTTP/1.1\r\n"
BEARER = f"Authorization: Bearer {TOKEN}\r\n".encode()


def refusal(answer):
    """Status and code of an answer, which is in the API's envelope."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Type: application/json" in head
    error = json.loads(body)["error"]
    assert error["message"]
    return int(head.split()[1]), error["code"]


@pytest.mark.parametrize(
    ("request_text", "expected"),
    [
        (POST + b"Transfer-Encoding: chunked\r\n\r\n", (411, "length_required")),
        (POST + b"Content-Length: -5\r\n\r\n", (400, "bad_request")),
        (POST + b"Content-Length: 99999999999\r\n\r\n", (413, "payload_too_large")),
        (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", (400, "bad_request")),
        (b"GET / HTTP/1.1\nHost: localhost\n\n", (400, "bad_request")),
        (b"what is this\r\n\r\n", (400, "bad_request")),
        (GET + b"\r\n", (400, "bad_request")),
        (GET + b"Host: localhost\r\n" + b"X: y\r\n" * 9999 + b"\r\n", (431, "headers_too_large")),
        (GET + b"Host: localhost\r\n\r\n", (401, "unauthorized")),
        (b"TRACE /v1/events HTTP/1.1\r\nHost: localhost\r\n" + BEARER + b"\r\n", (404, "not_found")),
        (b"BREW /v1/contacts HTTP/1.1\r\nHost: localhost\r\n" + BEARER + b"\r\n", (404, "not_found")),
        (b"BREW /v1/contacts HTTP/1.1\r\nHost: localhost\r\n\r\n", (401, "unauthorized")),
        (GET + b"Host: rebound.example\r\n" + BEARER + b"\r\n", (421, "misdirected_request")),
        (GET + b"Host: localhost\r\nOrigin: https://page.example\r\n" + BEARER + b"\r\n", (403, "foreign_origin")),
    ],
)
def test_what_is_refused_is_refused_as_the_api_does(sandbox, request_text, expected):
    with served(sandbox) as server:
        assert refusal(exchange(server, request_text)) == expected


def test_other_host_names_are_allowed_by_name(sandbox):
    with served(sandbox, allowed_hosts=["privy", "shop.test"]) as server:
        for name in (b"privy:8089", b"Shop.Test"):
            assert b" 200 OK" in exchange(server, GET + b"Host: " + name + b"\r\n" + BEARER + b"\r\n")
        assert refusal(exchange(server, GET + b"Host: other\r\n\r\n"))[0] == 421


def test_a_container_is_reached_by_plain_http(sandbox):
    with served(sandbox, host="0.0.0.0") as server:
        url = f"http://0.0.0.0:{server.server_address[1]}/v1"  # not loopback by its name, and reached on every machine
        with pytest.raises(privy.PrivyError, match="must be https"):
            privy.Client(TOKEN, base_url=url)
        with pytest.raises(privy.PrivyError, match="the sandbox's own token"):
            privy.Client("privy_" + "0" * 40, base_url=url, allow_plain_http=True)
        with privy.Client(TOKEN, base_url=url, allow_plain_http=True) as client:
            assert client.contacts.create(email="a@b.c").email == "a@b.c"
        credentials = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
        with privy.Client(**credentials, base_url=url, allow_plain_http=True) as client:
            assert client.contacts.list().total_count() == 1


def connect(server):
    return socket.create_connection(server.server_address, timeout=30)


def test_threads_are_bounded_and_the_longest_idle_connection_makes_room(sandbox):
    assert _core.SANDBOX_CONNECTIONS == 256
    with served(sandbox) as server:
        server._connections.most = 4
        before = threading.active_count()
        request = GET + b"Host: localhost\r\n" + BEARER + b"\r\n"
        idle = [connect(server) for _ in range(4)]

        def is_idle_last(connection):
            *_, (last, waits) = server._connections._open.copy().items()
            return waits and last.getpeername() == connection.getsockname()

        until(lambda: list(server._connections._open.values()) == [True] * 4)
        for connection in idle:
            connection.sendall(request)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
            until(lambda connection=connection: is_idle_last(connection))
        with connect(server) as one_more:
            one_more.sendall(request)
            assert one_more.recv(65536).startswith(b"HTTP/1.1 200 ")
            assert idle[0].recv(1) == b""
            for connection in idle[1:]:
                connection.sendall(request)
                assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
            assert threading.active_count() <= before + 5
        for connection in idle:
            connection.close()


def test_half_open_connections_do_not_pile_up(sandbox):
    with served(sandbox) as server:
        server._connections.most = 4
        half = [connect(server) for _ in range(4)]
        until(lambda: list(server._connections._open.values()) == [True] * 4)  # new ones count as busy for a moment
        for connection in half:
            connection.sendall(b"GET /v1/contacts HTTP/1.1\r\nHost: localhost\r\nX: ")
        until(lambda: list(server._connections._open.values()) == [False] * 4)
        with connect(server) as refused:
            received = b""
            while chunk := refused.recv(65536):
                received += chunk
        assert refusal(received) == (503, "service_unavailable")
        half[0].close()
        until(lambda: len(server._connections._open) < 4)
        assert refusal(exchange(server, GET + b"Host: localhost\r\n\r\n"))[0] == 401
        for connection in half:
            connection.close()


def test_a_request_that_trickles_in_is_given_up(sandbox):
    with served(sandbox, kind=Hasty) as server, connect(server) as connection:
        connection.sendall(b"GET /v1/contacts HTTP/1.1\r\n")
        with contextlib.suppress(OSError):  # once the server has given up
            for _ in range(300):
                connection.sendall(b"X: y\r\n")
                time.sleep(0.01)
                if select.select([connection], [], [], 0)[0]:
                    break
        assert refusal(connection.recv(65536)) == (408, "request_timeout")
        assert sandbox.counts.requests == 0


class Hasty(Server):
    """Its clock runs a hundred times faster."""

    def now(self):
        return super().now() * 100


def test_injected_faults_break_the_connection(sandbox):
    request = f"GET /v1/contacts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    with served(sandbox) as server:
        sandbox.fail(drop=True)
        assert exchange(server, request) == b""
        sandbox.fail(truncate=True)
        head, _, body = exchange(server, request).partition(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        assert 0 < len(body) < length


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as one:
            return one.connect_ex(("::1", 9)) == errno.ECONNREFUSED
    except OSError:
        return False


class Program:
    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "privy.sandbox", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        self.lines = [self.process.stdout.readline(), self.process.stdout.readline()]
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=120)

    def stop(self, number):
        self.process.send_signal(number)
        return self.process.communicate(timeout=120)


def test_the_program_sets_limits_and_injects_faults():
    flags = [
        "--port",
        "0",
        "--limits",
        "60/10000/5",
        "--seed",
        "shop:20",
        "--fail",
        "503:2@contacts.create",
        "--fail",
        "truncate",
    ]
    with Program(*flags) as program:
        base_url = program.lines[0].removeprefix("privy sandbox: ").strip()
        with privy.Client(TOKEN, base_url=base_url, max_retries=0) as client:
            with pytest.raises(privy.APIConnectionError):
                client.contacts.list().total_count()
            for _ in range(2):
                with pytest.raises(privy.ServerError):
                    client.contacts.create(email="a@b.c")
            client.contacts.create(email="a@b.c")
            assert client.contacts.list().total_count() == 21
            assert (client.rate_limit.minute.limit, client.rate_limit.day.limit) == (60, 10000)
            assert client.rate_limit.minute.resets_at.timestamp() < time.time() + 6


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--limits", "60/x"], "--limits must be on, off or PER_MINUTE[/PER_DAY[/WINDOW]], such as 60/10000/60"),
        (["--fail", "200"], "--fail must be STATUS[:COUNT][@OPERATION], such as 503:3@orders.upsert"),
        (["--fail", "503@orders.upsrt"], "--fail must name one of the operations contacts.list, "),
        (["--seed", "shoe:5"], '--seed must be KIND[:CONTACTS[:SEED]], such as shop:5000:7, not "shoe:5": there is no'),
        (["--port", "many"], "--port"),
        (["extra"], "extra"),
    ],
)
def test_wrong_flags_exit_with_2(flags, message):
    done = subprocess.run([sys.executable, "-m", "privy.sandbox", *flags], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr.splitlines()[-1]


def test_the_help_fits_80_columns():
    command = [sys.executable, "-m", "privy.sandbox", "--help"]
    done = subprocess.run(
        command, env=os.environ | {"COLUMNS": "80"}, capture_output=True, text=True, timeout=120, check=True
    )
    assert max(map(len, done.stdout.splitlines())) <= 80
    for flag in ("--host", "--port", "--allow-host", "--limits", "--seed", "--fail"):
        assert f"  {flag} " in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_program_serves_until_a_signal(number):
    with Program("--port", "0") as program:
        where, token = program.lines
        base_url = where.removeprefix("privy sandbox: ").strip()
        assert where.startswith("privy sandbox: http://127.0.0.1:")
        assert urlsplit(base_url).path == "/v1"
        assert token == f"token: {TOKEN}\n"
        with privy.Client(token.split()[1], base_url=base_url) as client:
            client.contacts.create(email="a@b.c")
            assert client.contacts.list().total_count() == 1
            output, errors = program.stop(number)
        assert (output, errors, program.process.returncode) == ("", "", 0)


def test_the_program_warns_when_other_machines_can_reach_it():
    with Program("--host", "0.0.0.0", "--port", "0", "--allow-host", "privy") as program:
        base_url = program.lines[0].removeprefix("privy sandbox: ").strip()
        assert base_url.startswith("http://127.0.0.1:")
        with privy.Client(TOKEN, base_url=base_url) as client:
            client.contacts.create(email="a@b.c")
        host, port = urlsplit(base_url).hostname, urlsplit(base_url).port
        for name, status in (("privy", 200), ("other", 421)):
            connection = http.client.HTTPConnection(host, port, timeout=30)
            connection.request("GET", "/v1/contacts", headers={**AUTHORIZED, "Host": name})
            assert connection.getresponse().status == status
            connection.close()
        _, errors = program.stop(signal.SIGTERM)
    assert "listening on '0.0.0.0': every machine that reaches this one can use the sandbox" in errors


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_the_program_serves_ipv6():
    with Program("--host", "::1", "--port", "0") as program:
        base_url = program.lines[0].removeprefix("privy sandbox: ").strip()
        assert base_url.startswith("http://[::1]:")
        with privy.Client(TOKEN, base_url=base_url) as client:
            assert client.contacts.create(email="a@b.c").email == "a@b.c"
        assert program.stop(signal.SIGTERM)[1] == ""


def test_the_program_says_when_a_port_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = str(held.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "privy.sandbox", "--port", port],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr
