"""The sandbox as a WSGI application."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from urllib.parse import quote

from ._sandbox import Sandbox
from ._values import SandboxResponse

TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
else:
    WSGIApplication = Callable


def app(sandbox: Sandbox) -> WSGIApplication:
    """A WSGI application that passes its requests to the sandbox.

    A fault that drops or truncates a response raises ``ConnectionAbortedError``. Most servers then close the
    connection; some send 500 for a dropped response. The server that mounts the application decides which hosts and web
    pages may send requests.
    """

    def handle(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        response = sandbox.handle(environ["REQUEST_METHOD"], _target(environ), _headers(environ), _body(environ))
        if response.delay > 0:
            time.sleep(response.delay)
        if response.dropped:
            raise ConnectionAbortedError("injected fault: the response is dropped")
        start_response(f"{response.status} {_reason(response.status)}", _with_length(response))
        return _half(response.body) if response.truncated else [response.body]

    return handle


def _half(body: bytes) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    raise ConnectionAbortedError("injected fault: the response is truncated")


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


def _with_length(response: SandboxResponse) -> list[tuple[str, str]]:
    if any(name.lower() == "content-length" for name, _ in response.headers) or response.status == 204:
        return response.headers
    return [*response.headers, ("Content-Length", str(len(response.body)))]


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
