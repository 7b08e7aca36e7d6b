"""Faults of names, connections, TLS and proxies: what goes wrong before a request is even read."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wire import Wire


@dataclass
class Fault:
    """How a fault is served: what is done with a connection, and what it is dressed in before."""

    serve: Callable[[Wire], None] | None = None
    dress: Callable[[socket.socket, Path], socket.socket] | None = None
    secure: bool = False
    proxied: bool = False
    place: Callable[[], tuple[str, list[socket.socket]]] | None = None
    """Instead of a server: the base URL, and the sockets that make it what it is."""
    host: str = "127.0.0.1"
    """What the base URL calls the server."""
    proxy: tuple[str, Callable[[Wire, int], None]] | None = None
    """A proxy to be given to the client: its scheme, and what it does with a connection and the server's port."""


FAULTS: dict[str, Fault] = {}


# ---- no server ----


def _nowhere() -> tuple[str, list[socket.socket]]:
    return "https://nowhere.invalid/v1", []


def _refused() -> tuple[str, list[socket.socket]]:
    """A port that is taken but not listened at."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    return f"http://127.0.0.1:{taken.getsockname()[1]}/v1", [taken]


def _full() -> tuple[str, list[socket.socket]]:
    """A queue of connections that is full and never emptied: the kernel drops further connections."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    port = listener.getsockname()[1]
    crowd = [socket.socket() for _ in range(4)]
    for one in crowd:
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))
    return f"http://127.0.0.1:{port}/v1", [listener, *crowd]


FAULTS["name_lookup_failure"] = Fault(place=_nowhere)
FAULTS["connection_refused"] = Fault(place=_refused)
FAULTS["black_hole"] = Fault(place=_full)
FAULTS["reset_on_accept"] = Fault(serve=Wire.reset)


# ---- TLS ----


def _context(folder: Path, leaf: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{leaf}.pem", folder / f"{leaf}.key")
    return context


def tls(leaf: str, *protocols: str) -> Callable[[socket.socket, Path], socket.socket]:
    """TLS as it should be, but for the certificate."""

    def dress(connection: socket.socket, folder: Path) -> socket.socket:
        context = _context(folder, leaf)
        context.set_alpn_protocols(list(protocols) or ["http/1.1"])
        return context.wrap_socket(connection, server_side=True)

    return dress


def _only(version: ssl.TLSVersion) -> Callable[[socket.socket, Path], socket.socket]:
    def dress(connection: socket.socket, folder: Path) -> socket.socket:
        context = _context(folder, "good")
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        return context.wrap_socket(connection, server_side=True)

    return dress


def _accepted(name: str) -> str:
    body = f'{{"event_id":"evt_{name}","status":"accepted"}}'
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}"


def _accept(wire: Wire, and_forge: bool = False) -> None:
    while (request := wire.request()) is not None:
        wire.send(_accepted(request.json["email"].split("@")[0]))
        if and_forge:
            wire.seen.stopped.wait(0.05)
            wire.send(_accepted("forged"))


def _say(data: bytes) -> Callable[[Wire], None]:
    def serve(wire: Wire) -> None:
        wire.socket.recv(65536)
        wire.send(data)

    return serve


FAULTS["ipv6"] = Fault(_accept, host="[::1]")
FAULTS["ipv6_tls"] = Fault(_accept, tls("good"), secure=True, host="[::1]")
FAULTS["certificate_good"] = Fault(_accept, tls("good"), secure=True)
FAULTS["tls_garbage_while_idle"] = Fault(lambda wire: _accept(wire, and_forge=True), tls("good"), secure=True)
for name in ("expired", "self_signed", "wrong_host"):
    FAULTS[f"certificate_{name}"] = Fault(_accept, tls(name), secure=True)
FAULTS["tls_1_0_only"] = Fault(_accept, _only(ssl.TLSVersion.TLSv1), secure=True)
FAULTS["tls_1_1_only"] = Fault(_accept, _only(ssl.TLSVersion.TLSv1_1), secure=True)
FAULTS["tls_stalls"] = Fault(Wire.stall, secure=True)
FAULTS["tls_closed"] = Fault(_say(b""), secure=True)
FAULTS["plain_http_on_the_tls_port"] = Fault(
    _say(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), secure=True
)
FAULTS["tls_record_garbage"] = Fault(_say(b"\x16\x03\x03\x00\x40" + bytes(range(64))), secure=True)


# ---- proxies ----


def _proxy_says(answer: str) -> Callable[[Wire], None]:
    def serve(wire: Wire) -> None:
        wire.send(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    return serve


FAULTS["proxy_refuses"] = Fault(_proxy_says("403 Forbidden"), proxied=True)
FAULTS["proxy_asks_for_a_password"] = Fault(
    _proxy_says('407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"'), proxied=True
)
FAULTS["proxy_cannot_reach"] = Fault(_proxy_says("502 Bad Gateway"), proxied=True)
FAULTS["proxy_stalls"] = Fault(Wire.stall, proxied=True)
FAULTS["proxy_resets"] = Fault(Wire.reset, proxied=True)
