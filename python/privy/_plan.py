"""Plans: what rows of contacts would change. The core reads, compares and decides; this module converts."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Literal, NamedTuple, overload

import privy

from . import _core
from ._bulk import NO_SETTINGS, BaseBulk, Bulk, BulkReport, Progress
from ._bulk_rows import RefusedRow, Rows, refusals_of
from ._counted import counted
from ._errors import ValidationError
from ._instant import instant
from ._result import Failure
from ._row_kinds import parts
from ._row_tables import RowTable
from ._rows import source_of
from .types import Any, Details, Nulls, Options, PlanMode, Row, RunSettings, datetime

OPERATION = "contacts.upsert"
STATES = ("create", "update", "unchanged", "blocked", "refused")
"""In the order of the core's values."""
SHOWN = 5
"""Rows of each state in the text of a plan."""


class Change(NamedTuple):
    """What becomes of a field."""

    old: Any
    """The stored value; None if the contact has none, or is not there yet."""
    new: Any
    """The value that is sent: for ``"merge"`` that of the row and the stored one together."""


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A row of a plan."""

    index: int
    """Position of the row, from 0."""
    state: Literal["create", "update", "unchanged", "blocked"]
    """What would become of it."""
    key: str = field(repr=False)
    """Its e-mail address, or else its phone number."""
    contact_id: str | None
    """The contact that it is about; None if there is none yet."""
    changes: Mapping[str, Change] = field(repr=False)
    """What changes, by field; of a blocked row what is not sent. Empty if nothing changes."""
    reasons: Details
    """Why the row is blocked: dicts with ``field``, ``message`` and ``code``; else empty."""


def _row(state: int, values: tuple[int, str, str | None, int, str, Details]) -> PlanRow:
    index, key, contact_id, _, changes, reasons = values
    members = json.loads(changes, parse_float=Decimal)
    made = {name: Change(*pair) for name, pair in members.items()}
    return PlanRow(index, STATES[state], key, contact_id, made, reasons)  # type: ignore[arg-type]


class PlanRows(Sequence[PlanRow]):
    """The rows of a state, created when they are read."""

    def __init__(self, core: _core.Plan, state: int, count: int) -> None:
        self._core = core
        self._state = state
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> PlanRow: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[PlanRow]: ...
    def __getitem__(self, at: int | slice) -> PlanRow | Sequence[PlanRow]:
        if isinstance(at, slice):
            return [self[index] for index in range(*at.indices(self._count))]
        found = self._core.row(self._state, at % self._count) if -self._count <= at < self._count else None
        if found is None:
            raise IndexError("the plan has fewer such rows")
        return _row(self._state, found)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(PlanRow.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{counted(self._count, 'row')}>"


class TakenRows:
    """The rows that are added to a plan: those that may be sent later, and the error details of the others."""

    def __init__(self, core: _core.Plan, nulls: Nulls | None) -> None:
        self.rows: dict[int, Row] = {}
        self.refused: list[RefusedRow] = []
        self._core = core
        self._nulls = nulls
        self._keys = _core.row_keys(OPERATION)
        self._count = 0

    def add(self, row: Any) -> None:
        """Adds a row to the plan."""
        shown: Row = row
        details: Details | None
        try:
            shown, params, extra, omits = parts(row, self._nulls)
            details = self._core.add(params, extra, omits)
        except ValidationError as error:
            details = error.details
            self._core.refuse([(one["field"], one["message"], one["code"], one.get("count")) for one in details])
        if details is None:
            self.rows[self._count] = shown
        else:
            self.refused += refusals_of(self._count, shown, self._keys, details)
        self._count += 1


class SentRows(Rows):
    """The rows of the run that applies a plan: the first row of each request, with its index in the plan."""

    names: list[object] | None = None
    repeatable = False

    def __init__(self, core: _core.Plan, taken: TakenRows) -> None:
        super().__init__(OPERATION, self, None)
        self._indexes = [core.request_row(request) for request in range(core.counts()[1])]
        self._rows = [taken.rows[index] for index in self._indexes]

    @property
    def total(self) -> int:
        """The number of requests."""
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def after(self, taken: int) -> Sequence[Row]:
        """The rows whose request was not started."""
        return self._rows[taken:]

    def failure(self, index: int, row: Row, error: Exception) -> Failure:
        """The result of a request that failed."""
        return super().failure(self._indexes[index], row, error)

    def unsent(self, taken: int, open_rows: list[tuple[int, Row, bool, str | None]]) -> RowTable[tuple[int, Row]]:
        """The rows without a request, by their index in the plan."""
        found = super().unsent(taken, open_rows)
        return RowTable("unsent", [(self._indexes[index], row) for index, row in found], self._keys)

    def in_doubt(self, open_rows: list[tuple[int, Row, bool, str | None]]) -> RowTable[tuple[int, Row, str | None]]:
        """The rows whose result was not read, by their index in the plan."""
        found = super().in_doubt(open_rows)
        return RowTable("in_doubt", [(self._indexes[index], row, key) for index, row, key in found], self._keys)


class PlanSettings(NamedTuple):
    """What ``contacts.plan`` was given, for the core."""

    nulls: Nulls | None
    tags: PlanMode
    custom_fields: PlanMode
    resubscribe: bool
    snapshot: str | os.PathLike[str] | None
    max_age: float | timedelta | None
    on_spent_day: privy.types.OnSpentDay
    concurrency: int | None
    on_progress: Callable[[Progress], object] | None
    options: Options


def start(group: _core.Group, client: _core.Client, settings: PlanSettings) -> _core.Plan:
    """A plan of the core, without rows."""
    from ._run_settings import ON_SPENT_DAY, choice, path_of

    on_progress = settings.on_progress

    def report(done: int, expected: int | None, waiting_until: float | None, eta: float | None) -> None:
        if on_progress is not None:
            on_progress(Progress(done, 0, expected, instant(waiting_until), eta))

    snapshot = None if settings.snapshot is None else path_of("snapshot", settings.snapshot)
    return _core.Plan(
        group,
        client,
        OPERATION,
        ("tags", settings.tags),
        ("custom_fields", settings.custom_fields),
        bool(settings.resubscribe),
        snapshot,
        _seconds(settings.max_age),
        choice("on_spent_day", settings.on_spent_day, ON_SPENT_DAY),
        settings.concurrency,
        None if on_progress is None else report,
        *settings.options,
    )


def _seconds(max_age: float | timedelta | None) -> float:
    if max_age is None:
        return 0.0
    if isinstance(max_age, timedelta):
        return max_age.total_seconds()
    if isinstance(max_age, bool) or not isinstance(max_age, (int, float)):
        raise TypeError(f"max_age must be a number of seconds or a timedelta, not {type(max_age).__name__}")
    return float(max_age)


def make(client: _core.Client, rows: object, settings: PlanSettings) -> Plan:
    """Reads what is there and compares. An exception, such as ``KeyboardInterrupt``, ends the reading."""
    source = source_of(OPERATION, rows, settings.nulls)
    core = start(_core.Group(client), client, settings)
    try:
        taken = TakenRows(core, settings.nulls)
        for row in source:
            taken.add(row)
        core.end_rows()
        core.drive()
    except BaseException:
        core.close()
        raise
    return Plan(client, core, taken)


class BasePlan:
    """What ``Plan`` and ``AsyncPlan`` have in common: the result of reading and comparing."""

    _run: BaseBulk[_core.Contact] | None

    def __init__(self, core: _core.Plan, taken: TakenRows) -> None:
        self._core = core
        self._refused = taken.refused
        self._sent = SentRows(core, taken)
        self._run = None

    def __str__(self) -> str:
        return self._core.text(SHOWN)

    def __repr__(self) -> str:
        place = "sandbox, " if self._core.is_sandbox else ""
        return f"{type(self).__name__}({place}{self._core.summary()})"

    def _repr_html_(self) -> str:
        """The counts and the first rows, for notebooks."""
        from ._html import show_plan

        return show_plan(self)

    def __len__(self) -> int:
        """The number of rows."""
        return sum(self._core.counts()[0].values())

    def __bool__(self) -> bool:
        """True, whatever the number of rows: ask ``requests``."""
        return True

    def _table(self, state: int) -> RowTable[PlanRow]:
        count = self._core.counts()[0][STATES[state]]
        return RowTable("blocked" if STATES[state] == "blocked" else "changes", PlanRows(self._core, state, count))

    @property
    def create(self) -> RowTable[PlanRow]:
        """Rows of which no contact has the e-mail address or phone number. A table too, with a line for each field:
        ``to_pandas()``, ``to_polars()``, ``to_arrow()``, ``to_parquet(path)``."""
        return self._table(0)

    @property
    def update(self) -> RowTable[PlanRow]:
        """Rows whose contact differs, with the fields that do (``changes``). A table too, with a line for each
        field."""
        return self._table(1)

    @property
    def unchanged(self) -> RowTable[PlanRow]:
        """Rows whose contact has all that they say."""
        return self._table(2)

    @property
    def blocked(self) -> RowTable[PlanRow]:
        """Rows that must not or cannot be applied, with the reason (``reasons``). A table too, with a line for each
        reason."""
        return self._table(3)

    @property
    def refused(self) -> RowTable[RefusedRow]:
        """The error details of rows that are invalid, as in ``BulkReport.refused``."""
        return RowTable("refused", self._refused)

    @property
    def requests(self) -> int:
        """Requests that ``apply`` sends: one for each contact that is created or changed."""
        return self._core.counts()[1]

    @property
    def requests_read(self) -> int:
        """Requests that were sent to read what is there."""
        return self._core.counts()[2]

    @property
    def duration(self) -> float | None:
        """Seconds that ``apply`` takes by the rate limits, as of now; None if the limit of the day does not allow it
        today."""
        return self._core.counts()[3]

    @property
    def read_at(self) -> datetime | None:
        """When the contacts were read."""
        return instant(self._core.counts()[4])

    @property
    def from_snapshot(self) -> bool:
        """Whether the contacts come from the snapshot."""
        return self._core.counts()[5]

    @property
    def report(self) -> BulkReport | None:
        """The report of ``apply`` so far, also after an exception such as ``KeyboardInterrupt``; None before it."""
        return None if self._run is None else self._run.report


class Plan(BasePlan):
    """What rows of contacts would change: see ``contacts.plan``. ``print(plan)`` shows it.

    Each row is in exactly one of ``create``, ``update``, ``unchanged``, ``blocked`` and ``refused``; a row of
    ``refused`` has an entry for each of its errors.
    """

    def __init__(self, client: _core.Client, core: _core.Plan, taken: TakenRows) -> None:
        super().__init__(core, taken)
        self._client = client

    def apply(
        self,
        *,
        concurrency: int | None = None,
        on_progress: Callable[[privy.Progress], object] | None = None,
        progress: bool = False,
        journal: str | os.PathLike[str] | None = None,
        resume: privy.types.Resume = "auto",
        on_spent_day: privy.types.OnSpentDay = "stop",
        until: privy.types.Time | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> BulkReport:
        """Sends what differs: one request for each contact that is created or changed.

        A plan is applied once. What was changed in the meantime by others stays as it is, unless the plan changes the
        same field. The rows of the report are requests; their ``index`` is that of the first row of the contact.

        Args:
            concurrency: maximum number of calls in flight (8).
            on_progress: called with a ``Progress`` after each request, and when all calls start or stop waiting.
            progress: shows a progress bar.
            journal: path of a file that keeps what becomes of each request. A plan of the same snapshot skips what the
                journal says was done; any other plan knows it from what it has read.
            resume, on_spent_day, until: as for ``upsert_many``.
            timeout, connect_timeout, max_retries, max_wait: as for ``upsert_many``.

        Returns:
            The report. If the rate limit, the token, the journal or ``until`` ends the run, ``stopped`` holds the
            error.

        Raises:
            PrivyError: the plan was applied before.
        """
        from ._resources._base import run_settings

        settings = run_settings(journal, resume, on_spent_day, until) or NO_SETTINGS
        options = (None, timeout, connect_timeout, max_wait, max_retries)
        return self._apply(concurrency, on_progress, progress, settings, options)

    def _apply(
        self,
        concurrency: int | None,
        on_progress: Callable[[Progress], object] | None,
        progress: bool,
        settings: RunSettings,
        options: Options,
    ) -> BulkReport:
        kind: type[Bulk[_core.Contact]] = Bulk
        if progress:
            from ._progress import ShownBulk

            kind = ShownBulk
        run = kind(self._client, self._core, self._sent, concurrency, on_progress, settings, options)
        self._run = run
        with run:
            return run.run()
