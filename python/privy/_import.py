"""Imports of files: rows of an operation from the lines of a shop's export.

The core decides what a map means and how values are converted; this module reads zones and phone numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, NamedTuple, cast

from . import _core
from ._counted import counted

__all__ = ["Change", "Fault", "ImportRow", "Importer", "presets", "conversions", "read_map"]

State = Literal["ready", "refused", "skipped"]
ImportParts = tuple[
    State,
    str,
    str,
    str,
    list[tuple[int, str]],
    list[tuple[int, str, str, str, str]],
    list[tuple[int, str, str, str, str, str]],
]
"""A row of the core: state, key, fields as JSON, reason, lines, changes, faults."""


class Change(NamedTuple):
    """A value that was changed to be sendable."""

    line: int
    column: str
    before: str
    after: str
    rule: str
    """The conversion, such as ``"amount"``."""


class Fault(NamedTuple):
    """Why a row is refused. ``code`` is one of the codes of error details, or of docs/import.md."""

    line: int
    column: str
    """Empty if the fault is not one of a column."""
    field: str
    """As in error details: ``"line_items[0].price"``, or ``"base"``."""
    value: str
    message: str
    code: str


class ImportRow:
    """One row of an import: what is sent, or why it is not."""

    __slots__ = ("_fields", "_lines", "changes", "faults", "key", "reason", "state")

    def __init__(self, parts: ImportParts) -> None:
        self.state: State = parts[0]
        self.key: str = parts[1]
        """What a person calls the row: its order number, e-mail address or phone number. It may be empty."""
        self._fields = parts[2]
        self.reason: str = parts[3]
        """Why the map leaves the lines out, if ``state`` is ``"skipped"``."""
        self._lines = parts[4]
        self.changes: list[Change] = [Change(*change) for change in parts[5]]
        self.faults: list[Fault] = [Fault(*fault) for fault in parts[6]]

    @property
    def fields(self) -> dict[str, Any]:
        """The parameters of the operation, a new dict; of a refused row those that could be converted."""
        return cast("dict[str, Any]", json.loads(self._fields, parse_float=Decimal))

    @property
    def lines(self) -> list[int]:
        """The numbers of its lines in the file."""
        return [number for number, _ in self._lines]

    def rejects(self, field: str | None = None, reason: str | None = None) -> str:
        """Its original lines as CSV, each with its number, a field and a reason in front.

        Args:
            field: The field that is wrong. Default: those of the faults.
            reason: Why the row was not accepted. Default: the messages of the faults.
        """
        if field is None:
            field = "; ".join(dict.fromkeys(fault.field for fault in self.faults))
        if reason is None:
            reason = "; ".join(dict.fromkeys(f"{fault.field}: {fault.message}" for fault in self.faults)) or self.reason
        return "".join(f"{_csv(str(number), field, reason)},{line}\n" for number, line in self._lines)

    def __repr__(self) -> str:
        key: Any = _core.mask(self.key)
        counts = f"{counted(len(self._lines), 'line')}, {counted(len(self.faults), 'fault')}"
        return f"<ImportRow {self.state} {key!r}: {counts}>"


class Importer:
    """Makes rows of an operation from the lines of a file. It reads the file twice.

    The first reading decides what one line cannot: whether ``1,234`` is a thousand, whether ``03/04/2026`` is in April,
    and where an order ends whose lines are scattered over the file.

    Args:
        operation: ``"orders.upsert"``, ``"contacts.upsert"`` or ``"events.ingest"``.
        map: Which column becomes which field (docs/import.md), as ``read_map`` reads it from TOML.
        preset: The name of a preset, or ``"auto"``: found by the header.
        country: Of phone numbers without ``+``: two letters.
        currency: Of rows that have none.
        timezone: Of times without an offset: ``"UTC"``, ``"+02:00"`` or a name such as ``"Europe/Berlin"``.
        delimiter: One character. Default: found in the first line.

    Raises:
        ValidationError: The map is invalid; ``details`` has all faults.
    """

    def __init__(
        self,
        operation: str,
        *,
        map: Mapping[str, object] | None = None,
        preset: str | None = None,
        country: str | None = None,
        currency: str | None = None,
        timezone: str | None = None,
        delimiter: str | None = None,
    ) -> None:
        text = None if map is None else json.dumps(map, ensure_ascii=False, default=str)
        self._core = _core.Import(
            operation, text, preset, country, currency, timezone, _phone_reader(), _offset, delimiter or ""
        )

    # ---- bytes of a file ----

    def survey(self, chunk: bytes) -> None:
        """Reads bytes for the first time.

        Raises:
            ValidationError: The map does not fit the header, or a quote is not closed.
        """
        self._core.survey(chunk)

    def survey_end(self) -> None:
        """Ends the first reading."""
        self._core.end_survey()

    def feed(self, chunk: bytes) -> list[ImportRow]:
        """Reads bytes, from the beginning of the file. Returns the rows that are complete."""
        return [ImportRow(parts) for parts in self._core.feed(chunk)]

    def finish(self) -> list[ImportRow]:
        """Ends the file. Returns the last rows."""
        return [ImportRow(parts) for parts in self._core.finish()]

    def survey_file(self, chunks: Iterable[bytes]) -> None:
        """The complete first reading."""
        for chunk in chunks:
            self.survey(chunk)
        self.survey_end()

    def rows(self, chunks: Iterable[bytes]) -> Iterator[ImportRow]:
        """The complete second reading."""
        for chunk in chunks:
            yield from self.feed(chunk)
        yield from self.finish()

    # ---- cells, of sources that are no delimited text ----

    def header(self, names: Sequence[str]) -> None:
        """Sets the names of the columns.

        Raises:
            ValidationError: The map does not fit them.
        """
        self._core.header(names)

    def survey_cells(self, line: int, cells: Sequence[object]) -> None:
        """Reads a row of cells for the first time. None is an empty cell."""
        self._core.survey_cells(line, [_text(cell) for cell in cells])

    def add(self, line: int, cells: Sequence[object]) -> list[ImportRow]:
        """Adds a row of cells. Returns the rows that are complete; after the last one call ``finish``."""
        return [ImportRow(parts) for parts in self._core.add_cells(line, [_text(cell) for cell in cells])]

    # ---- what was found ----

    @property
    def preset(self) -> str | None:
        """The name of the preset that is used."""
        return self._core.preset

    @property
    def timezone(self) -> str | None:
        """The zone of times without an offset, of the argument or the map."""
        return self._core.timezone

    @property
    def encoding(self) -> str | None:
        """The encoding of the file, known after a reading."""
        return self._core.encoding

    @property
    def delimiter(self) -> str | None:
        """The delimiter of the file, known after a reading."""
        return self._core.delimiter

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self._core.columns

    @property
    def unused(self) -> list[str]:
        """The columns that no field uses."""
        return self._core.unused

    @property
    def total(self) -> int:
        """How many rows the first reading found."""
        return self._core.surveyed

    def rejects_header(self) -> str:
        """The first line of a file of rejects: ``privy_line``, ``privy_field``, ``privy_reason``, and the columns.

        Such a file can be imported again: its first three columns are not used."""
        return self._core.rejects_header() + "\n"


def read_map(text: bytes) -> dict[str, Any]:
    """Reads a map that is written in TOML.

    Raises:
        ValidationError: It is not TOML; the message names the line.
    """
    return cast("dict[str, Any]", json.loads(_core.import_toml(text)))


def presets() -> list[tuple[str, str, str]]:
    """The presets: name, operation, what it is."""
    return _core.import_tables()[0]


def conversions() -> list[tuple[str, str]]:
    """The conversions: name, what it does."""
    return _core.import_tables()[1]


def _csv(*cells: str) -> str:
    return ",".join(_quoted(cell) for cell in cells)


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',"\r\n') else cell


def _text(cell: object) -> str | None:
    """A cell as text: JSON's words for booleans, ISO 8601 for times."""
    if cell is None or isinstance(cell, str):
        return cell if cell is None or cell.isascii() else cell.encode("utf-8", "replace").decode()
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, float):
        return "" if cell != cell else str(Decimal(repr(cell))) if "e" not in repr(cell) else f"{Decimal(repr(cell)):f}"
    if isinstance(cell, (list, tuple)):
        return ",".join(_text(item) or "" for item in cell)
    return str(cell)


_EPOCH = datetime(1970, 1, 1)
_EXACT, _REPEATED, _SKIPPED = 0, 1, 2


@lru_cache(maxsize=64)
def _zone(name: str) -> Any:
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):  # LookupError: ZoneInfoNotFoundError
        return None


def _offset(name: str, local: int) -> tuple[int, int] | None:
    """The offset of a zone at a local time, and whether clocks show that time once, twice or never."""
    zone = _zone(name)
    if zone is None:
        return None
    wall = (_EPOCH + timedelta(seconds=local)).replace(tzinfo=zone)
    first, second = wall.utcoffset() or timedelta(), wall.replace(fold=1).utcoffset() or timedelta()
    result = _EXACT
    if first != second:
        there = (wall - first).replace(tzinfo=timezone.utc).astimezone(zone).replace(tzinfo=None)
        result = _REPEATED if there == wall.replace(tzinfo=None) else _SKIPPED
    return int(first.total_seconds()), result


def _phone_reader() -> Callable[[str, str | None], str | None] | None:
    """Reads phone numbers by phonenumbers, if it is installed."""
    try:
        import phonenumbers
    except ImportError:
        return None

    def read(text: str, country: str | None) -> str | None:
        try:
            number = phonenumbers.parse(text, country)
        except phonenumbers.NumberParseException:
            return None
        # A number without its area code is "possible" too.
        if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
            return None
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

    return read
