"""Exit codes, and errors that end the command."""

from __future__ import annotations

import click

from .._errors import (
    AuthenticationError,
    DeadlineError,
    PermissionDeniedError,
    PrivyError,
    RateLimitError,
)

DONE = 0
REFUSED = 1
"""Something was refused or failed: rows of a file, or the one call."""
USAGE = 2
CREDENTIALS = 3
SPENT = 4
"""The rate limit does not allow more now."""
INTERRUPTED = 130


class Failure(click.ClickException):
    """An error with its exit code. The message is one line or more, without a full stop."""

    def __init__(self, message: str, code: int = REFUSED, kind: str = "Error") -> None:
        super().__init__(message)
        self.code = code
        self.kind = kind


class Usage(Failure):
    """The command line, the file or a setting cannot be used."""

    def __init__(self, message: str) -> None:
        super().__init__(message, USAGE, "UsageError")


def code_of(error: PrivyError) -> int:
    """The exit code of an error of the client."""
    if isinstance(error, (AuthenticationError, PermissionDeniedError)):
        return CREDENTIALS
    if isinstance(error, (RateLimitError, DeadlineError)):
        return SPENT
    unsent = error.status is None and error.attempts == 0
    return USAGE if type(error) is PrivyError and unsent else REFUSED


def reason_of(error: PrivyError) -> str:
    """The message of an error of the client, with what to do next."""
    message = str(error)
    if isinstance(error, AuthenticationError):
        return f"{message}\nRun `privy login`, or set PRIVY_API_TOKEN."
    if isinstance(error, RateLimitError) and error.retry_at is not None:
        return f"{message}\nRequests are possible again at {moment(error.retry_at)}."
    return message


def moment(at: object) -> str:
    """An instant in the time zone of this machine, such as ``2026-11-28 07:00 CET``."""
    from datetime import datetime

    assert isinstance(at, datetime)
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S %Z}"
