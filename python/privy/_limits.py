"""The rate limits of the account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from . import _core
from ._instant import instant


@dataclass(frozen=True, slots=True)
class RateLimitWindow:
    """One rate limit of the account, from the latest responses. All fields are None before a response has named the
    limit."""

    known: bool = False
    """Whether a response has named the limit."""
    limit: int | None = None
    """Requests that the account may make per window."""
    remaining: int | None = None
    """Requests left in this window, minus those in flight."""
    resets_at: datetime | None = None
    """End of the window (aware, UTC), when ``remaining`` returns to ``limit``; None while the window is unused."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The rate limits of the account. All clients of the account share them."""

    minute: RateLimitWindow
    """The limit per minute."""
    day: RateLimitWindow
    """The limit per day."""

    def _repr_html_(self) -> str:
        """A table of both, for notebooks."""
        from ._html import show_rate_limit

        return show_rate_limit(self)


def _window(window: tuple[int, int, float | None] | None) -> RateLimitWindow:
    if window is None:
        return RateLimitWindow()
    limit, remaining, resets_at = window
    return RateLimitWindow(True, limit, remaining, instant(resets_at))


def rate_limit(core: _core.Client) -> RateLimit:
    """The rate limits that the client knows at this time."""
    minute, day = core.rate_limits()
    return RateLimit(_window(minute), _window(day))
