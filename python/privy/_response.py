"""The response to a raw request."""

from __future__ import annotations

import privy

from ._core import omit, refuse_json
from ._headers import Headers


class Response:
    """The successful response that ``Client.request`` returns."""

    __slots__ = ("_json", "body", "headers", "status")

    status: int
    """HTTP status, 200 to 299."""
    headers: Headers
    """Header fields; names are case-insensitive."""
    body: bytes
    """The body as received; empty if the response has none."""

    def __init__(self, status: int, headers: Headers, body: bytes, json: privy.types.Any) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self._json = json

    def json(self) -> privy.types.Any:
        """The value of the body: objects as read-only mappings, arrays as tuples, numbers as int or Decimal.

        Raises:
            APIStatusError: the body is empty or not JSON.
        """
        if self._json is omit:
            refuse_json(self.status, self.body)
        return self._json

    @property
    def request_id(self) -> str | None:
        """``X-Request-Id`` of the response; None without one."""
        return self.headers.get("x-request-id")

    def __repr__(self) -> str:
        return f"Response(status={self.status}, {len(self.body)} bytes)"
