"""The sandbox as a WSGI application."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from urllib.parse import quote

from ._sandbox import Answer, Sandbox

TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
else:
    WSGIApplication = Callable


def app(sandbox: Sandbox) -> WSGIApplication:
    """A WSGI application that answers from the sandbox.

    A fault that drops or cuts an answer raises ``ConnectionAbortedError``. Most servers close the connection then; some
    answer 500 in the place of a dropped answer. Which hosts and web pages may ask is up to the server that mounts it.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        reply = sandbox.handle(environ["REQUEST_METHOD"], _target(environ), _headers(environ), _body(environ))
        if reply.delay > 0:
            time.sleep(reply.delay)
        if reply.dropped:
            raise ConnectionAbortedError("the sandbox was told to drop this answer")
        start_response(f"{reply.status} {_reason(reply.status)}", _with_length(reply))
        return _half(reply.body) if reply.truncated else [reply.body]

    return answer


def _half(body: bytes) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    raise ConnectionAbortedError("the sandbox was told to cut this answer")


def _target(environ: WSGIEnvironment) -> str:
    path = quote(environ.get("PATH_INFO", "").encode("latin-1"), safe="/~!$&'()*+,;=:@")
    query = environ.get("QUERY_STRING", "")
    return f"{path or '/'}?{query}" if query else path or "/"


def _headers(environ: WSGIEnvironment) -> Iterator[tuple[str, str]]:
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            yield key[5:].replace("_", "-").title(), value
        elif key in ("CONTENT_TYPE", "CONTENT_LENGTH") and value:
            yield key.replace("_", "-").title(), value


def _body(environ: WSGIEnvironment) -> bytes:
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or length == "0":
        return b""
    body = environ["wsgi.input"].read(int(length))
    return body if isinstance(body, bytes) else b""


def _with_length(reply: Answer) -> list[tuple[str, str]]:
    if any(name.lower() == "content-length" for name, _ in reply.headers) or reply.status == 204:
        return reply.headers
    return [*reply.headers, ("Content-Length", str(len(reply.body)))]


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
