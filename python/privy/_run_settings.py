"""The settings of a complete bulk run: its journal, and when it ends early. Imported when one is given."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime

from .types import RunSettings

RESUME = ("auto", "only", "restart")
ON_SPENT_DAY = ("stop", "wait")
"""In the order of the core's values."""


def checked(journal: object, resume: str, on_spent_day: str, until: object) -> RunSettings:
    """The values for the core.

    Raises:
        TypeError, ValueError: a value is invalid.
    """
    path = None if journal is None else path_of("journal", journal)
    chosen = choice("resume", resume, RESUME)
    if chosen and path is None:
        raise ValueError(f"resume={resume!r} needs a journal")
    return path, chosen, choice("on_spent_day", on_spent_day, ON_SPENT_DAY), _seconds(until)


def path_of(name: str, value: object) -> bytes:
    """The path of a file for the core; ``name`` is that of the setting.

    Raises:
        TypeError, ValueError: it is not a path.
    """
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name} must be a path: a str or an os.PathLike, not {type(value).__name__}")
    path = os.fsencode(value)
    if not path:
        raise ValueError(f"{name} must be the path of a file, not an empty text")
    if b"\0" in path:
        raise ValueError(f"{name} must be the path of a file: it contains a null character")
    return path


def choice(name: str, value: object, choices: Sequence[str]) -> int:
    """The position of a value among its choices.

    Raises:
        ValueError: it is another value.
    """
    for position, choice in enumerate(choices):
        if value == choice:
            return position
    raise ValueError(f"{name} must be {' or '.join(map(repr, choices))}, not {value!r}")


def _seconds(until: object) -> float:
    if until is None:
        return 0.0
    if isinstance(until, str):
        until = _read(until)
    if not isinstance(until, datetime):
        raise TypeError(f"until must be a datetime or ISO 8601 text with a time zone, not {type(until).__name__}")
    if until.utcoffset() is None:
        raise ValueError("until has no time zone: use datetime.now().astimezone(), or tzinfo=timezone.utc")
    return max(until.timestamp(), 1.0)  # 0 is no instant to the core


def _read(text: str) -> datetime:
    try:
        # before Python 3.11 fromisoformat does not know Z
        return datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith(("Z", "z")) else text)
    except ValueError:
        message = "until must be ISO 8601 text with a time zone, such as 2026-05-12T07:00:00+02:00, not"
        raise ValueError(f"{message} {text!r}") from None
