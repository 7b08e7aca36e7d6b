"""Exports: all contacts of a list as a file. The core reads, writes and decides; this module converts."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import privy

from . import _core
from ._bulk import Progress
from ._frames import check_parquet, write_parquet
from ._instant import instant
from ._run_settings import ON_SPENT_DAY, RESUME, choice, path_of
from .types import Json, Options

OPERATION = "contacts.list"


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The result of ``contacts.export``: the file is complete."""

    path: str
    """The file."""
    contacts: int
    """Contacts in it."""
    requests: int
    """Requests that this call has sent; those of an export that it continues are not counted."""
    seconds: float
    """Seconds of this call."""
    waited: float
    """Seconds in which it waited for the rate limit or for a retry."""
    resumed: bool
    """Whether it continued an export that was interrupted."""
    began_at: datetime | None
    """When the first contact was read, by the server's clock: the contacts are as of then or later."""


class ExportSettings(NamedTuple):
    """What ``contacts.export`` was given, for the core."""

    path: str | os.PathLike[str]
    format: privy.types.ExportFormat | None
    params: Mapping[str, object]
    extra: Mapping[str, Json] | None
    resume: privy.types.Resume
    on_spent_day: privy.types.OnSpentDay
    on_progress: Callable[[Progress], object] | None
    options: Options


class _Columns:
    """The contacts that an export has read."""

    def __init__(self, core: _core.Export) -> None:
        self._core = core

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._core.stream("Contact")


def start(group: _core.Group, client: _core.Client, settings: ExportSettings) -> _core.Export:
    """An export of the core."""
    on_progress = settings.on_progress

    def report(done: int, total: int | None, waiting_until: float | None, eta: float | None) -> None:
        if on_progress is not None:
            on_progress(Progress(done, 0, total, instant(waiting_until), eta))

    headers, timeout, connect_timeout, max_wait, max_retries = settings.options
    if settings.format is not None and not isinstance(settings.format, str):
        raise TypeError(f"format must be a str, not {type(settings.format).__name__}")
    return _core.Export(
        group,
        client,
        OPERATION,
        settings.params,
        settings.extra,
        headers,
        path_of("path", settings.path),
        settings.format,
        check_parquet,
        choice("resume", settings.resume, RESUME),
        choice("on_spent_day", settings.on_spent_day, ON_SPENT_DAY),
        None if on_progress is None else report,
        timeout,
        connect_timeout,
        max_wait,
        max_retries,
    )


def write_columns(core: _core.Export) -> None:
    """Writes the file that the core does not write."""
    write_parquet(_Columns(core), core.output)
    core.written()


def report_of(core: _core.Export, settings: ExportSettings) -> ExportReport:
    """The report of an export that is complete."""
    contacts, requests, seconds, waited, resumed, began_at = core.counts
    path = os.fsdecode(os.fspath(settings.path))
    return ExportReport(path, contacts, requests, seconds, waited, resumed, instant(began_at))


def make(client: _core.Client, settings: ExportSettings) -> ExportReport:
    """Reads and writes. An exception, such as ``KeyboardInterrupt``, ends it; what was read is kept."""
    core = start(_core.Group(client), client, settings)
    try:
        while core.drive() != "end":
            write_columns(core)
    finally:
        core.close()
    return report_of(core, settings)
