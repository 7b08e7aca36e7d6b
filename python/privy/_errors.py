"""The exceptions of privy. The tree is the core's table of errors, spelled out."""

from __future__ import annotations

from _collections_abc import Iterable, Sequence

import privy

from ._headers import Headers

TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "ConflictError",
    "NotFoundError",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "PrivyError",
    "RateLimitError",
    "ServerError",
    "ValidationError",
]


class PrivyError(Exception):
    """Anything that privy raises; by itself: a setting that cannot be used.

    No attribute ever holds a token or another secret.
    """

    message: str
    """One line for a person."""
    details: list[dict[str, str]]
    """What is wrong, field by field: dicts with ``field`` and ``message``. The field is ``base`` for a rule over
    several fields. Empty when nothing is known of fields."""
    status: int | None
    """HTTP status of the answer; None when none came."""
    code: str | None
    """The server's own word for the error, such as ``validation_failed``."""
    method: str | None
    """HTTP method of the request."""
    path: str | None
    """Path of the request, without its query."""
    request_id: str | None
    """``X-Request-Id`` of the answer."""
    attempts: int
    """Requests spent; 0 when none left this machine."""
    waited: float
    """Seconds spent waiting for budget, ``Retry-After`` and backoff."""
    idempotency_key: str | None
    """The key that the request carried."""
    retryable: bool
    """Whether the failure may pass by itself, and the same call made again has no second effect. An event that may have
    been accepted is not: make the call again with its ``idempotency_key``."""
    retry_after: float | None
    """Of a failure that may pass: seconds to wait, at most a day; None when unknown."""
    retry_at: privy.types.datetime | None
    """The instant that ``retry_after`` means (aware, UTC); None when unknown."""
    may_have_succeeded: bool
    """Whether a write was lost on the way, so that the server may have acted on it."""
    headers: Headers | None
    """Header fields of the answer; None when none came."""
    body: str | None
    """The beginning of the answer's body, at most 2,048 bytes; None when no answer came."""

    def __init__(
        self,
        message: str = "",
        *,
        details: Iterable[dict[str, str]] = (),
        status: int | None = None,
        code: str | None = None,
        method: str | None = None,
        path: str | None = None,
        request_id: str | None = None,
        attempts: int = 0,
        waited: float = 0.0,
        idempotency_key: str | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
        retry_at: privy.types.datetime | None = None,
        may_have_succeeded: bool = False,
        headers: Headers | None = None,
        body: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = list(details)
        self.status = status
        self.code = code
        self.method = method
        self.path = path
        self.request_id = request_id
        self.attempts = attempts
        self.waited = waited
        self.idempotency_key = idempotency_key
        self.retryable = retryable
        self.retry_after = retry_after
        self.retry_at = retry_at
        self.may_have_succeeded = may_have_succeeded
        self.headers = headers
        self.body = body

    def __reduce__(self) -> tuple[object, tuple[object, ...], dict[str, object]]:
        """For ``pickle`` and ``copy``: every attribute, notes included, whatever arguments a subclass is made from."""
        return _restore, (type(self), self.args), _attributes(self)


class ValidationError(PrivyError):
    """Refused before sending (``status`` is None), or by the server with 400 or 422. ``details`` tells every fault."""


class APIConnectionError(PrivyError):
    """No whole answer came: the connection failed or broke."""


class APITimeoutError(APIConnectionError):
    """No whole answer came in time."""


class APIStatusError(PrivyError):
    """The server answered with an error, or with what is no answer."""


class AuthenticationError(APIStatusError):
    """401: the token is missing, expired, revoked or wrong."""


class PermissionDeniedError(APIStatusError):
    """403: the token lacks the scope that the call needs."""


class NotFoundError(APIStatusError):
    """404: there is no such contact or endpoint."""


class ConflictError(APIStatusError):
    """409: a contact with this e-mail address or phone number exists."""

    contact_id: str | None = None
    """The existing contact, when the answer named it."""


class PayloadTooLargeError(APIStatusError):
    """413: the event's body is larger than 256 KB."""


class RateLimitError(APIStatusError):
    """429: the account's limit of the minute or the day is spent.

    Raised without a request (``attempts`` is 0, ``status`` None) when the budget is known to be spent and waiting for
    it would take longer than ``max_wait``, or until the next day.
    """

    resets_at: privy.types.datetime | None = None
    """When the spent limit is whole again (aware, UTC), when known: the same instant as ``retry_at``."""

    unsent: Sequence[tuple[int, privy.types.Row]] = ()
    """Of a bulk run: the rows taken that no request was made for, as (index, row). Pickled with the error."""


class ServerError(APIStatusError):
    """5xx: the server failed."""


def _restore(cls: type[PrivyError], args: tuple[object, ...]) -> PrivyError:
    return cls.__new__(cls, *args)


def _attributes(error: PrivyError) -> dict[str, object]:
    """What the error holds, in its ``__dict__`` and in the slots of its class."""
    import copyreg

    slots: list[str] = copyreg._slotnames(type(error))  # type: ignore[attr-defined]
    return {**vars(error), **{name: getattr(error, name) for name in slots if hasattr(error, name)}}


def build(
    cls: type[PrivyError],
    *,
    contact_id: str | None,
    retry_at: float | None,
    resets_at: float | None,
    headers: list[tuple[str, str]] | None,
    **fields: Any,
) -> PrivyError:
    """An exception from the fields of an error of the core: see ``ERROR_FIELDS`` in ``python/ext/errors.c``."""
    error = cls(**fields, retry_at=instant(retry_at), headers=None if headers is None else Headers(headers))
    if isinstance(error, ConflictError):
        error.contact_id = contact_id
    if isinstance(error, RateLimitError):
        error.resets_at = instant(resets_at)
    return error


def instant(seconds: float | None) -> datetime | None:
    """Seconds since 1970 as an aware datetime in UTC; None for None and for what no calendar holds."""
    if seconds is None:
        return None
    from datetime import datetime, timedelta, timezone

    try:
        return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)
    except OverflowError:
        return None
