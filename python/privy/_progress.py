"""The progress bar of a bulk run: that of tqdm if it is installed, else a line on the terminal.

Imported by ``progress=True``.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

from . import _core
from ._bulk import Bulk, Progress
from ._html import duration
from ._result import Result
from .types import Options, RunSettings, Self

T = TypeVar("T")

FORMAT = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"
"""Without the remaining time that tqdm estimates from the speed: the postfix has the one of the core."""
INTERVAL = 0.1
"""Seconds between two writes of a line."""


class Line:
    """One line on a terminal: each write overwrites the last one. Has the methods of ``tqdm`` that ``Bar`` uses."""

    def __init__(self, title: str, total: int | None, done: int) -> None:
        self._done = done
        self._title = title
        self._unit = "requests" if title in ("contacts.plan", "contacts.apply") else "rows"
        self._total = total
        self._postfix = ""
        self._written = 0.0
        self._width = 0

    def set_postfix_str(self, text: str, refresh: bool) -> None:
        """Sets what follows the counts."""
        self._postfix = text

    def update(self, count: int) -> None:
        """Adds to the rows that are done. Writes the line if the last write was a while ago."""
        self._done += count
        if time.monotonic() - self._written >= INTERVAL:
            self.refresh()

    def refresh(self) -> None:
        """Writes the line."""
        rows = f"{self._done:,}" if self._total is None else f"{self._done:,} of {self._total:,}"
        rows += f" {self._unit}"
        line = ", ".join(part for part in (f"{self._title}: {rows}", self._postfix) if part)
        line = line[: _columns() - 1]
        sys.stderr.write(f"\r{line.ljust(self._width)}")
        sys.stderr.flush()
        self._width = len(line)
        self._written = time.monotonic()

    def close(self) -> None:
        """Ends the line."""
        self.refresh()
        sys.stderr.write("\n")


class Bar:
    """Shows the progress of a run. Closed when the run stops for any reason; a run that continues opens it again."""

    def __init__(self, operation: str, on_progress: Callable[[Progress], object] | None) -> None:
        self._title = operation
        self._on_progress = on_progress
        self._bar: Any = None
        self._done = 0
        self._is_lost = False
        self._waiting = False

    def __call__(self, progress: Progress) -> None:
        """Shows the progress, and reports it to the user's function."""
        self._try(lambda: self._show(progress))
        if self._on_progress is not None:
            self._on_progress(progress)

    def close(self) -> None:
        """Shows the last state, and leaves the bar where it is."""
        bar, self._bar = self._bar, None
        if bar is not None:
            self._try(bar.close)

    def _try(self, action: Callable[[], None]) -> None:
        """A terminal that is gone does not stop the run."""
        try:
            if not self._is_lost:
                action()
        except (OSError, ValueError):
            self._is_lost = True

    def _show(self, progress: Progress) -> None:
        if self._bar is None:
            self._bar = _opened(self._title, progress.total, self._done)
        if self._bar is None:
            self._is_lost = True
            return
        self._bar.set_postfix_str(_postfix(progress), refresh=False)
        done = progress.done + progress.skipped
        self._bar.update(done - self._done)
        self._done = done
        waiting = progress.waiting_until is not None
        if waiting != self._waiting:  # update writes only when a row is done
            self._waiting = waiting
            self._bar.refresh()


def title_of(operation: str | _core.Plan) -> str:
    """What the bar of a run is called."""
    return operation if isinstance(operation, str) else "contacts.apply"


def _opened(title: str, total: int | None, done: int) -> Any:
    """A bar of tqdm, a line, or None where neither can be shown."""
    if sys.stderr is None:
        return None
    try:
        from tqdm.auto import tqdm  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        return Line(title, total, done) if sys.stderr.isatty() else None
    return tqdm(total=total, initial=done, desc=title, bar_format=FORMAT, dynamic_ncols=True)


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (AttributeError, OSError, ValueError):
        return 80


def _postfix(progress: Progress) -> str:
    parts = [f"{progress.failed:,} failed"] if progress.failed else []
    if progress.skipped:
        parts.append(f"{progress.skipped:,} skipped")
    if progress.eta is not None:
        parts.append(f"{duration(progress.eta)} left")
    if progress.waiting_until is not None:
        parts.append(f"waits until {progress.waiting_until.astimezone():%H:%M:%S}")
    return ", ".join(parts)


class ShownBulk(Bulk[T]):
    """A bulk run with a bar, which is closed when a step ends the run or raises."""

    _bar: Bar

    def __new__(
        cls,
        core: _core.Client,
        operation: str | _core.Plan,
        rows: Any,
        concurrency: int | None,
        on_progress: Callable[[Progress], object] | None,
        settings: RunSettings,
        options: Options,
    ) -> Self:
        bar = Bar(title_of(operation), on_progress)
        self = super().__new__(cls, core, operation, rows, concurrency, bar, settings, options)
        self._bar = bar
        return self

    def __next__(self) -> Result[T]:
        try:
            return super().__next__()
        except BaseException:
            self._bar.close()
            raise

    def close(self) -> None:
        super().close()
        self._bar.close()


ShownBulk.__name__ = "Bulk"  # for its repr
