"""What calls report while they run."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class CallEvent:
    """One event of a call, as ``on_event`` and the logger ``privy`` get it (there as ``record.privy_event``).

    The events of a call come in the order of happening. The first is ``start``, the last is ``end``, and each of these
    comes once. A request that is refused as invalid does not become a call: its only event is ``refused``.

    An event never holds a token, a body, an e-mail address or a phone number. ``str`` gives one line for a person.
    """

    kind: Literal["start", "request", "response", "failure", "retry", "wait", "token", "refused", "end"]
    """What happened: a call begins; a request goes out; its answer came; no answer came, or the call was stopped;
    another attempt will follow; the account's budget makes the call wait; a new OAuth token is there; nothing is sent,
    because the request is invalid or the budget is spent; the call has ended."""
    level: Literal["debug", "info", "warning"]
    """How important it is: ``info`` for retries and for waits of a second and more, ``warning`` for refusals by budget,
    ``debug`` for all else."""
    call: int
    """Number of the call, from 1 on in its client."""
    operation: str
    """What was called, such as ``orders.upsert``; ``request`` for ``Client.request``."""
    method: str
    """HTTP method; of a start and an end, of the call's first request. Empty where the given one is refused."""
    path: str
    """Template of the path, such as ``/contacts/{id}``; so are the paths given to ``Client.request``. Empty where the
    given one is refused."""
    attempt: int
    """Requests of this call so far, those for tokens included."""
    status: int | None = None
    """HTTP status: of the answer, of the one that is the reason of a retry, or of the one that the call ended with."""
    error: str | None = None
    """Name of the exception that stands for what went wrong, such as ``ServerError``; None when nothing did, and when
    the call was stopped."""
    reason: str | None = None
    """Of a failure, and of an end without an answer: what the connection said, or that the call was stopped. Of a
    refusal: which limit is spent, or which parameters are invalid."""
    request_id: str | None = None
    """``X-Request-Id`` of the answer."""
    seconds: float | None = None
    """Of a retry and a wait: until the call goes on. Of a token: how long it is valid. Of a refusal by budget: until
    there is some."""
    waited: float | None = None
    """Of an end: seconds that the call spent waiting for budget, ``Retry-After`` and backoff."""
    lookup: float | None = None
    """Seconds that the name lookup took; like all that follow up to ``reused`` only of a response and a failure, and 0
    on a connection that was kept."""
    connect: float | None = None
    """Seconds that connecting took."""
    tls: float | None = None
    """Seconds that the TLS handshake took."""
    first_byte: float | None = None
    """Seconds from the departure of the request to the first byte of the answer."""
    total: float | None = None
    """Seconds in all; of an end, since the call's start."""
    bytes_sent: int | None = None
    """Bytes of the request's headers and body."""
    bytes_received: int | None = None
    """Bytes of the answer's headers and body, as compressed."""
    reused: bool | None = None
    """Whether the connection was a kept one."""
    minute_left: int | None = None
    """Requests of the account's minute that are left to this client; None when unknown."""
    day_left: int | None = None
    """Requests of the account's day that are left to this client; None when unknown."""
    message: str = ""
    """The event as one line, as it is logged."""

    def __repr__(self) -> str:
        known = ((item.name, getattr(self, item.name)) for item in fields(self) if item.name != "message")
        shown = (f"{name}={_rounded(value)!r}" for name, value in known if value is not None)
        return f"CallEvent({', '.join(shown)})"

    def __str__(self) -> str:
        return self.message or repr(self)


def _rounded(value: object) -> object:
    return round(value, 6) if isinstance(value, float) else value


def log(event: CallEvent) -> None:
    """Gives an event to the logger, for a program that has imported ``logging`` and listens."""
    import logging

    level: int = getattr(logging, event.level.upper())
    logging.getLogger("privy").log(level, "%s", event, extra={"privy_event": event})
