"""Bulk runs: many calls of one operation, a few at a time."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass
from typing import Generic, TypeVar

from . import _core
from ._errors import PrivyError, RateLimitError, ValidationError, instant
from ._result import Failure, Result, Success
from ._rows import rows_of
from .types import Any, Options, Row, datetime

T = TypeVar("T")

MAX_WAIT = 3600.0
"""Seconds that a call of a bulk run may wait, unless told otherwise: for any minute's budget, not for a day's."""
_MINUTE = 60.0
_MOMENT = 0.25


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a bulk run has come."""

    done: int
    """Rows whose call has ended, well or not."""
    failed: int
    """Those of them that did not end well."""
    total: int | None
    """Rows in all, when the iterable has a length."""
    waiting_until: datetime | None
    """When calls that wait for the account's budget, or for another attempt, may go on; None when none waits."""
    eta: float | None
    """Seconds until the end as the minute's budget allows, at one request a row. None when that cannot be told: without
    ``total``, before any answer, or when the rows left are more than the day's budget."""


class Run(Generic[T]):
    """The state of a bulk run, whoever drives it: which rows are under way, and what is to be told."""

    def __init__(
        self,
        core: _core.Client,
        rows: Iterable[Row],
        concurrency: int,
        on_progress: Callable[[Progress], object] | None,
    ) -> None:
        if isinstance(concurrency, bool) or not isinstance(concurrency, int):
            raise TypeError(f"concurrency must be an int, not {type(concurrency).__name__}")
        if concurrency < 1:
            raise PrivyError("concurrency must be 1 or more")
        self.total = len(rows) if isinstance(rows, Sized) else None
        self.taken = self.done = self.failed = 0
        self.unsent: list[tuple[int, Row]] = []
        self.under_way: dict[int, Row] = {}
        self.ready: deque[Result[T]] = deque()
        self.stop: BaseException | None = None
        self.exhausted = False
        self._core = core
        self._rows = rows_of(rows)
        self._concurrency = concurrency
        self._on_progress = on_progress
        self._started = time.monotonic()
        self._waited = 0.0
        self._waiting_until: float | None = None

    @property
    def has_place(self) -> bool:
        """Whether another row may be taken."""
        open_ended = not self.exhausted and self.stop is None
        return open_ended and len(self.under_way) + len(self.ready) < self._concurrency

    def take_row(self) -> tuple[int, Row] | None:
        """The next row. None at the end, or when the iterable fails, which ends the run once all calls have."""
        try:
            row = next(self._rows)
        except StopIteration:
            self.exhausted = True
            return None
        except Exception as error:
            self.stop = error
            return None
        self.taken += 1
        return self.taken - 1, row

    def refused(self, index: int, row: Row, error: Exception) -> None:
        """A row could not be sent. What is no fault of the row ends the run."""
        if isinstance(error, MemoryError) or (isinstance(error, PrivyError) and not isinstance(error, ValidationError)):
            self.unsent.append((index, row))
            self.stop = self.stop or error
        else:
            self._keep(Failure(index, row, error))

    def ended(self, index: int, value: Any, error: Exception | None) -> None:
        """A call has ended. When the budget is spent for longer than a call may wait, no more rows are taken."""
        row = self.under_way.pop(index)
        if isinstance(error, RateLimitError):
            self.stop = self.stop or error
            if error.attempts == 0:
                self.unsent.append((index, row))
                return
        self._keep(Success(index, row, value) if error is None else Failure(index, row, error))

    def _keep(self, result: Result[T]) -> None:
        self.done += 1
        self.failed += not result.ok
        self.ready.append(result)
        self._tell()

    def waits(self, until: float | None, seconds: float) -> None:
        """So long nothing ended, and calls wait until then. A wait that is over in a moment is none."""
        if until is not None and until < self._core.now() + _MOMENT:
            until = None
        if until is not None:
            self._waited += seconds
        before, self._waiting_until = self._waiting_until, until
        if until is not None and (before is None or abs(until - before) > 1):
            self._tell()

    def failure(self) -> BaseException:
        """What ends the run when nothing is left to yield: StopIteration, or what stopped it."""
        if self.stop is None:
            return StopIteration()
        if isinstance(self.stop, RateLimitError):
            self.unsent.sort(key=lambda pair: pair[0])
            self.stop.unsent = self.unsent
        return self.stop

    def abandon(self) -> None:
        """Nothing more is to come."""
        self.exhausted = True
        self.under_way.clear()
        self.ready.clear()

    def _tell(self) -> None:
        if self._on_progress is not None:
            until = instant(self._waiting_until)
            self._on_progress(Progress(self.done, self.failed, self.total, until, self._eta()))

    def _eta(self) -> float | None:
        if self.total is None or self.done == 0:
            return None
        left = self.total - self.done
        busy = max(time.monotonic() - self._started - self._waited, 0.0)
        minute, day = self._core.rate_limits()
        if day is not None and left > day[1]:
            return None
        by_budget = 0.0 if minute is None else _seconds_of(minute, left, self._core.reserve, self._core.now())
        return max(by_budget, left * busy / self.done)


def _seconds_of(minute: tuple[int, int, float | None], left: int, reserve: int, now: float) -> float:
    """How long the minute's budget makes so many requests last."""
    limit, remaining, resets_at = minute
    over = left - max(remaining - reserve, 0)
    if over <= 0:
        return 0.0
    first = _MINUTE if resets_at is None else max(resets_at - now, 0.0)
    return first + (math.ceil(over / max(limit - reserve, 1)) - 1) * _MINUTE


def checked(row: Row) -> tuple[Row, Any]:
    """The parameters of a row, and what stands under ``extra``."""
    if not hasattr(row, "items"):
        fault = {"field": "base", "message": f"must be a dict, not {type(row).__name__}"}
        raise ValidationError(f"the row is invalid: it {fault['message']}", details=[fault])
    if "extra" not in row:
        return row, None
    return {name: value for name, value in row.items() if name != "extra"}, row["extra"]


class BaseBulk(Generic[T]):
    """What bulk runs tell of themselves, whichever way they wait."""

    _run: Run[T]

    @property
    def taken(self) -> int:
        """How many rows have been taken from the iterable."""
        return self._run.taken

    @property
    def unsent(self) -> list[tuple[int, Row]]:
        """The rows taken that no request was made for, because the run was stopped: (index, row)."""
        return self._run.unsent

    @property
    def done(self) -> int:
        """Rows whose call has ended, well or not."""
        return self._run.done

    @property
    def failed(self) -> int:
        """Rows whose call has not ended well."""
        return self._run.failed


class Bulk(BaseBulk[T]):
    """An iterator of ``Result``: what became of the rows of a bulk run, as their calls end, in no particular order.

    Rows are taken from the iterable only as places free up, by the thread that iterates; nothing is sent before the
    first ``next``. Calls move on only while the run is read: between two ``next`` nothing goes on, and the time that
    the reader takes there counts against no ``timeout``. Leaving a loop early, ``close`` or the end of a ``with``
    ends the calls that are under way.

    The run stops when the account's budget is spent for longer than a call may wait (a day's, as a rule): after the
    results of all calls that ended the iterator raises ``RateLimitError``. No row is lost then: ``unsent`` are those
    taken that no request was made for, and the iterable still holds those after the first ``taken``. A failing iterable
    raises what it raised, likewise after all results. Whatever else fails is the result of its row.
    """

    def __init__(
        self,
        core: _core.Client,
        operation: str,
        rows: Iterable[Row],
        concurrency: int,
        on_progress: Callable[[Progress], object] | None,
        options: Options,
    ) -> None:
        timeout, connect_timeout, max_wait, max_retries = options
        wait = MAX_WAIT if max_wait is None else max_wait
        self._view = core.view(timeout, connect_timeout, wait, max_retries)
        self._operation = operation
        self._group = _core.Group(self._view)
        self._run = Run(self._view, rows, concurrency, on_progress)

    def __iter__(self) -> Iterator[Result[T]]:
        return self

    def __next__(self) -> Result[T]:
        run = self._run
        while True:
            self._fill()
            if run.ready:
                return run.ready.popleft()
            if not run.under_way:
                self._group.close()
                raise run.failure()
            self._wait()

    def close(self) -> None:
        """Ends the calls that are under way; the rows they were for are neither yielded nor ``unsent``."""
        self._run.abandon()
        self._group.close()

    def __enter__(self) -> Bulk[T]:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _fill(self) -> None:
        run = self._run
        while run.has_place:
            place = run.take_row()
            if place is None:
                return
            index, row = place
            try:
                params, extra = checked(row)
                self._group.start(self._view, index, self._operation, params, extra, None, None, None, None)
            except Exception as error:
                run.refused(index, row, error)
            else:
                run.under_way[index] = row
                self._group.wait(0.0)

    def _wait(self) -> None:
        started = time.monotonic()
        self._group.wait(1.0)
        if not self._run.under_way:  # closed by who was told of an event
            return
        ended = self._group.take()
        if ended is None:
            self._run.waits(self._group.waiting_until(), time.monotonic() - started)
        while ended is not None:
            self._run.ended(*ended)
            ended = self._group.take()
