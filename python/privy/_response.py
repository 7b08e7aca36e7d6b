"""The answer to a raw request."""

from __future__ import annotations

import privy

from ._core import omit, refuse_json
from ._headers import Headers


class Response:
    """What ``Client.request`` returns: a successful answer, as it came."""

    __slots__ = ("_json", "body", "headers", "status")

    status: int
    """HTTP status, 200 to 299."""
    headers: Headers
    """Header fields, by name in any case."""
    body: bytes
    """The body as received; empty when there is none."""

    def __init__(self, status: int, headers: Headers, body: bytes, json: privy.types.Any) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self._json = json

    def json(self) -> privy.types.Any:
        """The body's value: objects as read-only mappings, arrays as tuples, numbers as int or Decimal.

        Raises:
            APIStatusError: the body is empty or not JSON.
        """
        if self._json is omit:
            refuse_json(self.status, self.body)
        return self._json

    @property
    def request_id(self) -> str | None:
        """``X-Request-Id`` of the answer."""
        return self.headers.get("x-request-id")

    def __repr__(self) -> str:
        return f"Response(status={self.status}, {len(self.body)} bytes)"
