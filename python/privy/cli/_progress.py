"""The progress of a run on stderr: a bar on a terminal, otherwise a line a minute."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

EVERY = 60.0
"""Seconds between two lines where stderr is not a terminal."""
DAY = 24 * 60 * 60


def span(seconds: float) -> str:
    """A time span for people, such as ``9 days 3 h``."""
    minutes = int(seconds / 60 + 0.5)
    if seconds < 60:
        return f"{max(int(seconds + 0.5), 1)} s" if seconds > 0 else "0 s"
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest:02} min"
    days, hours = divmod(int(seconds / 3_600.0 + 0.5), 24)
    return f"{days} days {hours} h"


class Progress:
    """What both forms share: the last state of the run. Used as a context manager."""

    def __init__(self, title: str, total: int | None, estimate: Callable[[int], float | None]) -> None:
        """``estimate`` returns the seconds that so many further rows take by the rate limits; None: it is unknown."""
        self.title = title
        self.total = total
        self.done = self.failed = self.skipped = 0
        self.waiting_until: datetime | None = None
        self._estimate = estimate
        self._ends: float | None = None

    def __enter__(self) -> Progress:
        self.update(None)
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def update(self, progress: Any) -> None:
        """Takes over the state that the run reports."""
        eta = None
        if progress is not None:
            self.done, self.failed = progress.done, progress.failed
            self.skipped = getattr(progress, "skipped", 0) or 0
            self.waiting_until, eta = progress.waiting_until, progress.eta
            self.total = progress.total if self.total is None else self.total
        if eta is None and self.total is not None:
            eta = self._estimate(max(self.total - self.finished, 0))
        self._ends = None if eta is None else time.monotonic() + eta

    @property
    def finished(self) -> int:
        """Rows that are done, those of earlier runs included."""
        return self.done + self.skipped

    def counts(self) -> str:
        """How many rows are done, and of how many."""
        return f"{self.finished:,}" if self.total is None else f"{self.finished:,}/{self.total:,}"

    def rest(self) -> str:
        """What comes after the counts: rows that failed, the wait, the time that is left."""
        parts = [f"{self.failed:,} refused"] if self.failed else []
        until = self.waiting_until
        if until is not None:
            local = until.astimezone()
            far = until.timestamp() - time.time() > DAY / 2
            parts.append(f"waits until {local:%a %H:%M}" if far else f"waits until {local:%H:%M:%S}")
        if self._ends is not None and (self.total is None or self.finished < self.total):
            left = self._ends - time.monotonic()
            if left > 0:
                parts.append(f"{span(left)} left")
        return ", ".join(parts)


class Silent(Progress):
    """Shows nothing."""


class Lines(Progress):
    """A line at the beginning, one a minute, and one at the end."""

    def __init__(self, title: str, total: int | None, estimate: Callable[[int], float | None]) -> None:
        super().__init__(title, total, estimate)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._report, name="privy progress", daemon=True)

    def __enter__(self) -> Progress:
        super().__enter__()
        self._write()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
        self._write()

    def _report(self) -> None:
        while not self._over.wait(EVERY):
            self._write()

    def _write(self) -> None:
        count = f"{self.finished:,}" if self.total is None else f"{self.finished:,} of {self.total:,}"
        rest = self.rest()
        click.echo(f"privy: {datetime.now():%H:%M:%S} {count} {self.title}{', ' if rest else ''}{rest}", err=True)


class Bar(Progress):
    """A bar of rich, which moves by itself while the run waits."""

    def __enter__(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, ProgressColumn, Task, TextColumn
        from rich.progress import Progress as RichProgress
        from rich.text import Text

        class Words(ProgressColumn):
            max_refresh = 0.5

            def __init__(self, words: Callable[[], str]) -> None:
                super().__init__()
                self._words = words

            def render(self, task: Task) -> Text:
                return Text(self._words())

        self._bar = RichProgress(
            TextColumn(self.title),
            BarColumn(bar_width=16),
            Words(self.counts),
            Words(self.rest),
            console=Console(stderr=True),
            refresh_per_second=4,
        )
        self._task = self._bar.add_task(self.title, total=self.total)
        super().__enter__()
        self._bar.start()
        return self

    def update(self, progress: Any) -> None:
        super().update(progress)
        self._bar.update(self._task, completed=self.finished, total=self.total)

    def __exit__(self, *error: object) -> None:
        self._bar.stop()


def shown(title: str, total: int | None, estimate: Callable[[int], float | None], quiet: bool, plain: bool) -> Progress:
    """The form of progress for this stderr. ``plain``: other lines are written meanwhile, so there is no bar."""
    if quiet:
        return Silent(title, total, estimate)
    return (Bar if sys.stderr.isatty() and not plain else Lines)(title, total, estimate)
