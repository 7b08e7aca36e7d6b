"""The rows of a bulk run, and the error details of those that failed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass
from dataclasses import field as attribute

from . import _core
from ._errors import RateLimitError, ValidationError
from ._result import Failure
from ._row_tables import RowTable, key_of
from ._rows import rows_of
from .types import Any, Row

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


def split(row: Row) -> tuple[Row, Any]:
    """The parameters of a row, and its ``extra``."""
    if not hasattr(row, "items"):
        detail = {"field": "base", "message": f"must be a dict, not {type(row).__name__}"}
        raise ValidationError(f"the row is invalid: it {detail['message']}", details=[detail])
    if "extra" not in row:
        return row, None
    return {name: value for name, value in row.items() if name != "extra"}, row["extra"]


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

    def __init__(self, operation: str, rows: Iterable[Row]) -> None:
        self.given = rows
        self.total = len(rows) if isinstance(rows, Sized) else None
        self.refused: dict[int, list[RefusedRow]] = {}
        self._keys = _core.row_keys(operation)

    def failure(self, index: int, row: Row, error: Exception) -> Failure:
        """The result of a row that failed. Stores its error details for the report."""
        details = getattr(error, "details", None) or [{"field": "base", "message": str(error)}]
        self.refused[index] = _refusals(index, row, self._keys, details)
        return Failure(index, row, error)

    def refusals(self) -> RowTable[RefusedRow]:
        """The error details of all rows that failed, in the order of the rows."""
        return RowTable("refused", [entry for index in sorted(self.refused) for entry in self.refused[index]])

    def unsent(self, taken: int, open_rows: list[tuple[int, Row, bool, str | None]]) -> RowTable[tuple[int, Row]]:
        """The rows without a request: those taken and, if the rows are a sequence, all later ones."""
        unsent = [(index, row) for index, row, in_doubt, _ in open_rows if not in_doubt]
        if isinstance(self.given, Sequence):
            unsent += [(index, self.given[index]) for index in range(taken, len(self.given))]
        return RowTable("unsent", unsent, self._keys)

    def in_doubt(self, open_rows: list[tuple[int, Row, bool, str | None]]) -> RowTable[tuple[int, Row, str | None]]:
        """The rows whose request was sent and whose result was not read."""
        in_doubt = [(index, row, key) for index, row, in_doubt, key in open_rows if in_doubt]
        return RowTable("in_doubt", in_doubt, self._keys)

    def stop(self, error: BaseException, taken: int, open_rows: list[tuple[int, Row, bool, str | None]]) -> None:
        """Completes the error that ends the run."""
        if isinstance(error, RateLimitError):
            error.unsent = self.unsent(taken, open_rows)


def _refusals(index: int, row: Row, keys: tuple[str, ...], details: Iterable[dict[str, str]]) -> list[RefusedRow]:
    key = key_of(row, keys)
    return [
        RefusedRow(index, key, detail["field"], detail["message"], _value_at(row, detail["field"]))
        for detail in details
    ]


def details_of(operation: str, rows: Iterable[Row]) -> RowTable[RefusedRow]:
    """The error details of all rows, without a request."""
    keys = _core.row_keys(operation)
    found: list[RefusedRow] = []
    for index, row in enumerate(rows_of(rows)):
        try:
            params, extra = split(row)
            details = _core.validate(operation, params, extra)
        except ValidationError as error:
            details = error.details
        found += _refusals(index, row, keys, details)
    return RowTable("refused", found)


def validated_rows(operation: str, rows: Iterable[Row]) -> list[Row]:
    """The rows as a list. Raises ValidationError with the error details of all rows if one is invalid."""
    taken = list(rows_of(rows))
    refused = details_of(operation, taken)
    if refused:
        _core.refuse_rows([(entry.index, entry.field, entry.message) for entry in refused], len(taken))
    return taken
