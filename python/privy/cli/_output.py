"""Data on stdout: JSON documents, CSV, tab-separated lines, tables on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import click

from .._errors import PrivyError

VERSIONS = {
    "api": 1,
    "contact": 1,
    "contacts": 1,
    "doctor": 1,
    "error": 1,
    "export": 1,
    "import": 1,
    "login": 1,
    "plan": 1,
    "whoami": 1,
}
"""The version of each document. It grows when a member disappears or changes its meaning; new members may come."""


def document(kind: str, /, **members: Any) -> dict[str, Any]:
    """A document of ``--json``: its first member names its kind and version."""
    return {"format": f"privy.{kind}/{VERSIONS[kind]}", **members}


def write_json(kind: str, /, **members: Any) -> None:
    """Writes a document to stdout."""
    click.echo(dump(document(kind, **members), indent=2 if sys.stdout.isatty() else None))


def dump(value: Any, indent: int | None = None) -> str:
    """JSON as the documents have it: text in UTF-8, times in ISO 8601, exact numbers as text."""
    return json.dumps(value, ensure_ascii=False, indent=indent, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (tuple, set, frozenset)):
        return list(value)
    return str(value)


def error_of(kind: str, message: str, exit_code: int, error: PrivyError | None = None) -> dict[str, Any]:
    """The member ``error`` of a document."""
    found: dict[str, Any] = {"type": kind, "message": message, "exit_code": exit_code}
    if error is not None:
        found |= {
            "status": error.status,
            "code": error.code,
            "details": error.details,
            "request_id": error.request_id,
            "retry_at": error.retry_at,
        }
    return found


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes CSV to stdout, row by row."""
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)


def write_tabs(rows: Iterable[Sequence[object]]) -> None:
    """Writes tab-separated lines without a header to stdout. A tab or a line break in a value becomes a space."""
    table = str.maketrans("\t\r\n", "   ")
    for row in rows:
        click.echo("\t".join("" if cell is None else str(cell).translate(table) for cell in row))


def write_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes a table to the terminal of stdout."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    Console(file=sys.stdout, highlight=False).print(table)


def write_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    """Writes names and values, one pair a line, the values in one column."""
    shown = list(pairs)
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        click.echo(f"{name.ljust(width)}  {value}")


def terminal_width() -> int:
    """Columns of the terminal of stdout."""
    import shutil

    return shutil.get_terminal_size((80, 24)).columns
