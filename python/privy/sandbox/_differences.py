"""The differences between a stored record and what a test expects. Imported on first use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any

from .. import _core
from ._stored import EVENT_FIELDS, SandboxEvent, time_of

_LISTED = 10  # keys that a message lists
_LONGEST = 120  # characters of a line that shows lists and mappings completely
_NOTHING = object()


def check(title: str, stored: Mapping[str, object], expected: Mapping[str, object], operation: str) -> None:
    """Raises AssertionError with one line for each expected field that the record lacks or that differs."""
    __tracebackhide__ = True
    lines = differences(stored, expected, operation)
    if lines:
        raise AssertionError("\n".join([f"{title} differs:", *lines]))


def missing(title: str, keys: Iterable[object], what: str) -> AssertionError:
    """The error for a record that is not stored: names the first keys that are."""
    first = [str(key) for key in islice(keys, _LISTED + 1)]
    some = ", ".join(first[:_LISTED]) + (", …" if len(first) > _LISTED else "")
    return AssertionError(f"the sandbox stores no {title}; it stores {f'{what} {some}' if some else f'no {what}'}")


def check_event(events: tuple[SandboxEvent, ...], event_type: str, expected: Mapping[str, object]) -> SandboxEvent:
    """The first event of that type that has the expected fields. The error shows the event that differs least."""
    __tracebackhide__ = True
    found = [event for event in events if event.event_type == event_type]
    if not found:
        types = dict.fromkeys(event.event_type for event in events)
        raise missing(f"event of type {event_type!r}", types, "events of type" if types else "events")
    compared = [(differences(_fields(event), expected, "events.ingest"), event) for event in found]
    lines, event = min(compared, key=lambda pair: len(pair[0]))
    if lines:
        many = f"none of the {len(found)} events" if len(found) > 1 else "the event"
        nearest = "; the nearest differs:" if len(found) > 1 else " differs:"
        head = f"{many} of type {event_type!r}{' is as expected' if len(found) > 1 else ''}{nearest}"
        raise AssertionError("\n".join([head, *lines]))
    return event


def differences(stored: Mapping[str, object], expected: Mapping[str, object], operation: str) -> list[str]:
    """The lines for the expected fields that the record lacks or that differ. A name that no field has differs from
    every value: otherwise a misspelt name would pass with None."""
    kinds = _kinds(operation)
    lines: list[str] = []
    for name, value in expected.items():
        if not _same(stored.get(name), value, kinds.get(name)):
            lines += _lines(name, value, stored.get(name, _NOTHING))
        elif name not in stored and name not in kinds:
            lines.append(f"  {name}: expected {_shown(value)}, but no field has this name")
    return lines


def _lines(name: str, expected: object, stored: object) -> list[str]:
    """The line of a value that differs; if it is long, the lines of the members that differ."""
    line = f"  {name}: expected {_shown(expected)}, stored {_shown(stored)}"
    wanted, there = _members(expected), _members(stored)
    if len(line) <= _LONGEST or wanted is None or there is None:
        return [line]
    pairs = ((key, wanted.get(key, _NOTHING), there.get(key, _NOTHING)) for key in {**wanted, **there})
    return [part for key, one, other in pairs if not _same(other, one) for part in _lines(f"{name}{key}", one, other)]


def _members(value: object) -> dict[str, object] | None:
    """The members of a mapping or a list, by what follows its name."""
    if isinstance(value, Mapping):
        return {f".{key}": member for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return {f"[{index}]": member for index, member in enumerate(value)}
    return None


def _fields(event: SandboxEvent) -> dict[str, object]:
    return {name: value for name in EVENT_FIELDS if (value := getattr(event, name)) is not None}


def _kinds(operation: str) -> dict[str, str]:
    """The kinds of the parameters of an operation: the amounts "95.00" and 95 are equal."""
    tables: list[dict[str, Any]] = _core.schema()["operations"]
    found = next(table for table in tables if table["name"] == operation)
    return {row["name"]: row["kind"] for row in found["params"]}


def _same(stored: object, expected: object, kind: str | None = None) -> bool:
    if isinstance(stored, Mapping) and isinstance(expected, Mapping):
        return stored.keys() == expected.keys() and all(_same(stored[name], expected[name]) for name in expected)
    if isinstance(stored, (list, tuple)) and isinstance(expected, (list, tuple)):
        return len(stored) == len(expected) and all(map(_same, stored, expected))
    if kind == "time" or isinstance(stored, datetime) or isinstance(expected, datetime):
        return _time(stored) == _time(expected)
    if isinstance(stored, bool) or isinstance(expected, bool):
        return stored is expected
    if kind == "money" or isinstance(stored, (int, float, Decimal)):
        return _number(stored) == _number(expected)
    return stored == expected


def _time(value: object) -> object:
    return time_of(value) if isinstance(value, str) else value


def _number(value: object) -> object:
    """The number in a value; the value itself if it holds none."""
    try:
        return Decimal(str(value)) if isinstance(value, (int, float, Decimal, str)) else value
    except InvalidOperation:
        return value


def _shown(value: object) -> str:
    if value is _NOTHING:
        return "nothing"
    return repr(str(value)) if isinstance(value, Decimal) else repr(value)
