"""Events of calls."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class CallEvent:
    """One event of a call, for ``on_event`` and the logger ``privy`` (there as ``record.privy_event``).

    The events of a call are reported in order. The first is ``start``, the last is ``end``; each of these occurs once.
    An invalid request does not become a call: its only event is ``refused``.

    An event never holds a token, a body, an e-mail address or a phone number. ``str`` returns one line.
    """

    kind: Literal["start", "request", "response", "failure", "retry", "wait", "token", "refused", "end"]
    """What happened. ``start``: a call begins. ``request``: a request is sent. ``response``: its response is received.
    ``failure``: there is no response, or the call was stopped. ``retry``: the call will send another request. ``wait``:
    the call waits for the rate limit. ``token``: a new OAuth token was received. ``refused``: nothing is sent, because
    the request is invalid or the rate limit is reached. ``end``: the call has ended."""
    level: Literal["debug", "info", "warning"]
    """``info`` for retries and for waits of a second and more, ``warning`` for calls refused by the rate limit,
    ``debug`` for all others."""
    call: int
    """Number of the call in its client, from 1."""
    operation: str
    """The operation, such as ``orders.upsert``; ``request`` for ``Client.request``."""
    method: str
    """HTTP method; in ``start`` and ``end`` that of the first request. Empty if the method is invalid."""
    path: str
    """Template of the path, such as ``/contacts/{id}``, also for ``Client.request``. Empty if the path is invalid."""
    attempt: int
    """Number of requests of this call so far, token requests included."""
    status: int | None = None
    """HTTP status of the response, of the response that causes a retry, or of the last response of the call."""
    error: str | None = None
    """Name of the exception class of a failure, such as ``ServerError``; None without a failure, and for a call that
    was stopped."""
    reason: str | None = None
    """Of a failure, and of an end without a response: the error of the connection, or that the call was stopped. Of a
    refusal: the limit that is reached, or the invalid parameters."""
    request_id: str | None = None
    """``X-Request-Id`` of the response."""
    seconds: float | None = None
    """Of a retry and a wait: seconds until the call continues. Of a token: how long it is valid. Of a refusal by the
    rate limit: until the limit resets."""
    waited: float | None = None
    """Of an end: seconds that the call waited for the rate limit, ``Retry-After`` and backoff."""
    lookup: float | None = None
    """Seconds of the name lookup. Like the fields up to ``reused``, only set for a response and a failure; 0 on a
    reused connection."""
    connect: float | None = None
    """Seconds of connecting."""
    tls: float | None = None
    """Seconds of the TLS handshake."""
    first_byte: float | None = None
    """Seconds from sending the request to the first byte of the response."""
    total: float | None = None
    """Seconds in total; of an end, since the start of the call."""
    bytes_sent: int | None = None
    """Bytes of the headers and the body of the request."""
    bytes_received: int | None = None
    """Bytes of the headers and the body of the response, compressed."""
    reused: bool | None = None
    """Whether the request reused a connection."""
    minute_left: int | None = None
    """Requests left of the limit per minute; None if unknown."""
    day_left: int | None = None
    """Requests left of the limit per day; None if unknown."""
    idempotency_key: str | None = None
    """Of an end: the idempotency key of the call, with e-mail addresses and phone numbers masked."""
    created: bool | None = None
    """Of an end of ``contacts.create``, ``contacts.upsert`` and ``orders.upsert``: whether the call created the contact
    or order, or updated it."""
    replay: bool | None = None
    """Of an end of ``events.ingest``: whether the key was accepted before, so that nothing new was recorded."""
    row_index: int | None = None
    """Of a bulk run: the index of the row."""
    sandbox: bool | None = None
    """Whether the client uses a sandbox."""
    message: str = ""
    """The event as one line, as it is logged."""

    def to_dict(self) -> dict[str, str | int | float | bool]:
        """The fields that are not None: strings, numbers and booleans only, for structlog and other JSON logs."""
        known = ((item.name, getattr(self, item.name)) for item in fields(self))
        return {name: value for name, value in known if value is not None}

    def __repr__(self) -> str:
        known = ((item.name, getattr(self, item.name)) for item in fields(self) if item.name != "message")
        shown = (f"{name}={_rounded(value)!r}" for name, value in known if value is not None)
        return f"CallEvent({', '.join(shown)})"

    def __str__(self) -> str:
        return self.message or repr(self)


def _rounded(value: object) -> object:
    return round(value, 6) if isinstance(value, float) else value


def log(event: CallEvent) -> None:
    """Logs an event, for a program that has imported ``logging``."""
    import logging

    level: int = getattr(logging, event.level.upper())
    logging.getLogger("privy").log(level, "%s", event, extra={"privy_event": event})
