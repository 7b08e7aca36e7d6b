"""The rows of a bulk run, and the error details of those that failed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import overload

from . import _core
from ._counted import counted
from ._errors import RateLimitError, ValidationError
from ._result import Failure
from ._row_kinds import parts
from ._row_tables import RowTable, key_of
from ._rows import IterableRows, Source, source_of
from .types import Any, Detail, Nulls, Row

_PART = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One error detail of a row that failed."""

    index: int
    """Position of the row, from 0."""
    key: object = attribute(repr=False)
    """What identifies the row: its order_id, e-mail address, phone number or idempotency key; None without one."""
    field: str
    """The field that is invalid, such as ``line_items[0].price``, or ``base``."""
    message: str
    """What is wrong with the field."""
    value: object = attribute(repr=False)
    """The value of the field in the row; None for ``base``."""
    code: str
    """Which rule the field breaks, as in ``ValidationError.details``."""
    count: int | None = None
    """The limit of that rule, if it has one."""


def _value_at(row: object, field: str) -> object:
    """The value of a field of a row, such as ``line_items[0].price``. None if the row has no such field."""
    value: Any = row
    for index, name in _PART.findall(field):
        try:
            value = value[name] if name else value[int(index)]
        except Exception:
            return None
    return None if field == "base" else value


class Rows:
    """The rows of a run, and the error details for its report."""

    def __init__(self, operation: str, source: Source, nulls: Nulls | None) -> None:
        self.source = source
        self.omits_nulls: bool = nulls == "omit"
        self.refused: dict[int, list[RefusedRow]] = {}
        self._nulls = nulls
        self._keys = _core.row_keys(operation)

    @property
    def total(self) -> int | None:
        """Number of rows; None if unknown."""
        return self.source.total

    def split(self, row: Any) -> tuple[Row, Row, Any, bool]:
        """What the core needs of a row that is no dict, or that has ``extra``."""
        return parts(row, self._nulls)

    def failure(self, index: int, row: Row, error: Exception) -> Failure:
        """The result of a row that failed. Stores its error details for the report."""
        details = getattr(error, "details", None) or [{"field": "base", "message": str(error), "code": "call_failed"}]
        self.refused[index] = refusals_of(index, row, self._keys, details)
        return Failure(index, row, error)

    def refusals(self) -> RowTable[RefusedRow]:
        """The error details of all rows that failed, in the order of the rows."""
        return RowTable("refused", [entry for index in sorted(self.refused) for entry in self.refused[index]])

    def unsent(self, taken: int, open_rows: list[tuple[int, Row, bool, str | None]]) -> RowTable[tuple[int, Row]]:
        """The rows without a request: those taken and, if the source holds them, all later ones."""
        unsent = [(index, row) for index, row, in_doubt, _ in open_rows if not in_doubt]
        later = self.source.after(taken)
        listed = isinstance(later, list)
        items = unsent + list(enumerate(later, taken)) if listed else Unsent(unsent, taken, later)
        return RowTable("unsent", items, self._keys)

    def in_doubt(self, open_rows: list[tuple[int, Row, bool, str | None]]) -> RowTable[tuple[int, Row, str | None]]:
        """The rows whose request was sent and whose result was not read."""
        in_doubt = [(index, row, key) for index, row, in_doubt, key in open_rows if in_doubt]
        return RowTable("in_doubt", in_doubt, self._keys)

    def stop(self, error: BaseException, taken: int, open_rows: list[tuple[int, Row, bool, str | None]]) -> None:
        """Completes the error that ends the run."""
        if isinstance(error, RateLimitError):
            error.unsent = self.unsent(taken, open_rows)


class Unsent(Sequence[tuple[int, Row]]):
    """Rows without a request. Those that a frame still holds are converted when they are read."""

    def __init__(self, first: list[tuple[int, Row]], taken: int, later: Sequence[Row]) -> None:
        self._first = first
        self._taken = taken
        self._later = later

    def __len__(self) -> int:
        return len(self._first) + len(self._later)

    @overload
    def __getitem__(self, at: int) -> tuple[int, Row]: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[tuple[int, Row]]: ...
    def __getitem__(self, at: int | slice) -> tuple[int, Row] | Sequence[tuple[int, Row]]:
        if isinstance(at, slice):
            return [self[index] for index in range(*at.indices(len(self)))]
        if not -len(self) <= at < len(self):
            raise IndexError("there are fewer rows")
        at = at % len(self) - len(self._first)
        return self._first[at] if at < 0 else (self._taken + at, self._later[at])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(tuple.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{counted(len(self), 'row')}>"


def refusals_of(index: int, row: Row, keys: tuple[str, ...], details: Iterable[Detail]) -> list[RefusedRow]:
    """The error details of a row, with its key and its values."""
    key = key_of(row, keys)
    return [
        RefusedRow(index, key, name, detail["message"], _value_at(row, name), detail["code"], detail.get("count"))
        for detail in details
        for name in [detail["field"]]
    ]


def details_of(operation: str, rows: object, nulls: Nulls | None = None) -> RowTable[RefusedRow]:
    """The error details of all rows, without a request."""
    checked = _checked(operation, source_of(operation, rows, nulls), nulls)
    return RowTable("refused", [entry for entries, _ in checked for entry in entries])


def _checked(operation: str, source: Source, nulls: Nulls | None) -> Iterator[tuple[list[RefusedRow], Row]]:
    """The error details of each row, and the row."""
    keys = _core.row_keys(operation)
    for index, row in enumerate(source):
        details, shown = [], row
        try:
            shown, params, extra, omits = parts(row, nulls)
            details = _core.validate(operation, params, extra, omits)
        except ValidationError as error:
            details = error.details
        yield refusals_of(index, shown, keys, details), row


def checked_source(operation: str, rows: object, nulls: Nulls | None) -> Source:
    """The source of rows. Raises ValidationError with the error details of all rows if one is invalid. Holds the rows
    of a source that cannot be read twice."""
    source = source_of(operation, rows, nulls)
    refused: list[RefusedRow] = []
    held: list[Row] = []
    count = 0
    for entries, row in _checked(operation, source, nulls):
        count += 1
        refused += entries
        if not source.repeatable:
            held.append(row)
    if refused:
        details = [(entry.index, entry.field, entry.message, entry.code, entry.count) for entry in refused]
        _core.refuse_rows(details, count)
    return source if source.repeatable else IterableRows(held)
