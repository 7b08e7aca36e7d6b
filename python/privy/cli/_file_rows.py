"""The rows that the lines of a file make. The core maps and converts; objects that have the shape of a request stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .. import _core
from .._errors import ValidationError
from .._import import Change, Fault
from ._readers import Broken, Lines


@dataclass(slots=True)
class FileRow:
    """A row: what is sent, or why it is not."""

    lines: list[int]
    fields: Any = None
    """The parameters of the operation."""
    key: str = ""
    sources: list[Any] = field(default_factory=list)
    """Its lines as in the file: text of CSV without line break, or objects."""
    changes: list[Change] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    starts: bool = False
    """Whether it is an order that is not sent as history."""
    left_out: str = ""
    """Why the map leaves the line out."""


class FileRows(Protocol):
    """The rows of a file, which can be read several times."""

    rejects_header: str | None
    """The first line of a file of rejects; None: rejects are JSON lines."""
    notes: list[str]

    def __iter__(self) -> Iterator[FileRow]: ...


def broken_row(number: int, line: Broken) -> FileRow:
    """The row of a line that cannot be read."""
    faults = [Fault(number, "", "base", line.text, line.message, "not_json")]
    return FileRow([number], sources=[{"text": line.text}], faults=faults)


def faults_of(operation: str, fields: Mapping[str, Any]) -> Any:
    """The error details of a row."""
    from .._row_kinds import parts

    try:
        _, params, extra, omits = parts(fields, None)
        return _core.validate(operation, params, extra, omits)
    except ValidationError as error:
        return error.details


def kinds_of(operation: str) -> dict[str, str]:
    """The parameters of an operation, and their kinds."""
    operations = (found for found in _core.schema()["operations"] if found["name"] == operation)
    return {param["name"]: param["kind"] for found in operations for param in found["params"]}


def have_shape(lines: Lines, operation: str, most: int = 100) -> bool:
    """Whether the first objects of a file have members of the operation only."""
    known = {*kinds_of(operation), "extra"}
    for count, (_, value) in enumerate(lines.read()):
        if count == most:
            break
        if isinstance(value, dict) and not value.keys() <= known:
            return False
    return True


def names_of(lines: Lines, is_cell: Callable[[str, Any], bool] = lambda name, value: True) -> list[str]:
    """The names of all objects of a file that have a cell, in the order in which they come."""
    names: dict[str, None] = {}
    for _, value in lines.read():
        if isinstance(value, dict):
            names.update((name, None) for name, inner in value.items() if inner is not None and is_cell(name, inner))
    return list(names)
