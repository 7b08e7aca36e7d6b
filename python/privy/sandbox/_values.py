"""Small values of the sandbox: a response, counts, a snapshot."""

from __future__ import annotations

DROP, TRUNCATE = 1, 2
"""How the core cuts a response."""


class SandboxResponse:
    """The response of the sandbox to one request."""

    __slots__ = ("body", "delay", "dropped", "headers", "status", "truncated")

    status: int
    """HTTP status."""
    headers: list[tuple[str, str]]
    """Header fields in order."""
    body: bytes
    """The body."""
    delay: float
    """Seconds to wait before sending the response, from an injected fault."""
    dropped: bool
    """Whether to close the connection without a response, from an injected fault."""
    truncated: bool
    """Whether to close the connection after half of the body, from an injected fault."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes, delay: float, cut: int) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.delay = delay
        self.dropped = cut == DROP
        self.truncated = cut == TRUNCATE

    def __repr__(self) -> str:
        return f"SandboxResponse(status={self.status}, {len(self.body)} bytes)"


class Counts:
    """Numbers of requests and records of a sandbox."""

    __slots__ = ("contacts", "events", "orders", "requests", "welcome_messages")

    requests: int
    """Requests handled."""
    contacts: int
    """Contacts stored."""
    orders: int
    """Orders stored."""
    events: int
    """Events accepted."""
    welcome_messages: int
    """Welcome messages sent by SMS."""

    def __init__(self, requests: int, contacts: int, orders: int, events: int, welcome_messages: int) -> None:
        self.requests = requests
        self.contacts = contacts
        self.orders = orders
        self.events = events
        self.welcome_messages = welcome_messages

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if isinstance(other, Counts) else NotImplemented

    def __repr__(self) -> str:
        return f"Counts({', '.join(f'{name}={value}' for name, value in self._values().items())})"

    def _values(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("requests", "contacts", "orders", "events", "welcome_messages")}


class SandboxSnapshot:
    """What a sandbox held at one moment: ``Sandbox.snapshot`` returns it, and ``Sandbox.restore`` accepts it.

    It does not change. It exists in its process only: it has no pickle.
    """

    __slots__ = ("_core", "_counts")

    def __init__(self, core: object, counts: Counts) -> None:
        self._core = core
        self._counts = counts

    def __repr__(self) -> str:
        return f"SandboxSnapshot({self._counts!r})"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a SandboxSnapshot cannot be pickled")


class SandboxFileError(ValueError):
    """A file does not hold what ``Sandbox.save`` writes: the message says what is wrong, and in which line."""
