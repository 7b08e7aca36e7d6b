"""`privy doctor` with servers that speak TLS: certificates that are right or wrong, proxies, and other clocks."""

from __future__ import annotations

import http.server
import ssl
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import privy as package
import pytest
from command import Done, privy

sys.path.insert(0, str(Path(__file__).parents[1] / "faults"))

import certificates


class Front(http.server.BaseHTTPRequestHandler):
    """Hands each request on to the sandbox at ``target``."""

    target = ""

    def do_GET(self) -> None:
        request = urllib.request.Request(self.target + self.path, headers=dict(self.headers.items()))
        with urllib.request.urlopen(request) as response:
            content = response.read()
            self.send_response_only(response.status)
            for name, value in response.headers.items():
                if name.lower() not in ("connection", "transfer-encoding"):
                    self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *values: object) -> None:
        pass


class Host:
    """A machine with certificates, and a sandbox that servers in front of it reach."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.ca = certificates.make(folder)
        self.sandbox = package.Sandbox()
        self.sandbox.set_limits(60, 10_000)
        self.url = stack.enter_context(self.sandbox.serve())
        self._stack = stack

    def port_of(self, certificate: str | None) -> int:
        """The port of a server with this certificate; None: one without TLS."""
        front = type("FrontOf", (Front,), {"target": self.url.removesuffix("/v1")})
        server = self._stack.enter_context(serving(front, self._context(certificate)))
        return int(server.server_address[1])

    def _context(self, certificate: str | None) -> ssl.SSLContext | None:
        if certificate is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{certificate}.pem", self.folder / f"{certificate}.key")
        return context

    def doctor(self, port: int, **variables: str) -> tuple[Done, dict[str, dict[str, str]]]:
        """What doctor says of the server at a port, and its checks by name."""
        env = {
            "PRIVY_BASE_URL": f"https://localhost:{port}/v1",
            "PRIVY_API_TOKEN": self.sandbox.token,
            "SSL_CERT_FILE": str(self.ca),
            **variables,
        }
        done = privy("doctor", "--json", env=env)
        return done, {check["name"]: check for check in done.json["checks"]}


@contextmanager
def serving(handler: Any, context: ssl.SSLContext | None) -> Iterator[http.server.ThreadingHTTPServer]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with ExitStack() as stack:
        yield Host(tmp_path, stack)


def test_a_trusted_certificate(host):
    done, checks = host.doctor(host.port_of("good"))
    assert done.code == 0, done
    assert {check["status"] for check in checks.values()} == {"ok"}
    assert checks["CA file"]["text"] == f"{host.ca} (SSL_CERT_FILE)"
    assert ", TLS " in checks["network"]["text"]
    assert checks["budget"]["text"].startswith("59 of 60 of the minute")


@pytest.mark.parametrize(
    ("certificate", "hint"),
    [
        ("self_signed", "set SSL_CERT_FILE to a PEM file with the certificate of the company"),
        ("expired", "check the date and the time of this machine"),
        ("wrong_host", "another server has answered"),
        (None, "this server does not use TLS on this port"),
    ],
)
def test_a_wrong_certificate(host, certificate, hint):
    done, checks = host.doctor(host.port_of(certificate))
    assert done.code == 1
    assert checks["network"]["status"] == "fail"
    assert hint in checks["network"]["hint"]
    assert "access" not in checks
    assert host.sandbox.counts.requests == 0


def test_an_authority_that_is_not_trusted(host):
    other = host.folder / "other"
    other.mkdir()
    done, checks = host.doctor(host.port_of("good"), SSL_CERT_FILE=str(certificates.make(other)))
    assert done.code == 1
    assert "the certificate is not trusted: see the line CA file" in checks["network"]["hint"]


def test_a_file_of_certificates_that_is_missing(host):
    done, checks = host.doctor(host.port_of("good"), SSL_CERT_FILE=str(host.folder / "missing.pem"))
    assert done.code == 1
    assert checks["settings"]["hint"] == "set SSL_CERT_FILE to a file of certificates in PEM form, or unset it"


def test_a_proxy_that_refuses(host):
    proxy = f"http://jane:secret@127.0.0.1:{host.port_of(None)}"
    done, checks = host.doctor(host.port_of("good"), https_proxy=proxy)
    assert done.code == 1
    assert "the proxy refuses the connection: check https_proxy" in checks["network"]["hint"]
    assert "secret" not in done.out + done.err


def test_a_name_that_does_not_exist(host):
    done, checks = host.doctor(443, PRIVY_BASE_URL="https://nowhere.invalid/v1")
    assert done.code == 1
    assert "the name cannot be resolved" in checks["network"]["hint"]
    _, checks = host.doctor(443, https_proxy="http://nowhere.invalid:3128")
    assert checks["network"]["hint"] == "the name of the proxy cannot be resolved: check https_proxy"


def test_a_clock_that_differs(host):
    host.sandbox.set_clock(1_800_000_000)
    done, checks = host.doctor(host.port_of("good"))
    assert done.code == 0
    assert checks["clock"]["status"] == "warn"
    assert "the server's" in checks["clock"]["text"]
