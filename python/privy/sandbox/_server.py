"""An HTTP server for a sandbox, with a thread per connection and no log. The core parses requests and writes
responses."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from socketserver import BaseRequestHandler, ThreadingTCPServer

from .. import _core

TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ._sandbox import Sandbox

CHUNK = 65536
# Seconds in which a client must read a response.
SEND_SECONDS = 30.0
# Loopback addresses for servers that listen on all addresses.
EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


class Server(ThreadingTCPServer):
    """Serves a sandbox over HTTP. ``port`` 0 selects a free port; ``base_url`` is the address.

    Accepts requests whose ``Host`` is loopback, one of ``allowed_hosts``, or, if the server listens on more than
    loopback, an IP address. Refuses requests of web pages of other hosts. At most 256 connections are open.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self, sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0, allowed_hosts: Iterable[str] = ()
    ) -> None:
        self.sandbox = sandbox
        self.host = host
        self.allowed_hosts = " ".join(allowed_hosts)
        self._connections = Connections()
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    @property
    def base_url(self) -> str:
        host = EVERYWHERE.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_address[1]}/v1"

    def now(self) -> float:
        """The clock for the timeouts of requests."""
        return time.monotonic()

    def get_request(self) -> Any:
        try:
            return super().get_request()
        except OSError:
            time.sleep(0.05)  # the client has closed the connection, or the process has no free descriptors
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._connections.add(request):
            super().process_request(request, client_address)
            return
        request.setblocking(False)
        with contextlib.suppress(OSError):
            request.send(_core.SANDBOX_BUSY.encode())
        self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        self._connections.remove(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        self._connections.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignores broken connections."""


@contextlib.contextmanager
def running(sandbox: Sandbox, host: str, port: int, allowed_hosts: Iterable[str]) -> Iterator[str]:
    """Serves the sandbox in a thread. The value is the base URL."""
    server = Server(sandbox, host, port, allowed_hosts)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="privy sandbox", daemon=True)
    thread.start()
    try:
        yield server.base_url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Connections:
    """The open connections, at most ``most``. A new one replaces the one that has been idle longest."""

    def __init__(self, most: int = _core.SANDBOX_CONNECTIONS) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._open: dict[socket.socket, bool] = {}  # whether it is idle; the last to become idle is last

    def add(self, connection: socket.socket) -> bool:
        """False if there are too many connections and all are in use."""
        with self._lock:
            if len(self._open) >= self.most and not self._close_oldest_idle():
                return False
            self._open[connection] = False
            return True

    def remove(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.pop(connection, None)

    def note(self, connection: socket.socket, idle: bool) -> None:
        """Notes whether the connection is idle. Ignores connections that have been closed."""
        with self._lock:
            if connection in self._open and self._open[connection] != idle:
                del self._open[connection]
                self._open[connection] = idle

    def close(self) -> None:
        with self._lock:
            for connection in self._open:
                _shut_down(connection)

    def _close_oldest_idle(self) -> bool:
        oldest = next((connection for connection, idle in self._open.items() if idle), None)
        if oldest is None:
            return False
        del self._open[oldest]
        _shut_down(oldest)
        return True


def _shut_down(connection: socket.socket) -> None:
    """Ends the blocking read of the connection's thread, which then closes the connection."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseRequestHandler):
    request: socket.socket
    server: Server

    def handle(self) -> None:
        server = self.server
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _core.SandboxConnection(server.sandbox._core, server.host, server.allowed_hosts)
        going = True
        while going:
            kind, content, seconds, idle = connection.next(server.now())
            if kind == _core.SANDBOX_READ:
                going = self._read(connection, seconds, idle)
            elif kind == _core.SANDBOX_SEND:
                self._send(content, seconds)
            else:
                return

    def _read(self, connection: _core.SandboxConnection, until: float, idle: bool) -> bool:
        """Feeds the bytes that are received until then. False at the end of the stream."""
        self.server._connections.note(self.request, idle)
        self.request.settimeout(max(until - self.server.now(), 0.001))
        try:
            data = self.request.recv(CHUNK)
        except TimeoutError:
            return True
        self.server._connections.note(self.request, False)
        connection.feed(data)
        return bool(data)

    def _send(self, content: bytes, delay: float) -> None:
        if delay > 0:
            time.sleep(delay)
        self.request.settimeout(SEND_SECONDS)
        self.request.sendall(content)
