"""The lines of a file: CSV, TSV, JSON lines, JSON arrays and Parquet. A file can be read several times."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any

from ._encodings import CHUNK, DAMAGED, check_encoding, find_encoding, read_delimiter
from ._exit import Usage

REASONS = ("privy_line", "privy_field", "privy_reason")
"""The columns that files of rejects have in front. They are left out when such a file is read."""
FORMATS = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
}
SAMPLE = 1 << 16


@dataclass
class Broken:
    """A line that cannot be read."""

    message: str
    text: str = ""


@dataclass
class Lines:
    """The lines of a file, and what was found about it."""

    path: str
    format: str
    notes: list[str] = field(default_factory=list)
    """What was found, for people."""
    encoding: str = "utf-8"
    errors: str = "strict"
    """What becomes of bytes that do not fit the encoding: ``strict`` or ``replace``."""
    delimiter: str = ""
    """Of CSV; empty: the core finds it."""
    chunks: Callable[[], Iterator[bytes]] | None = None
    """Reads a delimited file again; None: each line is an object with its own names."""
    read: Callable[[], Iterator[tuple[int, dict[str, Any] | Broken]]] = lambda: iter(())
    """Reads objects again: (number in the file, object)."""


def open_lines(path: str, format: str | None, encoding: str | None, delimiter: str | None) -> Lines:
    """Opens a file; ``-`` is stdin, which is kept in a temporary file so that it can be read again.

    Raises:
        Usage: the file is empty, or its format is unknown.
        OSError: the file cannot be read.
    """
    kind = format or FORMATS.get(os.path.splitext(path)[1].lower())
    place = _spooled() if path == "-" else path
    if os.path.isdir(place):
        raise Usage(f"{path} is a folder")
    if kind is None:
        kind = _format_of(place)
    lines = Lines(path, kind)
    if kind in ("csv", "tsv"):
        _open_delimited(lines, place, encoding, "tab" if kind == "tsv" and delimiter is None else delimiter)
    elif kind in ("jsonl", "json"):
        _open_json(lines, place, encoding)
    else:
        _open_parquet(lines, place)
    return lines


def _spooled() -> str:
    """A copy of stdin, which is removed when the process ends."""
    import atexit
    import shutil

    descriptor, path = tempfile.mkstemp(prefix="privy-stdin-")
    atexit.register(_remove, path)
    with open(descriptor, "wb") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
    return path


def _remove(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)


def _format_of(place: str) -> str:
    """The format of a file whose name does not say it."""
    with open(place, "rb") as file:
        start = file.read(SAMPLE).lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"["):
        return "json"
    return "jsonl" if start.startswith(b"{") else "csv"


# ---- CSV and TSV ----

CORE = ("utf-8", "utf-8-sig", "utf-16", "cp1252")
"""The encodings that the core finds by itself."""


def _open_delimited(lines: Lines, place: str, encoding: str | None, delimiter: str | None) -> None:
    with open(place, "rb") as file:
        if not file.read(SAMPLE).strip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"):
            raise Usage(f"{lines.path} is empty")
    lines.encoding = _encoding(lines, place, encoding)
    lines.delimiter = read_delimiter(delimiter) or ""
    lines.chunks = lambda: _chunks(lines, place, encoding is not None)


def _chunks(lines: Lines, place: str, given: bool) -> Iterator[bytes]:
    """The bytes of the file, in UTF-8 if the core would not find their encoding."""
    with open(place, "rb") as file:
        if lines.encoding in CORE and not given and lines.errors == "strict":
            while chunk := file.read(CHUNK):
                yield chunk
            return
    with _text(place, lines) as text:
        try:
            while part := text.read(CHUNK):
                yield part.encode()
        except UnicodeError as error:
            raise Usage(f"{lines.path}: {error}; pass another --encoding") from None


def _text(place: str, lines: Lines) -> IO[str]:
    return open(place, encoding=lines.encoding, errors=lines.errors, newline="")


def _encoding(lines: Lines, place: str, given: str | None) -> str:
    if given is not None:
        return check_encoding(given)
    with open(place, "rb") as file:
        name, how = find_encoding(file)
    lines.errors = "replace" if how == DAMAGED else "strict"
    if (name, how) != ("utf-8", "all bytes fit"):
        lines.notes.append(f"encoding: {name} ({how}); --encoding sets another")
    return name


# ---- JSON ----


def _open_json(lines: Lines, place: str, encoding: str | None) -> None:
    lines.encoding = _encoding(lines, place, encoding)
    if os.path.getsize(place) == 0:
        raise Usage(f"{lines.path} is empty")
    lines.read = lambda: _json_lines(place, lines) if lines.format == "jsonl" else _json_array(place, lines)


def _value(text: str) -> dict[str, Any] | Broken:
    from decimal import Decimal

    try:
        value = json.loads(text, parse_float=Decimal)
    except ValueError as error:
        return Broken(f"the line is not JSON: {getattr(error, 'msg', error)}", text.rstrip("\r\n"))
    if not isinstance(value, dict):
        return Broken("the line is not a JSON object", text.rstrip("\r\n"))
    return {name: inner for name, inner in value.items() if name not in REASONS}


def _json_lines(place: str, lines: Lines) -> Iterator[tuple[int, dict[str, Any] | Broken]]:
    with _text(place, lines) as file:
        for number, text in enumerate(file, 1):
            if text.strip():
                yield number, _value(text)


def _json_array(place: str, lines: Lines) -> Iterator[tuple[int, dict[str, Any] | Broken]]:
    """The objects of an array. Their numbers are positions, from 1."""
    from decimal import Decimal

    with _text(place, lines) as file:
        try:
            values = json.load(file, parse_float=Decimal)
        except ValueError as error:
            raise Usage(f"{lines.path} is not JSON: {error}") from None
    if isinstance(values, dict):
        values = [values]
    for number, value in enumerate(values, 1):
        yield number, value if isinstance(value, dict) else Broken("it is not a JSON object", json.dumps(value))


# ---- Parquet ----


def _open_parquet(lines: Lines, place: str) -> None:
    reader = _parquet_reader()
    if reader is None:
        raise Usage(f"{lines.path}: to read Parquet, install pyarrow, polars or duckdb")
    lines.notes.append("lines of Parquet are rows, from 1")

    def read() -> Iterator[tuple[int, dict[str, Any] | Broken]]:
        number = 0
        for batch in reader(place):
            for row in batch:
                number += 1
                yield number, {name: value for name, value in row.items() if name not in REASONS}

    lines.read = read


Batches = Callable[[str], Iterator[list[dict[str, Any]]]]


def _parquet_reader() -> Batches | None:
    """A function that reads a file in batches of rows, with the library that is installed."""
    from importlib.util import find_spec

    readers: tuple[tuple[str, Batches], ...] = (
        ("pyarrow", _by_pyarrow),
        ("polars", _by_polars),
        ("duckdb", _by_duckdb),
    )
    return next((reader for name, reader in readers if find_spec(name) is not None), None)


def _by_pyarrow(place: str) -> Iterator[list[dict[str, Any]]]:
    from pyarrow import parquet  # type: ignore[import-untyped, unused-ignore]

    for batch in parquet.ParquetFile(place).iter_batches(batch_size=10_000):
        yield batch.to_pylist()


def _by_polars(place: str) -> Iterator[list[dict[str, Any]]]:
    import polars

    yield polars.read_parquet(place).to_dicts()


def _by_duckdb(place: str) -> Iterator[list[dict[str, Any]]]:
    import duckdb

    found = duckdb.connect().execute("select * from read_parquet(?)", [place])
    names = [column[0] for column in found.description or ()]
    while rows := found.fetchmany(10_000):
        yield [dict(zip(names, row, strict=True)) for row in rows]
