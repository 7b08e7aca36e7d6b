"""The exceptions of privy. The classes are those of the core's table of errors."""

from __future__ import annotations

from _collections_abc import Iterable, Sequence

import privy

from ._headers import Headers
from ._instant import instant

TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "ConflictError",
    "DeadlineError",
    "JournalError",
    "NotFoundError",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "PrivyError",
    "RateLimitError",
    "ServerError",
    "SnapshotError",
    "ValidationError",
]


class PrivyError(Exception):
    """The base class of all exceptions of privy. Raised itself for an invalid setting.

    No attribute holds a token or another secret.
    """

    message: str
    """One line that describes the error."""
    details: privy.types.Details
    """What is wrong, by field: dicts with ``field``, ``message`` and ``code``. The field is ``base`` for a rule over
    several fields; the code names the rule, and ``count`` is the limit of a rule that has one. Empty if the error is
    not about fields."""
    status: int | None
    """HTTP status of the response; None without a response."""
    code: str | None
    """The error code of the API, such as ``validation_failed``."""
    method: str | None
    """HTTP method of the request."""
    path: str | None
    """Path of the request, without its query."""
    request_id: str | None
    """``X-Request-Id`` of the response."""
    attempts: int
    """Number of requests sent; 0 if none was sent."""
    waited: float
    """Seconds spent waiting for the rate limit, ``Retry-After`` and backoff."""
    idempotency_key: str | None
    """The idempotency key of the request."""
    retryable: bool
    """Whether the same call may succeed later, without a second effect. False for an event that may have been accepted:
    to repeat it, pass its ``idempotency_key``."""
    retry_after: float | None
    """Seconds to wait before a retry, at most a day; None if unknown."""
    retry_at: privy.types.datetime | None
    """The time that ``retry_after`` leads to (aware, UTC); None if unknown."""
    may_have_succeeded: bool
    """Whether the server may have processed a write although its response was lost."""
    headers: Headers | None
    """Header fields of the response; None without a response."""
    body: str | None
    """The beginning of the response body, at most 2,048 bytes; None without a response."""

    def __init__(
        self,
        message: str = "",
        *,
        details: Iterable[privy.types.Detail] = (),
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
        """Pickles and copies every attribute, notes included, with any constructor of a subclass."""
        return _restore, (type(self), self.args), _attributes(self)


class ValidationError(PrivyError):
    """The request is invalid. Raised before sending (``status`` is None), or for a response with 400 or 422.
    ``details`` lists every error."""


class APIConnectionError(PrivyError):
    """No complete response: the connection failed or broke."""


class APITimeoutError(APIConnectionError):
    """No complete response before a timeout."""


class JournalError(PrivyError):
    """The journal of a bulk run cannot be used. ``code`` is the reason, such as ``journal_locked`` while another run
    uses the journal, or ``journal_full`` when the disk has no space left; the message says what to do. Only
    ``journal_locked`` is retryable."""


class SnapshotError(PrivyError):
    """The file of a snapshot or of an export cannot be used. ``code`` is the reason, such as ``snapshot_locked`` while
    another process writes to it, or ``snapshot_filter`` if it holds the contacts of another filter; the message says
    what to do."""


class DeadlineError(PrivyError):
    """The ``until`` of a bulk run has come: the run sends no further request. ``code`` is ``until_reached``."""


class APIStatusError(PrivyError):
    """The server returned an error status, or an invalid response."""


class AuthenticationError(APIStatusError):
    """401: the token is missing, invalid, expired or revoked."""


class PermissionDeniedError(APIStatusError):
    """403: the token lacks the scope of the call."""


class NotFoundError(APIStatusError):
    """404: there is no such contact or endpoint."""


class ConflictError(APIStatusError):
    """409: a contact with this e-mail address or phone number exists."""

    contact_id: str | None = None
    """Id of the existing contact; None if the response does not name it."""


class PayloadTooLargeError(APIStatusError):
    """413: the event's body is larger than 256 KB."""


class RateLimitError(APIStatusError):
    """429: the rate limit of the minute or of the day is reached.

    Raised without a request (``attempts`` is 0, ``status`` None) when the limit is known to be reached and the wait
    would exceed ``max_wait``, or last until the next day.
    """

    resets_at: privy.types.datetime | None = None
    """When the limit resets (aware, UTC), if known: equal to ``retry_at``."""

    unsent: Sequence[tuple[int, privy.types.Row]] = ()
    """In a bulk run: the rows that were taken and not sent, as (index, row). Pickled with the error."""


class ServerError(APIStatusError):
    """5xx: the server failed."""


def _restore(cls: type[PrivyError], args: tuple[object, ...]) -> PrivyError:
    return cls.__new__(cls, *args)


def _attributes(error: PrivyError) -> dict[str, object]:
    """The attributes of the error: in its ``__dict__`` and in slots of its class."""
    import copyreg

    slots: list[str] = copyreg._slotnames(type(error))  # type: ignore[attr-defined]
    return {**vars(error), **{name: getattr(error, name) for name in slots if hasattr(error, name)}}


def build(cls: type[PrivyError], fields: dict[str, Any]) -> PrivyError:
    """An exception from the fields of an error of the core: see ``ERROR_FIELDS`` in ``python/ext/errors.c``.

    Sets all attributes at once, which takes half the time of the constructor.
    """
    contact_id, resets_at = fields.pop("contact_id"), fields.pop("resets_at")
    fields["retry_at"] = instant(fields["retry_at"])
    if fields["headers"] is not None:
        fields["headers"] = Headers(fields["headers"])
    error = cls.__new__(cls, fields["message"])
    error.__dict__.update(fields)
    if isinstance(error, ConflictError):
        error.contact_id = contact_id
    if isinstance(error, RateLimitError):
        error.resets_at = instant(resets_at)
    return error
