"""Times as datetimes."""

from __future__ import annotations

TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from datetime import datetime


def instant(seconds: float | None) -> datetime | None:
    """Seconds since 1970 as an aware datetime in UTC; None for None and for a time that datetime cannot hold."""
    if seconds is None:
        return None
    from datetime import datetime, timedelta, timezone

    try:
        return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)
    except OverflowError:
        return None
