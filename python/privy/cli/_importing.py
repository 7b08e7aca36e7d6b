"""The steps of an import: check all lines, send the rows, write the rejects."""

from __future__ import annotations

import array
import csv
import io
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .. import _core
from .._bulk import check_stop
from .._client import Client
from .._errors import PrivyError
from .._import import Change, Fault
from ._file_rows import FileRow, FileRows
from ._mapped import fields_of
from ._readers import REASONS

EXAMPLES = 3
"""Conversions of each rule that are shown, unless all are."""


@dataclass
class Findings:
    """What the first reading of all lines found."""

    lines: int = 0
    rows: int = 0
    ready: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    """How many lines the map leaves out, for each reason."""
    conversions: dict[str, int] = field(default_factory=dict)
    """How many values each rule changed."""
    examples: dict[str, list[Change]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    faulty: int = 0
    """Rows with a fault."""
    starting: int = 0
    """Orders that are ready and are not sent as history, so that they can start flows."""
    numbers: Any = field(default_factory=lambda: array.array("Q"))
    """The first line of each row that is ready, in order."""


def check(
    rows: FileRows, most_examples: int | None = EXAMPLES, tick: Callable[[int], object] | None = None
) -> Findings:
    """Reads all lines and keeps what is wrong with them. Sends nothing."""
    found = Findings()
    for row in rows:
        found.lines += len(row.lines)
        _count(found, row, most_examples)
        if tick is not None and found.lines % 5_000 < len(row.lines):
            tick(found.lines)
    found.faults.sort(key=lambda fault: fault.line)
    return found


def _count(found: Findings, row: FileRow, most_examples: int | None) -> None:
    if row.left_out:
        found.left_out[row.left_out] = found.left_out.get(row.left_out, 0) + 1
        return
    found.rows += 1
    for change in row.changes:
        found.conversions[change.rule] = found.conversions.get(change.rule, 0) + 1
        examples = found.examples.setdefault(change.rule, [])
        if most_examples is None or (len(examples) < most_examples and _is_new(examples, change)):
            examples.append(change)
    if row.faults:
        found.faulty += 1
        found.faults += row.faults
    else:
        found.ready += 1
        found.numbers.append(row.lines[0])
        found.starting += row.starts


def _is_new(examples: list[Change], change: Change) -> bool:
    """Examples show different values."""
    return all(change.before != example.before for example in examples)


class Ready:
    """The rows that can be sent, for a bulk run, which asks for their number."""

    def __init__(self, rows: FileRows, total: int, added: dict[str, Any]) -> None:
        self._rows = rows
        self._total = total
        self._added = added

    def __len__(self) -> int:
        return self._total

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for row in self._rows:
            if not row.faults and not row.left_out:
                yield {**fields_of(row), **self._added}


METHODS = {
    "orders.upsert": lambda client: client.orders.upsert_many,
    "contacts.upsert": lambda client: client.contacts.upsert_many,
    "events.ingest": lambda client: client.events.ingest_many,
}


@dataclass
class Outcome:
    """What a run did."""

    report: Any = None
    interrupted: bool = False
    refused: dict[int, list[Any]] = field(default_factory=dict)
    """The error details of rows that the server refused or whose call failed, by the index of the row."""


def send(client: Client, operation: str, rows: Ready, progress: Any, options: dict[str, Any]) -> Outcome:
    """Runs to the end. Ctrl-C lets the calls in flight end; a second one leaves at once."""
    run = METHODS[operation](client)(rows, on_progress=progress.update, **options)
    run.keep_consents()
    outcome = Outcome()
    with run:
        try:
            for _ in run:
                pass
        except PrivyError as error:
            check_stop(run, error)
        except KeyboardInterrupt:
            outcome.interrupted = True
            _finish(run, progress)
        outcome.report = run.report
    for entry in outcome.report.refused:
        outcome.refused.setdefault(entry.index, []).append(entry)
    return outcome


def _finish(run: Any, progress: Any) -> None:
    """Takes the results of the calls in flight. A call that waits for a retry is cancelled."""
    try:
        run.finish()
        while next(run, None) is not None:
            if progress.waiting_until is not None:
                break
    except KeyboardInterrupt:
        pass


class Rejects:
    """A file of the lines that were refused, with the reasons, which can be imported after it is corrected."""

    def __init__(self, path: str, header: str | None) -> None:
        self.path = path
        self.count = 0
        self._header = header
        self._temporary = f"{path}.part"
        self._file: Any = None

    def __enter__(self) -> Rejects:
        descriptor = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = open(descriptor, "w", encoding="utf-8", newline="")
        self._file.write(self._header or "")
        return self

    def add(self, row: FileRow, faults: list[tuple[str, str]]) -> None:
        """Adds the lines of a row, with the fields and messages of its faults."""
        fields, messages = ("; ".join(dict.fromkeys(texts)) for texts in zip(*faults, strict=True))
        for number, source in zip(row.lines, row.sources, strict=True):
            self.count += 1
            if isinstance(source, str):
                self._file.write(f"{_csv([str(number), fields, messages])},{source}\n")
            else:
                from ._output import dump

                reasons = dict(zip(REASONS, (number, fields, messages), strict=True))
                self._file.write(dump({**reasons, **source}) + "\n")

    def __exit__(self, kind: object, *error: object) -> None:
        self._file.close()
        if kind is None:
            os.replace(self._temporary, self.path)
        else:
            os.unlink(self._temporary)


def _csv(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def refused_before(journal: str) -> dict[str, list[Any]]:
    """The error details of rows that the server has refused in any run of a journal, by their key in the journal."""
    from .._journal import Journal

    found: dict[str, list[Any]] = {}
    for entry in Journal(journal).refused:
        if entry.key is not None:
            found.setdefault(entry.key, []).append(entry)
    return found


def _entries(row: FileRow, keys: tuple[str, ...], before: dict[str, list[Any]]) -> list[Any]:
    """The error details of a row from earlier runs."""
    if not before:
        return []
    fields = fields_of(row)
    names = (f"{name}={fields[name]}" for name in keys if fields.get(name) is not None)
    return next((before[name] for name in names if name in before), [])


def write_rejects(
    path: str, rows: FileRows, keys: tuple[str, ...], refused: dict[int, list[Any]], before: dict[str, list[Any]]
) -> int:
    """Reads the lines again and writes those of refused rows, in this run or ``before``. Returns how many lines there
    are. ``keys``: the fields that identify a row."""
    index = -1
    with Rejects(path, rows.rejects_header) as rejects:
        for row in rows:
            if row.left_out:
                continue
            if row.faults:
                rejects.add(row, [(fault.column or fault.field, described(fault)) for fault in row.faults])
                continue
            index += 1
            entries = refused.get(index) or _entries(row, keys, before)
            if entries:
                rejects.add(row, [(entry.field, f"{entry.field}: {entry.message}") for entry in entries])
    return rejects.count


def described(fault: Fault) -> str:
    """A fault in one line: the column or field, the value, and what is wrong."""
    name = fault.column or ("" if fault.field == "base" else fault.field)
    where = f"{name} ({fault.field})" if fault.column and fault.field not in ("", "base", fault.column) else name
    subject = f"{where} {fault.value!r}".strip() if fault.value else where
    return f"{subject}: {fault.message}" if subject else fault.message


def seconds_for(client: Client, requests: int) -> float:
    """Seconds that requests take by the rate limits, later days included."""
    core: _core.Client = client._core
    return core.duration(requests)


def next_time(text: str, now: float | None = None) -> float:
    """The instant of ``07:00`` (the next one on this machine's clock) or of an ISO 8601 time, in seconds since 1970.

    Raises:
        ValueError: the text is neither.
    """
    from datetime import datetime, timedelta

    at = time.time() if now is None else now
    hours, separator, minutes = text.partition(":")
    if separator and len(text) <= 5 and hours.isdigit() and minutes.isdigit():
        today = datetime.fromtimestamp(at).replace(hour=int(hours), minute=int(minutes), second=0, microsecond=0)
        return (today if today.timestamp() > at else today + timedelta(days=1)).timestamp()
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
