"""Servers of ours for tests that make clients themselves: plain or with TLS, with or without a proxy in front."""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Callable
from pathlib import Path

import proxies
from wire import Seen, Wire, listen


def tls(folder: Path, name: str = "good") -> ssl.SSLContext:
    """The server's side of TLS, with this certificate of the folder."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


def old_tls(folder: Path) -> ssl.SSLContext:
    """One that speaks nothing newer than TLS 1.1."""
    context = tls(folder)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def _dressed(connection: socket.socket, context: ssl.SSLContext | None) -> socket.socket:
    return context.wrap_socket(connection, server_side=True) if context else connection


class Place:
    """A server, and a proxy in front of it that counts the connections through it."""

    def __init__(
        self,
        serve: Callable[[Wire], None],
        context: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        through: proxies.Through | None = None,
        proxy_context: ssl.SSLContext | None = None,
    ) -> None:
        self.seen = Seen()
        self.through = 0

        def handle(connection: socket.socket) -> None:
            self.seen.connections += 1
            with _dressed(connection, context) as kept:
                serve(Wire(kept, self.seen))

        def pass_on(connection: socket.socket) -> None:
            with _dressed(connection, proxy_context) as kept:
                self.through += 1
                assert through is not None
                through(Wire(kept, Seen()), self.port)

        self.port = listen(handle, self.seen)
        self.base_url = f"{'https' if context else 'http'}://{host}:{self.port}/v1"
        self.proxy = f"{proxies.USER}:{proxies.PASSWORD}@127.0.0.1:{listen(pass_on, self.seen)}" if through else ""
