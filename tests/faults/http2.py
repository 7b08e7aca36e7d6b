"""Faults of HTTP/2: a server of just enough frames to accept a connection and then to misbehave on it."""

from __future__ import annotations

import struct
from collections.abc import Callable

from answers import echo
from connections import Fault, tls
from wire import Request, Wire

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
NO_ERROR, INTERNAL, REFUSED_STREAM, ENHANCE_YOUR_CALM = 0, 2, 7, 11
PREFACE = 24
STATUS_200 = b"\x88"

FAULTS: dict[str, Fault] = {}


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


class Connection:
    """The server's side. Requests are taken for events: their headers are not decoded."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._stream = wire.socket.makefile("rb")
        self._bodies: dict[int, bytes] = {}
        self._stream.read(PREFACE)
        self.send(SETTINGS, 0, 0)

    def send(self, kind: int, flags: int, stream: int, payload: bytes = b"") -> None:
        self.wire.send(frame(kind, flags, stream, payload))

    def request(self) -> tuple[int, Request] | None:
        """The next whole request, and its stream."""
        while len(head := self._stream.read(9)) == 9:
            kind, flags, stream = struct.unpack(">BBI", head[3:])
            payload = self._stream.read(int.from_bytes(head[:3], "big"))
            if kind == SETTINGS and not flags & ACK:
                self.send(SETTINGS, ACK, 0)
            elif kind == PING and not flags & ACK:
                self.send(PING, ACK, 0, payload)
            elif kind in (HEADERS, DATA):
                self._bodies[stream] = self._bodies.get(stream, b"") + (payload if kind == DATA else b"")
                if flags & END_STREAM:
                    request = Request("POST", "/v1/events", {}, self._bodies.pop(stream))
                    self.wire.seen.requests.append(request)
                    return stream, request
        return None

    def well(self, stream: int, request: Request) -> None:
        self.send(HEADERS, END_HEADERS, stream, STATUS_200)
        self.send(DATA, END_STREAM, stream, echo(request).encode())

    def goaway(self, last_stream: int, code: int) -> None:
        self.send(GOAWAY, 0, 0, struct.pack(">II", last_stream, code))

    def reset(self, stream: int, code: int) -> None:
        self.send(RST_STREAM, 0, stream, struct.pack(">I", code))


Act = Callable[[Connection, int, Request], None]


def fault(act: Act) -> Act:
    """A fault met by each request, over TLS with HTTP/2 agreed on."""

    def serve(wire: Wire) -> None:
        connection = Connection(wire)
        while (asked := connection.request()) is not None:
            act(connection, *asked)

    FAULTS[act.__name__] = Fault(serve, tls("good", "h2"), secure=True)
    return act


@fault
def h2_well(connection: Connection, stream: int, request: Request) -> None:
    connection.well(stream, request)


@fault
def h2_goaway_instead_of_an_answer(connection: Connection, stream: int, request: Request) -> None:
    connection.goaway(0, ENHANCE_YOUR_CALM)
    connection.wire.socket.close()


@fault
def h2_goaway_then_well(connection: Connection, stream: int, request: Request) -> None:
    if connection.wire.count > 1:
        connection.well(stream, request)
        return
    connection.goaway(0, NO_ERROR)
    connection.wire.socket.close()


@fault
def h2_goaway_behind_an_answer(connection: Connection, stream: int, request: Request) -> None:
    connection.well(stream, request)
    connection.goaway(stream, NO_ERROR)


@fault
def h2_stream_reset(connection: Connection, stream: int, request: Request) -> None:
    connection.reset(stream, INTERNAL)


@fault
def h2_stream_refused_then_well(connection: Connection, stream: int, request: Request) -> None:
    if connection.wire.count > 1:
        connection.well(stream, request)
    else:
        connection.reset(stream, REFUSED_STREAM)


@fault
def h2_stream_reset_within_the_body(connection: Connection, stream: int, request: Request) -> None:
    connection.send(HEADERS, END_HEADERS, stream, STATUS_200)
    connection.send(DATA, 0, stream, b'{"event_id":')
    connection.reset(stream, INTERNAL)


@fault
def h2_garbage(connection: Connection, stream: int, request: Request) -> None:
    connection.wire.send(b"\xff" * 64)


@fault
def h2_headers_missing(connection: Connection, stream: int, request: Request) -> None:
    connection.send(DATA, END_STREAM, stream, b"{}")


@fault
def h2_silence(connection: Connection, stream: int, request: Request) -> None:
    connection.wire.stall()


@fault
def h2_dies(connection: Connection, stream: int, request: Request) -> None:
    """The first connection goes silent behind its first answer; those that follow are well."""
    if connection.wire.count == 2:
        connection.wire.stall()
    connection.well(stream, request)
