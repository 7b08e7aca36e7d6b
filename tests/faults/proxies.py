"""Proxies of our own, HTTP CONNECT and SOCKS5, that want a password and let through, or do not."""

from __future__ import annotations

import base64
import select
import socket
from collections.abc import Callable

from answers import echo
from connections import Fault, tls
from wire import PATIENCE, Wire

USER, PASSWORD = "proxy-user", "a-secret-of-the-tests"
NAMED = "fault.invalid"
"""A host that only the proxy knows; its certificate is the good one."""

FAULTS: dict[str, Fault] = {}

Through = Callable[[Wire, int], None]
"""What a proxy does with a connection, given the port of the server that is asked for."""


def well(wire: Wire) -> None:
    while (request := wire.request()) is not None:
        body = echo(request)
        wire.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}")


def tunnel(wire: Wire, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as server:
        other = {wire.socket: server, server: wire.socket}
        while True:
            ready, _, _ = select.select(list(other), [], [], PATIENCE)
            for one in ready:
                data = one.recv(65536)
                if not data:
                    return
                other[one].sendall(data)
            if not ready:
                return


def proxied(name: str, scheme: str, through: Through, host: str = NAMED) -> None:
    FAULTS[name] = Fault(well, tls("good"), secure=True, host=host, proxy=(scheme, through))


# ---- HTTP CONNECT ----


def connect(wire: Wire, port: int, password: str = PASSWORD) -> None:
    request = wire.request()
    if request is None:
        return
    allowed = "Basic " + base64.b64encode(f"{USER}:{password}".encode()).decode()
    if request.method != "CONNECT" or request.headers.get("proxy-authorization") != allowed:
        challenge = 'Proxy-Authenticate: Basic realm="x"'
        wire.send(f"HTTP/1.1 407 Refused\r\n{challenge}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    elif request.target != f"{NAMED}:{port}" or "authorization" in request.headers:
        wire.send("HTTP/1.1 400 Wrong\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    else:
        wire.send("HTTP/1.1 200 Connection established\r\n\r\n")
        tunnel(wire, port)


proxied("proxy_well", "http", connect)
proxied("proxy_password_wrong", "http", lambda wire, port: connect(wire, port, "another"))


# ---- SOCKS5, by RFC 1928 and RFC 1929 ----

PASSWORD_METHOD = 2
IPV4, NAME, IPV6 = 1, 3, 4
GRANTED, NOT_ALLOWED, UNREACHABLE, WRONG_KIND = 0, 2, 4, 8


def enter(wire: Wire, password: str) -> bool:
    """Asks for user and password; whether they are right."""
    version, methods = wire.read(2)
    if version != 5 or PASSWORD_METHOD not in wire.read(methods):
        wire.send(b"\x05\xff")
        return False
    wire.send(bytes([5, PASSWORD_METHOD]))
    user = wire.read(wire.read(2)[1])
    right = user == USER.encode() and wire.read(wire.read(1)[0]) == password.encode()
    wire.send(bytes([1, 0 if right else 1]))
    return right


def asked_for(wire: Wire) -> tuple[int, bytes, int]:
    """Kind of address, address and port."""
    kind = wire.read(4)[3]
    address = wire.read(wire.read(1)[0] if kind == NAME else {IPV4: 4, IPV6: 16}[kind])
    return kind, address, int.from_bytes(wire.read(2), "big")


def socks(*kinds: int, reply: int = GRANTED, password: str = PASSWORD) -> Through:
    """A proxy that takes addresses of these kinds and answers every wish with `reply`."""

    def through(wire: Wire, port: int) -> None:
        if not enter(wire, password):
            return
        kind, address, wanted = asked_for(wire)
        right = kind in kinds and wanted == port and (kind != NAME or address == NAMED.encode())
        code = reply if right else WRONG_KIND
        wire.send(bytes([5, code, 0, IPV4]) + bytes(6))
        if code == GRANTED:
            tunnel(wire, port)

    return through


proxied("socks5_well", "socks5", socks(IPV4, IPV6), "localhost")
proxied("socks5h_well", "socks5h", socks(NAME))
proxied("socks5_password_wrong", "socks5h", socks(NAME, password="another"))
proxied("socks5_refuses", "socks5h", socks(NAME, reply=NOT_ALLOWED))
proxied("socks5_cannot_reach", "socks5h", socks(NAME, reply=UNREACHABLE))
proxied("socks5_stalls", "socks5h", lambda wire, port: wire.stall())
proxied("socks5_closed", "socks5h", lambda wire, port: None)
proxied("socks5_speaks_http", "socks5h", lambda wire, port: wire.send("HTTP/1.1 400 Bad Request\r\n\r\n") and None)
