"""One accepted connection of a fault's server: what it has read, and the ways in which it can misbehave."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

PATIENCE = 60
"""Seconds after which the server gives a client up: longer than any client of the tests waits."""


@dataclass
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict:
        return json.loads(self.body or b"{}")


@dataclass
class Seen:
    """What one opened fault has met."""

    connections: int = 0
    elsewhere: int = 0
    requests: list[Request] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    other_port: int = 0


class Wire:
    def __init__(self, connection: socket.socket, seen: Seen) -> None:
        self.socket = connection
        self.seen = seen
        self._left = b""

    @property
    def count(self) -> int:
        """Requests that the fault has met so far, on all its connections."""
        return len(self.seen.requests)

    def request(self) -> Request | None:
        """The next request, or None once the client has gone."""
        while b"\r\n\r\n" not in self._left:
            if not self._more():
                return None
        head, _, self._left = self._left.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        length = int(headers.get("content-length", 0))
        while len(self._left) < length:
            if not self._more():
                return None
        request = Request(method, target, headers, self._left[:length])
        self._left = self._left[length:]
        self.seen.requests.append(request)
        return request

    def head(self) -> None:
        """Takes a request's headers and leaves its body unread."""
        while b"\r\n\r\n" not in self._left:
            if not self._more():
                return
        method, target, _ = self._left.split(b"\r\n")[0].decode("latin-1").split(" ", 2)
        self.seen.requests.append(Request(method, target, {}, b""))

    def read(self, count: int) -> bytes:
        """So many bytes; ValueError once the client has gone."""
        while len(self._left) < count:
            if not self._more():
                raise ValueError("the client has gone")
        taken, self._left = self._left[:count], self._left[count:]
        return taken

    def _more(self) -> bool:
        try:
            got = self.socket.recv(65536)
        except OSError:
            return False
        self._left += got
        return bool(got)

    def send(self, data: bytes | str) -> bool:
        """Whether the data went out whole."""
        try:
            self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)
        except OSError:
            return False
        return True

    def trickle(self, data: bytes | str, pause: float = 0.02) -> None:
        """Sends a byte at a time, for as long as there are any and the client listens."""
        for byte in data.encode("latin-1") if isinstance(data, str) else data:
            if self.seen.stopped.wait(pause) or not self.send(bytes([byte])):
                return

    def repeat(self, data: bytes) -> None:
        """Sends the same for as long as the client takes it."""
        ends = time.monotonic() + PATIENCE
        while not self.seen.stopped.is_set() and time.monotonic() < ends and self.send(data):
            pass

    def stall(self) -> None:
        """Says nothing more, and keeps the connection open until the client goes."""
        while self._more():
            pass

    def reset(self) -> None:
        """Ends the connection with a TCP reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def listen(handle: Callable[[socket.socket], None], seen: Seen, address: str = "127.0.0.1") -> int:
    """Accepts in the background until the fault is closed, each connection on a thread; returns the port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, 0), family=family, backlog=64)
    listener.settimeout(0.2)

    def serve(connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        with connection, contextlib.suppress(OSError, ValueError):  # most faults are there to make the client break off
            handle(connection)

    def accept() -> None:
        with listener:
            while not seen.stopped.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]
