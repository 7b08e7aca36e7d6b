"""What happens during calls, step by step."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal


@dataclass(frozen=True, slots=True, repr=False)
class Event:
    """One step of a call, as ``on_event`` and the logger ``privy`` are told of it (``record.privy_event``).

    It never holds a token, a body, an e-mail address or a phone number. ``str`` gives one line for a person.
    """

    kind: Literal["request", "response", "failure", "retry", "wait", "token"]
    """What happened: a request goes out; its answer came; no answer came, or the call was stopped; another attempt will
    follow; the account's budget makes the call wait; a new OAuth token is there."""
    call: int
    """Number of the call, from 1 on in its client."""
    method: str
    """HTTP method."""
    path: str
    """Template of the path, such as ``/contacts/{id}``; so are the paths given to ``Client.request``."""
    attempt: int
    """Requests of this call so far, those for tokens included."""
    status: int | None
    """HTTP status: of the answer, or of the one that is the reason of a retry."""
    error: str | None
    """Name of the exception that stands for what went wrong, such as ``ServerError``; None when nothing did, and when
    the call was stopped."""
    reason: str | None
    """Of a failure: what the connection said."""
    request_id: str | None
    """``X-Request-Id`` of the answer."""
    seconds: float | None
    """Of a retry and a wait: until the call goes on. Of a token: how long it is valid."""
    lookup: float | None
    """Seconds that the name lookup took; like all that follow up to ``reused`` only of a response and a failure, and 0
    on a connection that was kept."""
    connect: float | None
    """Seconds that connecting took."""
    tls: float | None
    """Seconds that the TLS handshake took."""
    first_byte: float | None
    """Seconds from the departure of the request to the first byte of the answer."""
    total: float | None
    """Seconds in all."""
    bytes_sent: int | None
    """Bytes of the request's headers and body."""
    bytes_received: int | None
    """Bytes of the answer's headers and body, as compressed."""
    reused: bool | None
    """Whether the connection was a kept one."""
    minute_left: int | None
    """Requests of the account's minute that are left to this client; None while no answer has told."""
    day_left: int | None
    """Requests of the account's day that are left to this client; None while no answer has told."""

    def __repr__(self) -> str:
        known = ((field.name, getattr(self, field.name)) for field in fields(self))
        shown = (f"{name}={_rounded(value)!r}" for name, value in known if value is not None)
        return f"Event({', '.join(shown)})"

    def __str__(self) -> str:
        return f"{self.method} {self.path}, attempt {self.attempt}: {self._told()}{self._left()}"

    def _told(self) -> str:
        why = " ".join(str(word) for word in (self.status, self.error) if word is not None)
        if self.kind == "response":
            return f"{why} in {self.total or 0:.3f} s"
        if self.kind == "failure":
            return f"{self.error or 'stopped'} after {self.total or 0:.3f} s: {self.reason}"
        if self.kind == "retry":
            return f"another attempt in {self.seconds or 0:.3f} s after {why}"
        if self.kind == "wait":
            return f"waits {self.seconds or 0:.3f} s for the account's budget"
        return f"a token for {self.seconds or 0:.0f} s" if self.kind == "token" else "sent"

    def _left(self) -> str:
        limits = (("minute", self.minute_left), ("day", self.day_left))
        left = " and ".join(f"{count} of the {limit}" for limit, count in limits if count is not None)
        return f", {left} left" if left else ""


def _rounded(value: object) -> object:
    return round(value, 6) if isinstance(value, float) else value


def log(event: Event) -> None:
    """Gives an event to the logger, for a program that has imported ``logging`` and listens."""
    import logging

    logging.getLogger("privy").debug("%s", event, extra={"privy_event": event})
