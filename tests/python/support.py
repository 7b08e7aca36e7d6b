"""Helpers of several tests: servers on real sockets, and the tables."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import privy
import pytest
from privy import _core
from privy.sandbox._server import Server

SCHEMA = _core.schema()
PROMPT = 20.0
"""Seconds that a slow machine may take for what should happen at once; a call that blocks would take a minute or
more."""
DEEP = os.environ.get("PRIVY_DEEP") == "1"
"""Random tests run at length."""
TOKEN = privy.Sandbox.token


@dataclass
class Request:
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None


@dataclass
class Reply:
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | str = b'{"data": {}}'
    raw: bytes | None = None
    close: bool = False

    def bytes(self) -> bytes:
        if self.raw is not None:
            return self.raw
        body = self.body.encode() if isinstance(self.body, str) else self.body
        lines = [f"HTTP/1.1 {self.status} Answer"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.status != 204:
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join(lines).encode() + b"\r\n\r\n"
        return head + (b"" if self.status == 204 else body)


class Recorder:
    """An HTTP server on a real socket. Records every request; `answer` returns the replies."""

    def __init__(self, answer: Callable[[Request], Reply] | None = None) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.answer = answer or (lambda request: Reply())
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._socket.settimeout(0.1)
        self._open = True
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def client(self, **settings: object) -> privy.Client:
        settings.setdefault("max_retries", 0)
        return privy.Client(TOKEN, base_url=self.base_url, **settings)  # type: ignore[arg-type]

    def close(self) -> None:
        self._open = False
        self._thread.join(60)
        self._socket.close()

    def _accept(self) -> None:
        while self._open:
            with contextlib.suppress(TimeoutError):
                connection, _ = self._socket.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(300)
        with connection, contextlib.suppress(OSError), connection.makefile("rb") as stream:
            while (request := read_request(stream)) is not None:
                request.target = request.target.removeprefix("/v1")
                self.requests.append(request)
                reply = self.answer(request)
                connection.sendall(reply.bytes())
                if reply.close:
                    return


def read_request(stream) -> Request | None:
    line = stream.readline().decode("latin-1").strip()
    if not line:
        return None
    method, target, _ = line.split(" ", 2)
    headers = []
    while header := stream.readline().decode("latin-1").rstrip("\r\n"):
        name, _, value = header.partition(":")
        headers.append((name, value.strip()))
    request = Request(method, target, headers, b"")
    request.body = stream.read(int(request.header("Content-Length") or 0))
    return request


@contextlib.contextmanager
def recording(answer: Callable[[Request], Reply] | None = None) -> Iterator[Recorder]:
    recorder = Recorder(answer)
    try:
        yield recorder
    finally:
        recorder.close()


@contextlib.contextmanager
def served(sandbox: privy.Sandbox, kind: type[Server] = Server, **settings: object) -> Iterator[Server]:
    server = kind(sandbox, **settings)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(60)
        server.server_close()


def until(holds: Callable[[], object]) -> None:
    """Waits until a condition holds, however slow the machine."""
    ends = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < ends, "the condition did not become true"
        time.sleep(0.002)


async def eventually(holds: Callable[[], object]) -> None:
    """The same in an event loop."""
    ends = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < ends, "the condition did not become true"
        await asyncio.sleep(0.002)


def assert_ctrl_c_is_prompt(ask: Callable[[], object]) -> None:
    """Ctrl-C ends `ask` about as fast as it ends a sleep on this machine. Otherwise `ask` must wait for minutes."""
    taken, asleep = ctrl_c_latency(ask), ctrl_c_latency(lambda: time.sleep(300))
    assert taken < 0.1 + 10 * asleep, (taken, asleep)


def ctrl_c_latency(ask: Callable[[], object], tries: int = 9) -> float:
    """Seconds from a Ctrl-C to its KeyboardInterrupt while `ask` waits: the median of the tries."""
    taken = []
    for number in range(tries):
        sent: list[float] = []

        def interrupt(sent: list[float] = sent) -> None:
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

        timer = threading.Timer(0.1 + number * 0.007, interrupt)  # at another moment of the wait each time
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            ask()
        taken.append(time.monotonic() - sent[0])
        timer.join()
    return statistics.median(taken)


def operation(name: str) -> dict:
    return next(row for row in SCHEMA["operations"] if row["name"] == name)


def table(name: str) -> dict:
    return next(row for row in SCHEMA["objects"] if row["name"] == name)
