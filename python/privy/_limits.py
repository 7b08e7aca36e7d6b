"""What is left of the account's limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from . import _core
from ._errors import instant


@dataclass(frozen=True, slots=True)
class RateLimitWindow:
    """One limit of the account, as the latest answers told it. All fields are None before any answer has."""

    known: bool = False
    """Whether an answer has told of the limit yet."""
    limit: int | None = None
    """Requests that the account may make in a window."""
    remaining: int | None = None
    """Requests left in this window, those under way taken off."""
    resets_at: datetime | None = None
    """When the window ends (aware, UTC) and ``remaining`` is ``limit`` again; None while nothing of it is used."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What is left of the account's budget. The limits are shared by everything that uses the account."""

    minute: RateLimitWindow
    """The limit of the minute."""
    day: RateLimitWindow
    """The limit of the day."""


def _window(told: tuple[int, int, float | None] | None) -> RateLimitWindow:
    if told is None:
        return RateLimitWindow()
    limit, remaining, resets_at = told
    return RateLimitWindow(True, limit, remaining, instant(resets_at))


def rate_limit(core: _core.Client) -> RateLimit:
    """What the client knows of the limits right now."""
    minute, day = core.rate_limits()
    return RateLimit(_window(minute), _window(day))
