"""Rows of a file by a map, a preset, or the names of its columns. The core maps and converts."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from .._core import import_toml
from .._errors import ValidationError
from .._import import Fault, Importer, ImportRow, presets
from ._encodings import NAMES
from ._exit import Usage
from ._file_rows import FileRow, FileRows, broken_row, faults_of, have_shape, kinds_of, names_of
from ._readers import Broken, Lines, open_lines


def open_rows(
    file: str,
    operation: str,
    *,
    map_file: str | None,
    preset: str | None,
    country: str | None,
    timezone: str | None,
    currency: str | None,
    form: str | None,
    encoding: str | None,
    delimiter: str | None,
) -> FileRows:
    """The rows of a file.

    Raises:
        Usage: the file or the map cannot be used.
    """
    lines = open_lines(file, form, encoding, delimiter)
    given: dict[str, Any] = {"country": country, "currency": currency, "timezone": timezone}
    given["preset"] = None if preset is None else _preset(preset, operation)
    given["map"] = None if map_file is None else _read_map(map_file)
    if lines.chunks is not None:
        return MappedRows(lines, operation, given)
    by_names = map_file is None and preset is None and have_shape(lines, operation)
    return (ObjectRows if by_names else CellRows)(lines, operation, given)


def _preset(name: str, operation: str) -> str:
    """The preset of this name for the operation: ``shopify`` is ``shopify_orders`` for orders."""
    full = f"{name}_{operation.partition('.')[0]}"
    return full if any(known == full for known, _, _ in presets()) else name


def _read_map(path: str) -> dict[str, Any]:
    """The map in a file. The core reads TOML, for both languages in the same way."""
    with open(path, "rb") as file:
        text = file.read()
    try:
        found: dict[str, Any] = json.loads(import_toml(text))
    except ValidationError as error:
        raise Usage(f"--map {path}: {error}") from None
    return found


class MappedRows:
    """The rows of a delimited file."""

    def __init__(self, lines: Lines, operation: str, given: dict[str, Any]) -> None:
        self._lines = lines
        self._operation = operation
        self._given = given
        self._by_names = given["map"] is None and given["preset"] is None
        if self._by_names:
            self._given = {**given, "map": self._map_of_names()}
        importer = self._surveyed()
        self.rejects_header: str | None = importer.rejects_header()
        self.notes = [*lines.notes, *self._found(importer)]

    def _found(self, importer: Importer) -> Iterator[str]:
        if self._lines.chunks is not None and not self._lines.delimiter:
            yield f"delimiter: {NAMES.get(importer.delimiter or '', importer.delimiter)}"
        if importer.preset is not None:
            yield f"preset: {importer.preset}"
        if importer.unused:
            yield f"columns that no field uses: {', '.join(importer.unused)}"

    def _surveyed(self) -> Importer:
        """An importer that has read all lines once."""
        try:
            importer = Importer(self._operation, **self._given, delimiter=self._lines.delimiter or None)
            self._survey(importer)
        except ValidationError as error:
            hint = "\nName the columns as the fields of the API, or pass --map or --preset." if self._by_names else ""
            raise Usage(_listed(error) + hint) from None
        return importer

    def _map_of_names(self) -> dict[str, Any]:
        """A map for columns that are named as fields, such as ``email`` and ``line_items.sku``."""
        fields = kinds_of(self._operation)
        names = {name.strip(): name for name in self._header() if name.strip().partition(".")[0].lower() in fields}
        return {"columns": {name.lower() if "." not in name else name: column for name, column in names.items()}}

    def _header(self) -> list[str]:
        """The names of the columns, whatever the map needs."""
        assert self._lines.chunks is not None
        importer = Importer(self._operation, delimiter=self._lines.delimiter or None)
        with suppress(ValidationError):
            importer.survey_file(itertools.islice(self._lines.chunks(), 1))
        return importer.columns

    def _survey(self, importer: Importer) -> None:
        assert self._lines.chunks is not None
        importer.survey_file(self._lines.chunks())

    def __iter__(self) -> Iterator[FileRow]:
        assert self._lines.chunks is not None
        return map(self._row, self._surveyed().rows(self._lines.chunks()))

    def _row(self, found: ImportRow) -> FileRow:
        row = FileRow(found.lines, found, found.key, [text for _, text in found._lines], found.changes, found.faults)
        row.left_out = found.reason if found.state == "skipped" else ""
        row.starts = self._operation == "orders.upsert" and '"initial_sync":true' not in found._fields
        return row


class CellRows(MappedRows):
    """The rows of objects that a map makes, such as those of Parquet."""

    def __init__(self, lines: Lines, operation: str, given: dict[str, Any]) -> None:
        self._names = self._names_of(lines)
        super().__init__(lines, operation, given)
        self.rejects_header = None

    def _names_of(self, lines: Lines) -> list[str]:
        return names_of(lines)

    def _header(self) -> list[str]:
        return self._names

    def _cells(self, value: Any) -> list[object]:
        return [value.get(name) for name in self._names]

    def _survey(self, importer: Importer) -> None:
        importer.header(self._names)
        for number, value in self._lines.read():
            if not isinstance(value, Broken):
                importer.survey_cells(number, self._cells(value))
        importer.survey_end()

    def __iter__(self) -> Iterator[FileRow]:
        importer = self._surveyed()
        held: dict[int, Any] = {}
        for number, value in self._lines.read():
            if isinstance(value, Broken):
                yield broken_row(number, value)
                continue
            held[number] = value
            for found in importer.add(number, self._cells(value)):
                yield self._with_objects(self._row(found), held)
        for found in importer.finish():
            yield self._with_objects(self._row(found), held)

    @staticmethod
    def _with_objects(row: FileRow, held: dict[int, Any]) -> FileRow:
        """The row with the objects that it was made of."""
        row.sources = [held.pop(number) for number in row.lines]
        return row


class ObjectRows(CellRows):
    """Objects whose members are the parameters of the operation: each is a row. Scalars are converted as cells are, and
    members that are objects or lists stay as they are."""

    def __init__(self, lines: Lines, operation: str, given: dict[str, Any]) -> None:
        kinds = kinds_of(operation)
        self._whole = {name for name in (*kinds, "extra") if kinds.get(name, "any") == "any"}
        super().__init__(lines, operation, given)

    def _names_of(self, lines: Lines) -> list[str]:
        return names_of(lines, self._is_cell)

    def _is_cell(self, name: str, value: Any) -> bool:
        return name not in self._whole and not isinstance(value, (dict, list))

    def _cells(self, value: Any) -> list[object]:
        return [value.get(name) if self._is_cell(name, value.get(name)) else None for name in self._names]

    def _readings(self) -> Iterator[tuple[int, int, Any]]:
        """(which importer, number, object). An importer sees each order once: more lines of it would be one order."""
        seen: dict[str, int] = {}
        for number, value in self._lines.read():
            key = "" if isinstance(value, Broken) else str(value.get("order_id", ""))
            yield seen.get(key, 0), number, value
            if key:
                seen[key] = seen.get(key, 0) + 1

    def _surveyed(self) -> Importer:
        return self._importers()[0]

    def _importers(self) -> list[Importer]:
        importers: list[Importer] = [self._new_importer()]
        try:
            for at, number, value in self._readings():
                if at == len(importers):
                    importers.append(self._new_importer())
                if not isinstance(value, Broken):
                    importers[at].survey_cells(number, self._cells(value))
            for importer in importers:
                importer.survey_end()
        except ValidationError as error:
            raise Usage(_listed(error)) from None
        return importers

    def _new_importer(self) -> Importer:
        try:
            importer = Importer(self._operation, **self._given)
            importer.header(self._names)
        except ValidationError as error:
            raise Usage(_listed(error)) from None
        return importer

    def __iter__(self) -> Iterator[FileRow]:
        importers = self._importers()
        held: dict[int, Any] = {}
        for at, number, value in self._readings():
            if isinstance(value, Broken):
                yield broken_row(number, value)
                continue
            held[number] = value
            for found in importers[at].add(number, self._cells(value)):
                yield self._merged(self._with_objects(self._row(found), held))
        for importer in importers:
            for found in importer.finish():
                yield self._merged(self._with_objects(self._row(found), held))

    def _merged(self, row: FileRow) -> FileRow:
        """The row with the members that are no cells, which are checked too."""
        source = row.sources[0]
        members = {
            name: value for name, value in source.items() if value is not None and not self._is_cell(name, value)
        }
        if not members:
            return row
        row.fields = {**row.fields.fields, **members}
        row.faults = row.faults + [
            Fault(row.lines[0], "", detail["field"], "", detail["message"], detail["code"])
            for detail in faults_of(self._operation, row.fields)
            if re.split(r"[.\[]", detail["field"])[0] in members
        ]
        return row


def fields_of(row: FileRow) -> dict[str, Any]:
    """The parameters of a row. Those of the core are JSON, which is read only when the row is sent."""
    return row.fields.fields if isinstance(row.fields, ImportRow) else dict(row.fields)


def _listed(error: ValidationError) -> str:
    """All faults of a map or header, one a line."""
    if not error.details:
        return str(error)
    return "the map does not fit:\n" + "\n".join(
        f"{detail['field']}: {detail['message']}" if detail["field"] != "base" else detail["message"]
        for detail in error.details
    )
