"""The rows of a bulk run's report as cells of its tables. Imported with the first such table.

A row is what a program passed: it may hold values that cannot be sent, which are often why it was refused. So every
value becomes text here, and none raises.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

from ._bulk_rows import RefusedRow
from ._core import omit
from ._json import json_default
from ._row_tables import key_of
from ._values import plain
from .types import TYPE_CHECKING, Row

if TYPE_CHECKING:
    from ._journal import InDoubtEntry, RefusedEntry
    from ._plan import PlanRow

Cells = tuple[object, ...]
_DEEPEST = 50
"""Levels of a value that are shown. A value may contain itself."""
_LARGEST = 10_000
"""Bits from which Python may refuse to write an int in decimal."""


def _refused(entry: RefusedRow, keys: tuple[str, ...]) -> Cells:
    key, value = _text(entry.key), _text(entry.value)
    return entry.index, key, _valid(entry.field), _valid(entry.message), value, entry.code


def _unsent(entry: tuple[int, Row], keys: tuple[str, ...]) -> Cells:
    index, row = entry
    return index, _text(key_of(row, keys)), _json(row)


def _in_doubt(entry: tuple[int, Row, str | None], keys: tuple[str, ...]) -> Cells:
    index, row, idempotency_key = entry
    return index, _text(key_of(row, keys)), _json(row), idempotency_key


def _journal_refused(entry: RefusedEntry, keys: tuple[str, ...]) -> Cells:
    value = entry.value
    shown = value if isinstance(value, str) else entry.value_json
    return (
        entry.row,
        entry.key,
        entry.field,
        entry.message,
        None if shown is None else _valid(shown),
        entry.code,
        entry.count,
        entry.status,
        entry.request_json,
    )


def _journal_in_doubt(entry: InDoubtEntry, keys: tuple[str, ...]) -> Cells:
    sent = None if entry.first_sent is None else entry.first_sent.isoformat()
    return entry.row, entry.key, entry.idempotency_key, sent, entry.too_old, entry.decided, entry.request_json


CELLS: dict[str, Callable[[Any, tuple[str, ...]], Cells]] = {
    "refused": _refused,
    "unsent": _unsent,
    "in_doubt": _in_doubt,
    "journal_refused": _journal_refused,
    "journal_in_doubt": _journal_in_doubt,
}


def _changes(row: PlanRow) -> Iterator[Cells]:
    """A line for each field that changes, or one without a field."""
    head = row.index, _valid(row.key), row.contact_id
    for name, change in row.changes.items():
        yield *head, _valid(name), _text(change.old), _text(change.new)
    if not row.changes:
        yield *head, None, None, None


def _blocked(row: PlanRow) -> Iterator[Cells]:
    """A line for each reason."""
    for reason in row.reasons:
        head = row.index, _valid(row.key), row.contact_id
        yield *head, _valid(reason["field"]), _valid(reason["message"]), reason["code"]


LINES: dict[str, Callable[[PlanRow], Iterator[Cells]]] = {"changes": _changes, "blocked": _blocked}
"""Tables that have several lines for an item."""


def cells_of(report: str, items: Iterable[Any], keys: tuple[str, ...]) -> Iterator[Cells]:
    """The lines of a table."""
    for item in items:
        if report in LINES:
            yield from LINES[report](item)
        else:
            yield CELLS[report](item, keys)


def _text(value: object) -> str | None:
    """A text as it is, None as null, anything else as JSON."""
    if value is None:
        return None
    return _valid(value) if isinstance(value, str) else _json(value)


def _json(value: object) -> str:
    try:
        text = _encode(value)
    except Exception:  # a value without a form in JSON, or an error of its own methods
        text = _encode(_shown(value, 0))
    return _valid(text)


def _valid(text: str) -> str:
    """The text, without lone surrogates: UTF-8 has none."""
    if text.isascii():
        return str(text)
    return text.encode("utf-8", "backslashreplace").decode()


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=json_default).encode


def _shown(value: Any, depth: int) -> object:
    """The value made of what JSON has a form for: anything else becomes its text."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if value.bit_length() < _LARGEST else hex(value)
    if depth == _DEEPEST:
        return "..."
    try:
        if hasattr(value, "items"):
            return {str(name): _shown(item, depth + 1) for name, item in value.items() if item is not omit}
        if isinstance(value, (list, tuple)):
            return [_shown(item, depth + 1) for item in value]
        return _converted(value, depth)
    except Exception:
        return f"<{type(value).__name__}>"


def _converted(value: Any, depth: int) -> object:
    try:
        _encode(value)
    except Exception:
        if isinstance(value, (float, date)):  # NaN and infinity; a datetime is a date
            return str(value) if isinstance(value, float) else value.isoformat()
        other = plain(value)
        if other is NotImplemented:
            return str(value)
        return other.decode() if isinstance(other, bytes) else _shown(other, depth + 1)
    return json.loads(_encode(value))
