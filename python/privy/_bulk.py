"""Bulk runs: many calls of one operation, a few at a time. The core makes the decisions; this module converts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, TypeVar

from . import _core
from ._bulk_rows import RefusedRow, Rows
from ._counted import counted
from ._errors import PrivyError
from ._instant import instant
from ._result import Result, Success
from ._row_tables import RowTable
from .types import TYPE_CHECKING, Options, Row, RunSettings, Self, datetime

T = TypeVar("T")
R = TypeVar("R", bound=_core.Bulk)


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a bulk run."""

    done: int
    """Rows whose call has completed, successful or not."""
    failed: int
    """Rows whose call failed."""
    total: int | None
    """Number of rows, if it is known."""
    waiting_until: datetime | None
    """When the calls that wait for the rate limit or for a retry continue; None if no call waits."""
    eta: float | None
    """Seconds until the end, from the speed so far, the limit per minute and the number of requests per row so far.
    None if unknown: without ``total``, before the first result, or when the remaining rows exceed the limit of the
    day."""
    skipped: int = 0
    """Rows whose outcome an earlier run has written to the journal. They are not in ``done``."""


@dataclass(frozen=True, slots=True, repr=False)
class BulkReport:
    """The result of a bulk run. Each row is exactly one of: succeeded, failed, skipped, unsent or in doubt."""

    total: int
    """Rows of the run: of the sequence, or those taken from an iterable without a length."""
    succeeded: int
    created: int
    """Rows that created an order or a contact."""
    updated: int
    """Rows that updated one."""
    failed: int
    """Rows whose call failed."""
    refused: RowTable[RefusedRow]
    """Why rows failed: one entry for each error detail of each row. A sequence that is a table too: ``to_pandas()``,
    ``to_polars()``, ``to_arrow()``, ``to_parquet(path)``, and what reads the Arrow PyCapsule interface."""
    unsent: RowTable[tuple[int, Row]]
    """Rows that are still to be sent: (index, row). No request was sent for them, or the server has refused it for what
    ended the run: the rate limit or the token. A table too."""
    in_doubt: RowTable[tuple[int, Row, str | None]]
    """Rows whose request was sent and whose result was not read: (index, row, idempotency key of an event). A table
    too."""
    requests: int
    """Requests sent."""
    seconds: float
    """Seconds since the run was created."""
    waited: float
    """Seconds in which all calls waited for the rate limit or for a retry."""
    stopped: BaseException | None
    """What ended the run early: ``RateLimitError`` if the rate limit was reached, ``DeadlineError`` at ``until``,
    ``AuthenticationError`` or ``PermissionDeniedError`` if the token is not accepted, ``JournalError`` if the journal
    cannot be written, or the exception of the iterable."""
    sandbox: bool = False
    """Whether a sandbox handled the calls."""
    skipped: int = 0
    """Rows whose outcome an earlier run has written to the journal: this run sent nothing for them."""
    skipped_refused: int = 0
    """Those of the ``skipped`` rows that the server has refused. They are sent again when they change."""

    @property
    def ok(self) -> bool:
        """Whether every row succeeded, in this run or in an earlier one of the journal."""
        return self.succeeded + self.skipped - self.skipped_refused == self.total

    def to_dict(self) -> dict[str, object]:
        """The report as a dict that ``json.dumps`` accepts, for logs and for results of jobs.

        It holds the numbers, ``ok``, the error details of ``refused`` rows without their values, the indexes of
        ``unsent`` and ``in_doubt`` rows, the message of ``stopped``, and ``sandbox``.
        """
        return {
            "ok": self.ok,
            **{name: getattr(self, name) for name in ("total", "succeeded", "created", "updated", "failed")},
            **{name: getattr(self, name) for name in ("skipped", "skipped_refused")},
            **{name: getattr(self, name) for name in ("requests", "seconds", "waited")},
            "refused": [
                {
                    "index": row.index,
                    "key": row.key if isinstance(row.key, (str, int, type(None))) else str(row.key),
                    "field": row.field,
                    "message": row.message,
                }
                for row in self.refused
            ],
            "unsent": [row[0] for row in self.unsent],
            "in_doubt": [row[0] for row in self.in_doubt],
            "stopped": None if self.stopped is None else f"{type(self.stopped).__name__}: {self.stopped}",
            "sandbox": self.sandbox,
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"

    def __str__(self) -> str:
        total = counted(self.total, "row")
        parts = [f"{self.succeeded} of {total} succeeded ({self.created} created, {self.updated} updated)"]
        counts = (("failed", self.failed), ("unsent", len(self.unsent)), ("in doubt", len(self.in_doubt)))
        parts += [f"{count} {name}" for name, count in counts if count]
        if self.skipped:
            refused = f" ({self.skipped_refused} of them refused)" if self.skipped_refused else ""
            parts.append(f"{self.skipped} skipped{refused}")
        parts.append(f"{counted(self.requests, 'request')} in {self.seconds:.1f} s")
        if self.stopped is not None:
            parts.append(f"stopped: {self.stopped}")
        if self.sandbox:
            parts.append("in a sandbox")
        return "; ".join(parts)

    def _repr_html_(self) -> str:
        """The counts and the first refused rows, for notebooks."""
        from ._html import show_report

        return show_report(self)


class BaseBulk(Generic[T]):
    """Properties of ``Bulk`` and ``AsyncBulk``."""

    _run: _core.Bulk
    _rows: Rows
    _has_journal: bool

    def __repr__(self) -> str:
        place = "sandbox, " if self._run.is_sandbox else ""
        counts = f"total={self.total}, taken={self.taken}, done={self.done}, failed={self.failed}"
        return f"{type(self).__name__}({place}{counts})"

    def _repr_html_(self) -> str:
        """The progress as of now, for notebooks."""
        from ._html import show_bulk

        return show_bulk(self)

    def __len__(self) -> int:
        """The number of results that are still to come, so that ``tqdm(run)`` knows it: ``total`` before the first one.

        Raises:
            TypeError: the iterable of the rows has no length.
        """
        if self._run.over:
            return 0
        if self.total is None:
            raise TypeError("the iterable of the rows has no length")
        return max(self.total - self.done - self.skipped, 0)

    def __bool__(self) -> bool:
        """True, whatever the number of rows."""
        return True

    @property
    def total(self) -> int | None:
        """Number of rows; None for an iterable or a stream without a length."""
        return self._rows.total

    @property
    def taken(self) -> int:
        """Number of rows taken from the iterable."""
        return self._run.counts()[0]

    @property
    def done(self) -> int:
        """Rows whose call has completed, successful or not."""
        return self._run.counts()[1]

    @property
    def failed(self) -> int:
        """Rows whose call failed."""
        return self._run.counts()[2]

    @property
    def skipped(self) -> int:
        """Rows whose outcome an earlier run has written to the journal. They have no result in this run."""
        return self._run.counts()[8]

    @property
    def unsent(self) -> RowTable[tuple[int, Row]]:
        """The rows that are still to be sent, as (index, row): those taken and, if the rows are a sequence, a frame or
        a table, all later ones. A row whose request the server has refused for what ended the run (429, 401, 403) is
        one of them."""
        return self._rows.unsent(self.taken, self._run.open_rows())

    @property
    def in_doubt(self) -> RowTable[tuple[int, Row, str | None]]:
        """The rows whose request was sent and whose result was not read, as (index, row, idempotency key).

        During the run these are the rows in flight. After an interruption the server may have processed them or not.
        Sending an order or a contact again is safe; for an event pass the key of its first request.
        """
        return self._rows.in_doubt(self._run.open_rows())

    @property
    def last_result(self) -> Result[T] | None:
        """The result that was returned last; None before the first. For a program that an exception such as
        ``KeyboardInterrupt`` interrupted between ``next(run)`` and the use of its result."""
        last: Result[T] | None = self._run.last
        return last

    @property
    def report(self) -> BulkReport:
        """The report of the rows so far."""
        taken, done, failed, created, updated, requests, seconds, waited, *skipped = self._run.counts()
        return BulkReport(
            total=taken if self.total is None else self.total,
            succeeded=done - failed,
            created=created,
            updated=updated,
            failed=failed,
            refused=self._rows.refusals(),
            unsent=self.unsent,
            in_doubt=self.in_doubt,
            requests=requests,
            seconds=seconds,
            waited=waited,
            stopped=self._run.stopped,
            sandbox=self._run.is_sandbox,
            skipped=skipped[0],
            skipped_refused=skipped[1],
        )


NO_SETTINGS: RunSettings = (None, 0, 0, 0.0)


def start(
    kind: type[R],
    group: _core.Group,
    core: _core.Client,
    operation: str | _core.Plan,
    rows: Rows,
    concurrency: int | None,
    on_progress: Callable[[Progress], object] | None,
    settings: RunSettings,
    options: Options,
) -> R:
    """A run of the core, on its own group of calls."""

    def report(done: int, failed: int, waiting_until: float | None, eta: float | None, skipped: int) -> None:
        if on_progress is not None:
            on_progress(Progress(done, failed, rows.total, instant(waiting_until), eta, skipped))

    return _core.Bulk.__new__(
        kind,
        group,
        core,
        operation,
        rows.source,
        concurrency,
        -1 if rows.total is None else rows.total,
        rows.split,
        rows.omits_nulls,
        Success,
        rows.failure,
        rows.stop,
        None if on_progress is None else report,
        settings,
        *options,
    )


class Bulk(BaseBulk[T], _core.Bulk):
    """An iterator of ``Result``: the results of the rows, as their calls complete.

    The thread that iterates takes rows from the iterable when it can start their calls; the first ``next`` sends the
    first request. Rows that share an ``order_id``, e-mail address, phone number or ``idempotency_key`` run one after
    the other, and their results keep that order; all others are returned as they complete. A row that waits for a retry
    does not block other rows. Calls progress only inside ``next``; the time that the reader spends between two ``next``
    counts against no ``timeout``. Leaving a loop early keeps the calls in flight for the next loop; ``close``, or the
    end of a ``with`` block, cancels them.

    The run stops when a call would have to wait for the rate limit for longer than ``max_wait`` (in general the limit
    of the day): after the results of all calls the iterator raises ``RateLimitError``. At the instant ``until`` it
    raises ``DeadlineError`` in the same way. It also stops when the server does not accept the token (401, 403),
    because it would refuse each further row: then the iterator raises ``AuthenticationError`` or
    ``PermissionDeniedError``. Rows whose requests were refused so are ``unsent``. If its journal cannot be written, it
    raises ``JournalError``. If the iterable raises an exception, the iterator raises it, also after all results. Any
    other error is the result of its row. An unrelated exception such as ``KeyboardInterrupt`` loses nothing: the next
    ``next`` continues. One that arrives as ``next`` returns hides the result: ``last_result`` has it. At any time each
    row taken is exactly one of: reported, ``skipped`` because an earlier run of the journal has its outcome, ``unsent``
    or ``in_doubt``.

    A run holds its journal until it ends or is closed.

    A run can be iterated once: after its end another pass raises ``RuntimeError``.
    """

    def __new__(
        cls,
        core: _core.Client,
        operation: str | _core.Plan,
        held: Rows,
        concurrency: int | None,
        on_progress: Callable[[Progress], object] | None,
        settings: RunSettings,
        options: Options,
    ) -> Self:
        self = start(cls, _core.Group(core), core, operation, held, concurrency, on_progress, settings, options)
        self._rows = held
        self._has_journal = settings[0] is not None
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
        """Runs to the end and returns the report. If the rate limit, the token, the journal or ``until`` ends the run,
        ``report.stopped`` holds the error.

        An exception ends a run with a journal, so that another run can continue it at once.

        Raises:
            Exception: what the iterable raised; the property ``report`` then holds the results so far.
        """
        try:
            for _ in self:
                pass
        except PrivyError as error:
            check_stop(self, error)
        except BaseException:
            if self._has_journal:
                self.close()
            raise
        return self.report

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def check_stop(run: _core.Bulk, error: PrivyError) -> None:
    """Raises the error unless it is why the core ended the run."""
    if run.source_failed or error is not run.stopped:
        raise error


def check_pass(run: _core.Bulk) -> None:
    """Raises RuntimeError for a second pass over a run."""
    if run.over:
        raise RuntimeError("this bulk run is over: a run sends its rows once; create another run for another pass")
