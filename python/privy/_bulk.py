"""Bulk runs: many calls of one operation, a few at a time. The core decides; this module converts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, TypeVar

from . import _core
from ._bulk_rows import RefusedRow, Rows, split
from ._errors import RateLimitError, instant
from ._result import Result, Success
from ._rows import rows_of
from .types import TYPE_CHECKING, Options, Row, Self, datetime

T = TypeVar("T")
R = TypeVar("R", bound=_core.Bulk)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a bulk run has come."""

    done: int
    """Rows whose call has ended, well or not."""
    failed: int
    """Those of them whose call failed."""
    total: int | None
    """Rows in all, when the iterable has a length."""
    waiting_until: datetime | None
    """When calls that wait for the account's budget, or for another attempt, may go on; None when none waits."""
    eta: float | None
    """Seconds until the end, by the pace so far and by the minute's budget at as many requests a row as rows have taken
    so far. None when that is unknown: without ``total``, before any result, or when the rows left take more than the
    day's budget."""


@dataclass(frozen=True, slots=True, repr=False)
class BulkReport:
    """What became of the rows of a bulk run. Each row is, once: succeeded, failed, unsent or in doubt."""

    total: int
    """Rows of the run: those of the sequence, or those taken from an iterable without a length."""
    succeeded: int
    created: int
    """Rows that created their order or contact."""
    updated: int
    """Rows that updated it."""
    failed: int
    """Rows whose call failed."""
    refused: list[RefusedRow]
    """Why they failed: one entry for each fault of each row."""
    unsent: list[tuple[int, Row]]
    """Rows that no request was sent for: (index, row)."""
    in_doubt: list[tuple[int, Row, str | None]]
    """Rows that a request was sent for and whose result was not read: (index, row, idempotency key of an event)."""
    requests: int
    """Requests sent."""
    seconds: float
    """Seconds from the making of the run."""
    waited: float
    """Seconds of them in which all calls waited for the account's budget or for another attempt."""
    stopped: BaseException | None
    """What ended the run early: ``RateLimitError`` when the budget is spent, or what the iterable raised."""

    @property
    def ok(self) -> bool:
        """Whether every row succeeded."""
        return self.succeeded == self.total

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"

    def __str__(self) -> str:
        parts = [f"{self.succeeded} of {self.total} rows succeeded ({self.created} created, {self.updated} updated)"]
        counts = (("failed", self.failed), ("unsent", len(self.unsent)), ("in doubt", len(self.in_doubt)))
        parts += [f"{count} {name}" for name, count in counts if count]
        parts.append(f"{self.requests} requests in {self.seconds:.1f} s")
        if self.stopped is not None:
            parts.append(f"stopped: {self.stopped}")
        return "; ".join(parts)


class BaseBulk(Generic[T]):
    """What bulk runs say of themselves, whichever way they wait."""

    _run: _core.Bulk
    _rows: Rows

    def __repr__(self) -> str:
        return f"{type(self).__name__}(total={self.total}, taken={self.taken}, done={self.done}, failed={self.failed})"

    @property
    def total(self) -> int | None:
        """Rows in all; None for an iterable without a length."""
        return self._rows.total

    @property
    def taken(self) -> int:
        """How many rows have been taken from the iterable."""
        return self._run.counts()[0]

    @property
    def done(self) -> int:
        """Rows whose call has ended, well or not."""
        return self._run.counts()[1]

    @property
    def failed(self) -> int:
        """Rows whose call failed."""
        return self._run.counts()[2]

    @property
    def unsent(self) -> list[tuple[int, Row]]:
        """The rows that no request was sent for, as (index, row): those taken and, of a sequence, all further ones."""
        return self._rows.unsent(self.taken, self._run.open_rows())

    @property
    def in_doubt(self) -> list[tuple[int, Row, str | None]]:
        """The rows that a request was sent for and whose result was not read, as (index, row, idempotency key).

        While the run goes on these are the rows under way. After an interruption the server may hold them or not: an
        order or a contact may be sent again; an event too, with the key that its first request carried.
        """
        return [(index, row, key) for index, row, in_doubt, key in self._run.open_rows() if in_doubt]

    @property
    def report(self) -> BulkReport:
        """What became of the rows so far."""
        taken, done, failed, created, updated, requests, seconds, waited = self._run.counts()
        refused = self._rows.refused
        return BulkReport(
            total=taken if self.total is None else self.total,
            succeeded=done - failed,
            created=created,
            updated=updated,
            failed=failed,
            refused=[entry for index in sorted(refused) for entry in refused[index]],
            unsent=self.unsent,
            in_doubt=self.in_doubt,
            requests=requests,
            seconds=seconds,
            waited=waited,
            stopped=self._run.stopped,
        )


def start(
    kind: type[R],
    group: _core.Group,
    core: _core.Client,
    operation: str,
    rows: Rows,
    concurrency: int | None,
    on_progress: Callable[[Progress], object] | None,
    options: Options,
) -> R:
    """A run of the core on a group that serves nothing else."""

    def report(done: int, failed: int, waiting_until: float | None, eta: float | None) -> None:
        if on_progress is not None:
            on_progress(Progress(done, failed, rows.total, instant(waiting_until), eta))

    return _core.Bulk.__new__(
        kind,
        group,
        core,
        operation,
        rows_of(rows.given),
        concurrency,
        -1 if rows.total is None else rows.total,
        split,
        Success,
        rows.failure,
        rows.stop,
        None if on_progress is None else report,
        *options,
    )


class Bulk(BaseBulk[T], _core.Bulk):
    """An iterator of ``Result``: what became of the rows of a bulk run, as their calls end.

    Rows are taken from the iterable only as places free up, by the thread that iterates; nothing is sent before the
    first ``next``. Rows with an ``order_id``, an e-mail address, a phone number or an ``idempotency_key`` in common run
    one after the other, and their results come in that order; all others come as they end. A row that waits for
    another attempt takes no place. Calls move on only while the run is read: between two ``next`` nothing goes on, and
    the time that the reader takes there counts against no ``timeout``. Leaving a loop early keeps what is under way for
    the next loop; ``close`` or the end of a ``with`` ends it.

    The run stops when the account's budget is spent for longer than a call may wait (a day's, as a rule): after the
    results of all calls that ended the iterator raises ``RateLimitError``. A failing iterable raises what it raised,
    likewise after all results. Whatever else fails is the result of its row. An exception from elsewhere, such as
    ``KeyboardInterrupt``, loses nothing: the next ``next`` goes on. At any time each row taken is, once: reported,
    ``unsent`` or ``in_doubt``.

    A run is iterated once: after its end another pass raises ``RuntimeError``.
    """

    def __new__(
        cls,
        core: _core.Client,
        operation: str,
        rows: Iterable[Row],
        concurrency: int | None,
        on_progress: Callable[[Progress], object] | None,
        options: Options,
    ) -> Self:
        held = Rows(operation, rows)
        self = start(cls, _core.Group(core), core, operation, held, concurrency, on_progress, options)
        self._rows = held
        return self

    @property
    def _run(self) -> _core.Bulk:  # type: ignore[override]
        return self

    def __iter__(self) -> Iterator[Result[T]]:
        check_pass(self)
        return self

    if TYPE_CHECKING:

        def __next__(self) -> Result[T]: ...

    def run(self) -> BulkReport:
        """Runs to the end and returns the report, also when the budget is spent: then ``report.stopped`` says so.

        Raises:
            Exception: what the iterable raised; the property ``report`` holds what became of the rows until then.
        """
        with suppress(RateLimitError):
            for _ in self:
                pass
        return self.report

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def check_pass(run: _core.Bulk) -> None:
    """Refuses a second pass over a run."""
    if run.over:
        raise RuntimeError("this bulk run is over: a run sends its rows once; make another one for another pass")
