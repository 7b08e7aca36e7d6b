"""Faults of answers over HTTP/1.1: each a function of the connection, most of them of one request and its number."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from collections.abc import Callable
from email.utils import formatdate
from functools import wraps

from connections import Fault
from wire import PATIENCE, Request, Wire

FAULTS: dict[str, Fault] = {}

JSON = ("Content-Type: application/json",)
PAGE = "<html><body><h1>Something went wrong</h1></body></html>"
CHUNKED = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def good(request: Request, *headers: str) -> bytes:
    """The right answer: one that reports which question it belongs to."""
    if request.method == "DELETE":
        return answer(204, *headers)
    if request.method == "HEAD":
        return answer(200, "Content-Length: 1000", *headers)
    return answer(200, *JSON, *headers, body=echo(request))


def echo(request: Request) -> str:
    if request.target.endswith("/events"):
        return json.dumps({"event_id": "evt_" + request.json["email"].split("@")[0], "status": "accepted"})
    if request.target.endswith("/orders/placed"):
        return json.dumps({"data": {"order_id": request.json["order_id"]}})
    reported = {"id": request.target.rpartition("/")[2]} if request.method == "GET" else dict(request.json)
    return json.dumps({"data": reported})


def answer(status: int, *headers: str, body: bytes | str = b"") -> bytes:
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Answer", *headers]
    if status != 204 and not any(line.startswith("Content-Length:") for line in headers):
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content


def connection(serve: Callable[[Wire], None]) -> Callable[[Wire], None]:
    """A fault that has a connection to itself."""
    FAULTS[serve.__name__] = Fault(serve)
    return serve


def first_request(act: Callable[[Wire, Request], None]) -> Callable[[Wire, Request], None]:
    """A fault met by the first request of each connection; then the connection is closed."""

    @wraps(act)
    def serve(wire: Wire) -> None:
        request = wire.request()
        if request is not None:
            act(wire, request)

    connection(serve)
    return act


Reply = Callable[[Request, int], bytes]


def every_request(reply: Reply) -> Reply:
    """A fault that is an answer to a request and its number (from 1), the connection being kept."""
    name(reply.__name__, reply)
    return reply


def name(name: str, reply: Reply) -> None:
    def serve(wire: Wire) -> None:
        while (request := wire.request()) is not None:
            if not wire.send(reply(request, wire.count)):
                return

    FAULTS[name] = Fault(serve)


def always(fault: str, *headers: str, status: int = 200, body: bytes | str = b"") -> None:
    name(fault, lambda request, number: answer(status, *headers, body=body))


def once(fault: str, *headers: str, status: int, body: bytes | str = b"") -> None:
    """The first request meets it, all others are answered well."""
    bad = answer(status, *headers, body=body)
    name(fault, lambda request, number: bad if number == 1 else good(request))


# ---- silence, and connections that break ----


@first_request
def never_answered(wire: Wire, request: Request) -> None:
    wire.stall()


@first_request
def reset_before_headers(wire: Wire, request: Request) -> None:
    wire.reset()


@first_request
def reset_within_headers(wire: Wire, request: Request) -> None:
    wire.send("HTTP/1.1 200 OK\r\nContent-Ty")
    wire.seen.stopped.wait(0.05)
    wire.reset()


@first_request
def reset_within_body(wire: Wire, request: Request) -> None:
    wire.send('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"event_id":')
    wire.seen.stopped.wait(0.05)
    wire.reset()


@first_request
def closed_before_headers(wire: Wire, request: Request) -> None:
    pass


@first_request
def closed_within_headers(wire: Wire, request: Request) -> None:
    wire.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Requ")


@first_request
def truncated_by_length(wire: Wire, request: Request) -> None:
    wire.send(good(request)[:-5])


@first_request
def truncated_by_chunk(wire: Wire, request: Request) -> None:
    wire.send(CHUNKED + '10\r\n{"event_id":"evt\r\n20\r\n_1"')


@first_request
def last_chunk_missing(wire: Wire, request: Request) -> None:
    body = echo(request)
    wire.send(f"{CHUNKED}{len(body):x}\r\n{body}\r\n")


@first_request
def slow_headers(wire: Wire, request: Request) -> None:
    wire.trickle(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"s" * 500 + b"\r\n\r\n")


@first_request
def slow_body(wire: Wire, request: Request) -> None:
    wire.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    wire.trickle(b" " * 1000)


@first_request
def lost_then_well(wire: Wire, request: Request) -> None:
    if wire.count == 1:
        wire.reset()
    else:
        wire.send(good(request))


# ---- bodies ----


@first_request
def endless_chunks(wire: Wire, request: Request) -> None:
    wire.send(CHUNKED)
    wire.repeat(b"1000\r\n" + b" " * 4096 + b"\r\n")


@first_request
def endless_without_length(wire: Wire, request: Request) -> None:
    wire.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    wire.repeat(b" " * 4096)


@first_request
def endless_gzip(wire: Wire, request: Request) -> None:
    wire.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
    wire.repeat(gzip.compress(b" " * 1_000_000))


@first_request
def length_beyond_the_cap(wire: Wire, request: Request) -> None:
    wire.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n{")
    wire.stall()


GZIP = "Content-Encoding: gzip"
always("gzip_bomb", *JSON, GZIP, body=gzip.compress(b" " * 20_000_000))
always("gzip_invalid", *JSON, GZIP, body=b"this is no gzip")
always("gzip_truncated", *JSON, GZIP, body=gzip.compress(b'{"event_id": "evt_1", "status": "accepted"}')[:-12])
always("encoding_unknown", *JSON, "Content-Encoding: rot13", body=b'{"rirag_vq": "rig_1"}')
always("json_invalid", *JSON, body='{"event_id": "evt_1", "status": }')
always("json_too_deep", *JSON, body="[" * 100_000)
always("charset_wrong", *JSON, body='{"event_id": "evt_1", "status": "accepté"}'.encode("latin-1"))
always("utf_16", *JSON, body='{"event_id": "evt_1", "status": "accepted"}'.encode("utf-16"))
always("empty_200", *JSON)
always("html_200", "Content-Type: text/html", body=PAGE)


@every_request
def compressed(request: Request, number: int) -> bytes:
    """By each encoding in turn, each only when the client has offered it."""
    encoding, squeeze = (("gzip", gzip.compress), ("deflate", zlib.compress))[number % 2]
    if encoding not in request.headers["accept-encoding"]:
        return answer(406)
    return answer(200, *JSON, f"Content-Encoding: {encoding}", body=squeeze(echo(request).encode()))


# ---- bodies refused while they are still being sent ----


TOO_LARGE = answer(413, *JSON, body='{"error": {"code": "payload_too_large", "message": "Too large."}}')


@connection
def too_large_and_closed(wire: Wire) -> None:
    wire.head()
    wire.send(TOO_LARGE)


@connection
def too_large_and_kept(wire: Wire) -> None:
    wire.head()
    wire.send(TOO_LARGE)
    wire.seen.stopped.wait(PATIENCE)


# ---- statuses ----

HTML = "Content-Type: text/html"
for status in (408, 500, 501):
    always(f"status_{status}", status=status)
for status in (502, 503):
    always(f"html_{status}", HTML, status=status, body=PAGE)
always("status_304", status=304)
always("status_999", status=999)
once("status_408_then_well", status=408)
once("status_500_then_well", status=500)
once("status_504_then_well", status=504)
once("status_503_retry_after_1", "Retry-After: 1", status=503)
always("status_503_retry_after_past_max_wait", "Retry-After: 3600", status=503)

once("status_429_seconds", "Retry-After: 1", status=429)
once("status_429_negative", "Retry-After: -5", status=429)
once("status_429_missing", status=429)
once("status_429_words", "Retry-After: soon", status=429)
once("status_429_zero", "Retry-After: 0", status=429)
once("status_429_past_date", "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT", status=429)
always("status_429_absurd", "Retry-After: 99999999999999999999", status=429)
always("status_429_past_max_wait", "Retry-After: 60", status=429)
always("status_429_again_and_again", status=429)


@every_request
def status_429_date(request: Request, number: int) -> bytes:
    return answer(429, f"Retry-After: {formatdate(time.time() + 2, usegmt=True)}") if number == 1 else good(request)


# ---- redirects: to a port whose connections are counted ----


def redirect(status: int) -> None:
    @wraps(redirect)
    def serve(wire: Wire) -> None:
        while wire.request() is not None:
            wire.send(answer(status, f"Location: http://127.0.0.1:{wire.seen.other_port}/elsewhere"))

    FAULTS[f"redirect_{status}"] = Fault(serve)


for status in (301, 302, 307, 308):
    redirect(status)


# ---- kept connections ----


@first_request
def closed_between_requests(wire: Wire, request: Request) -> None:
    wire.send(good(request))


@connection
def closed_on_the_second_request(wire: Wire) -> None:
    request = wire.request()
    if request is not None:
        wire.send(good(request))
    if wire.count == 1:
        wire.request()


FORGED = answer(200, *JSON, body='{"event_id": "evt_forged", "status": "accepted"}')


@every_request
def pipelined_garbage(request: Request, number: int) -> bytes:
    return good(request) + FORGED


@every_request
def pipelined_rubbish(request: Request, number: int) -> bytes:
    return good(request) + b"\x00\xffrubbish\r\n\r\n"


@connection
def garbage_while_idle(wire: Wire) -> None:
    while (request := wire.request()) is not None:
        wire.send(good(request))
        wire.seen.stopped.wait(0.05)
        wire.send(FORGED)


@every_request
def body_behind_204(request: Request, number: int) -> bytes:
    return answer(204) + b'{"data": {"id": "cus_forged"}}'


@every_request
def well(request: Request, number: int) -> bytes:
    return good(request)


# ---- interim responses, headers and framing ----


@first_request
def interim_flood(wire: Wire, request: Request) -> None:
    wire.repeat(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n" * 20)


@every_request
def interim_few(request: Request, number: int) -> bytes:
    return b"HTTP/1.1 100 Continue\r\n\r\n" + b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * 3 + good(request)


@first_request
def switching_protocols(wire: Wire, request: Request) -> None:
    wire.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\nConnection: Upgrade\r\n\r\n")
    wire.stall()


@first_request
def header_line_huge(wire: Wire, request: Request) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\nX-Huge: " + b"h" * 500_000 + b"\r\nContent-Length: 2\r\n\r\n{}")
    wire.stall()


@first_request
def header_lines_many(wire: Wire, request: Request) -> None:
    lines = (f"X-Line-{number}: {'m' * 60}\r\n" for number in range(20_000))
    wire.send("HTTP/1.1 200 OK\r\n" + "".join(lines) + "Content-Length: 2\r\n\r\n{}")
    wire.stall()


@first_request
def header_lines_short(wire: Wire, request: Request) -> None:
    wire.send("HTTP/1.1 200 OK\r\n" + "X:\r\n" * 5_000 + "Content-Length: 2\r\n\r\n{}")
    wire.stall()


@first_request
def headers_endless(wire: Wire, request: Request) -> None:
    wire.send("HTTP/1.1 200 OK\r\n")
    wire.repeat(b"X-More: and more\r\n" * 50)


def framed(fault: str, head: str, body: str = '{"event_id": "evt_1", "status": "accepted"}') -> None:
    """An answer whose head is given as it stands; the connection is kept open behind it."""

    @wraps(framed)
    def serve(wire: Wire) -> None:
        if wire.request() is not None and wire.send(head + "\r\n\r\n" + body):
            wire.stall()

    FAULTS[fault] = Fault(serve)


framed("length_negative", "HTTP/1.1 200 OK\r\nContent-Length: -5")
framed("length_no_number", "HTTP/1.1 200 OK\r\nContent-Length: many")
framed("length_overflows", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999999")
framed("length_given_twice", "HTTP/1.1 200 OK\r\nContent-Length: 43\r\nContent-Length: 38")
framed("chunk_size_overflows", CHUNKED[:-4], "FFFFFFFFFFFFFFFFF\r\n{}")
framed("chunk_size_no_number", CHUNKED[:-4], "zz\r\n{}\r\n0\r\n\r\n")
framed("status_line_garbage", "HTTP/1.1 abc OK\r\nContent-Length: 2")
framed("http_version_unknown", "HTTP/7.3 200 OK\r\nContent-Length: 43")
framed("header_with_nul", "HTTP/1.1 200 OK\r\nX-Nul: a\0b\r\nContent-Length: 43")


@first_request
def http_0_9(wire: Wire, request: Request) -> None:
    wire.send(echo(request))


@first_request
def noise(wire: Wire, request: Request) -> None:
    wire.send(bytes(range(256)) * 8)


@every_request
def header_without_colon(request: Request, number: int) -> bytes:
    return good(request, "this is no header")


@every_request
def head_with_length(request: Request, number: int) -> bytes:
    return good(request)
