"""What a sandbox received and stores, as read-only objects."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from typing import Any, TypeVar, overload

from .. import _core
from .._core import Contact, Order
from .._headers import Headers
from ..types import TYPE_CHECKING

_SHOWN = 200  # characters of a value in a repr

T = TypeVar("T")


@dataclass(frozen=True, slots=True, repr=False)
class SandboxRequest:
    """A request that a sandbox received, and what became of it."""

    method: str
    """HTTP method."""
    path: str
    """Path and query, without the ``/v1`` of the base URL."""
    operation: str | None
    """The operation, such as ``orders.upsert``; None if no operation has this method and path. ``contacts.upsert``
    sends a ``contacts.create``, then perhaps a ``contacts.update``."""
    status: int
    """HTTP status of the response, also if an injected fault dropped or truncated it."""
    at: datetime
    """When it was received, by the clock of the sandbox (aware, UTC)."""
    headers: Headers
    """Header fields; those that may hold a secret are left out."""
    body: bytes | None
    """The body. None for a token request, whose body holds a secret, and for a body of more than 8 MiB."""

    @property
    def json(self) -> Any:
        """The value of the body, with dicts, lists and floats; None if the body is empty or None.

        Raises:
            ValueError: the body is not JSON.
        """
        return json.loads(self.body) if self.body else None

    def __repr__(self) -> str:
        """Masks e-mail addresses and phone numbers."""
        body = None if self.body is None else self.body.decode("utf-8", "replace")
        path = "".join(map(_core.mask, re.split("([?&=])", self.path)))
        return (
            f"SandboxRequest(method={self.method!r}, path={_cut(repr(path))}, operation={self.operation!r}, "
            f"status={self.status}, body={_masked(body)})"
        )


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class SandboxEvent:
    """An event that a sandbox accepted, as it was sent. A repeated event with the same key is stored once."""

    event_id: str
    """Id of the event."""
    event_type: str
    """What happened."""
    email: str | None = None
    """E-mail address of the contact, if sent."""
    phone: str | None = None
    """Phone number of the contact, if sent."""
    privy_id: str | None = None
    """Id of the contact, if sent."""
    event_time: datetime | None = None
    """When it happened (aware, UTC), if sent."""
    event_data: Mapping[str, Any] | None = None
    """Data of the event, with dicts, lists and floats."""
    idempotency_key: str | None = None
    """The key, from the header or the body."""
    accepted_at: datetime
    """When the sandbox accepted it, by its clock (aware, UTC)."""

    def __repr__(self) -> str:
        """Masks e-mail addresses and phone numbers."""
        given = {name: value for name in EVENT_FIELDS if (value := getattr(self, name)) is not None}
        return f"SandboxEvent({', '.join(f'{name}={_masked(value)}' for name, value in given.items())})"


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class SandboxMessage:
    """A welcome message that a sandbox sent by SMS: a contact's SMS consent became ``subscribed``."""

    contact_id: str
    """Id of the contact."""
    phone_number: str
    """Phone number that it was sent to."""
    at: datetime
    """When it was sent, by the clock of the sandbox (aware, UTC)."""

    def __repr__(self) -> str:
        """Masks the phone number."""
        given = {name: getattr(self, name) for name in ("contact_id", "phone_number", "at")}
        return f"SandboxMessage({', '.join(f'{name}={_masked(value)}' for name, value in given.items())})"


EVENT_FIELDS = tuple(field.name for field in fields(SandboxEvent))
"""The names of the fields of a ``SandboxEvent``."""


class SandboxContacts(Mapping[str, Contact]):
    """The contacts that a sandbox stores, by id: ``sandbox.contacts["jane@example.com"].tags``.

    A key may also be an e-mail address, in any case, or a phone number. Each access returns the present state.
    """

    __slots__ = ("_core",)

    def __init__(self, core: _core.Sandbox) -> None:
        self._core = core

    def __getitem__(self, key: str) -> Contact:
        text = self._core.find(_core.SANDBOX_CONTACTS, key) if isinstance(key, str) else None
        if text is None:
            raise KeyError(key)
        return Contact.from_json(text)

    def __iter__(self) -> Iterator[str]:
        return (Contact.from_json(text).id for text in self._core.stored(_core.SANDBOX_CONTACTS))

    def __len__(self) -> int:
        return self._core.counts()[1]

    def __repr__(self) -> str:
        return f"SandboxContacts({len(self)})"


class SandboxOrders(Mapping[int | str, Order]):
    """The orders that a sandbox stores, by ``order_id``: ``sandbox.orders[1001].total_amount``.

    An order has the fields of a response as attributes. Those that were sent and no response holds are keys:
    ``sandbox.orders[1001]["line_items"]``. Each access returns the present state.
    """

    __slots__ = ("_core",)

    def __init__(self, core: _core.Sandbox) -> None:
        self._core = core

    def __getitem__(self, key: int | str) -> Order:
        text = self._core.find(_core.SANDBOX_ORDERS, str(key)) if isinstance(key, (int, str)) else None
        if text is None:
            raise KeyError(key)
        return Order.from_json(text)

    def __iter__(self) -> Iterator[int | str]:
        return (Order.from_json(text).order_id for text in self._core.stored(_core.SANDBOX_ORDERS))

    def __len__(self) -> int:
        return self._core.counts()[2]

    def __repr__(self) -> str:
        return f"SandboxOrders({len(self)})"


class _Log(Sequence[T]):
    """What a sandbox has done, oldest first, by position and by key. Each access returns the present state."""

    __slots__ = ("_core", "_count", "_kind", "_read")

    def __init__(self, core: _core.Sandbox, kind: int, count: int, read: Callable[[str], T]) -> None:
        self._core = core
        self._kind = kind
        self._count = count  # the position of its number in the counts
        self._read = read

    def get(self, key: str, default: T | None = None) -> T | None:
        """The item of a key; ``default`` if there is none."""
        text = self._core.find(self._kind, key) if isinstance(key, str) else None
        return default if text is None else self._read(text)

    if TYPE_CHECKING:  # overload() keeps each function for ever, and with it the types of an interpreter that has ended

        @overload
        def __getitem__(self, key: int | str) -> T: ...
        @overload
        def __getitem__(self, key: slice) -> tuple[T, ...]: ...

    def __getitem__(self, key: int | str | slice) -> T | tuple[T, ...]:
        if isinstance(key, str):
            text = self._core.find(self._kind, key)
            if text is None:
                raise KeyError(key)
            return self._read(text)
        stored = self._core.stored(self._kind)[key]
        return self._read(stored) if isinstance(stored, str) else tuple(map(self._read, stored))

    def __iter__(self) -> Iterator[T]:
        return map(self._read, self._core.stored(self._kind))

    def __reversed__(self) -> Iterator[T]:
        return map(self._read, reversed(self._core.stored(self._kind)))

    def __contains__(self, value: object) -> bool:
        return self.get(value) is not None if isinstance(value, str) else value in tuple(self)

    def index(self, value: Any, start: int = 0, stop: int = sys.maxsize) -> int:
        return tuple(self).index(value, start, stop)

    def __len__(self) -> int:
        return self._core.counts()[self._count]

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, (tuple, list, type(self))) else NotImplemented

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)})"


class SandboxEvents(_Log[SandboxEvent]):
    """The events that a sandbox accepted, oldest first: ``sandbox.events[0]``, ``for event in sandbox.events``.

    The keys are ids and idempotency keys: ``sandbox.events[receipt.event_id]``. Each access returns the present state;
    ``tuple(sandbox.events)`` does not change.
    """

    __slots__ = ()

    def __init__(self, core: _core.Sandbox) -> None:
        super().__init__(core, _core.SANDBOX_EVENTS, 3, _event)


class SandboxMessages(_Log[SandboxMessage]):
    """The welcome messages that a sandbox sent by SMS, oldest first: ``sandbox.messages[-1].contact_id``.

    The keys are phone numbers and ids of contacts: ``sandbox.messages["+14155550101"]``, the newest of several. Each
    access returns the present state; ``tuple(sandbox.messages)`` does not change.
    """

    __slots__ = ()

    def __init__(self, core: _core.Sandbox) -> None:
        super().__init__(core, _core.SANDBOX_MESSAGES, 4, _message)


def requests_of(core: _core.Sandbox) -> tuple[SandboxRequest, ...]:
    """The requests that the sandbox keeps, oldest first."""
    return tuple(
        SandboxRequest(method, path, operation, status, instant(at), _headers(pairs), body)
        for method, path, operation, status, at, pairs, body in core.history()
    )


def time_of(text: str) -> datetime | str:
    """The time in an ISO 8601 text; the text itself if it holds none. Reads as the core reads times of records."""
    return Contact.from_json(json.dumps({"created_at": text})).created_at


def instant(seconds: float) -> datetime:
    """Seconds since 1970 as an aware datetime in UTC."""
    return datetime.fromtimestamp(seconds, timezone.utc)


def _event(text: str) -> SandboxEvent:
    stored = json.loads(text)
    for name in ("event_time", "accepted_at"):
        if name in stored:
            stored[name] = time_of(stored[name])
    return SandboxEvent(**{name: stored[name] for name in EVENT_FIELDS if name in stored})


def _message(text: str) -> SandboxMessage:
    stored = json.loads(text)
    return SandboxMessage(**stored | {"at": time_of(stored["at"])})


def _headers(pairs: list[tuple[str, str]]) -> Headers:
    """One field for each name, as in a response."""
    joined: dict[str, tuple[str, str]] = {}
    for name, value in pairs:
        first, before = joined.get(name.lower(), (name, None))
        joined[name.lower()] = (first, value if before is None else f"{before}, {value}")
    return Headers(joined.values())


def _masked(value: object) -> str:
    return _cut(repr(_core.mask(value)) if isinstance(value, str) else _core.mask(repr(value)))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
