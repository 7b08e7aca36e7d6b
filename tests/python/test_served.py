"""The sandbox over HTTP: the WSGI application, its server, and the program."""

from __future__ import annotations

import http.client
import io
import json
import signal
import socket
import subprocess
import sys
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import privy
import pytest
from privy.sandbox import app
from support import TOKEN, served

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


def test_the_application_answers_as_the_sandbox_does():
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


class Quiet(WSGIRequestHandler):
    def log_message(self, format, *args):
        pass


def test_another_server_can_serve_it(sandbox):
    import threading

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


def test_an_answer_to_head_has_no_body(sandbox):
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


def test_odd_requests(sandbox):
    with served(sandbox) as server:
        assert b" 411 " in exchange(
            server, b"POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        assert b" 411 " in exchange(server, b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n")
        assert b" 413 " in exchange(
            server, b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
        )
        assert b" 501 " in exchange(server, b"BREW /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 401 " in exchange(server, b"GET /v1/contacts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")


def test_faults_break_the_connection(sandbox):
    request = f"GET /v1/contacts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    with served(sandbox) as server:
        sandbox.fail(drop=True)
        assert exchange(server, request) == b""
        sandbox.fail(truncate=True)
        head, _, body = exchange(server, request).partition(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        assert 0 < len(body) < length


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_program(number):
    with Program("--port", "0") as program:
        where, token = program.lines
        base_url = where.removeprefix("privy sandbox: ").strip()
        assert where.startswith("privy sandbox: http://127.0.0.1:")
        assert urlsplit(base_url).path == "/v1"
        assert token == f"token: {TOKEN}\n"
        with privy.Client(token.split()[1], base_url=base_url) as client:
            client.contacts.create(email="a@b.c")
            assert client.contacts.list().total_count == 1
            output, errors = program.stop(number)
        assert (output, errors, program.process.returncode) == ("", "", 0)


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
