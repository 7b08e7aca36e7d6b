"""The journal of bulk runs, to be read. The core reads it; this module converts."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from decimal import Decimal
from itertools import islice
from types import TracebackType
from typing import Any, Generic, Literal, TypeVar, overload

from . import _core
from ._counted import counted
from ._instant import instant
from ._row_tables import RowTable
from .types import TYPE_CHECKING, Self, datetime

if TYPE_CHECKING:
    from typing import TypedDict

    class JournalSummary(TypedDict):
        """What the core's Journal summarizes."""

        operation: str
        server: str
        account_known: bool
        began: float
        counts: dict[str, int]
        total: int
        succeeded: int
        failed: int
        unsent: int
        in_doubt: int
        details: int
        runs: int
        killed: int
        requests: int
        seconds: float
        waited: float
        finished: bool
        stopped: str | None


T = TypeVar("T")


def _values(text: str | None) -> Any:
    """The values of a JSON text; numbers with a fraction are Decimal."""
    return None if text is None else json.loads(text, parse_float=Decimal)


@dataclass(frozen=True, slots=True)
class RefusedEntry:
    """One error detail of a row that was refused, as a journal holds it."""

    row: int
    """Position of the row in the iterable of the run that sent or checked it last, from 0."""
    key: str | None = attribute(repr=False)
    """What identifies the row, such as ``order_id=1001`` or ``email=jane@example.com``; of an event without a key
    ``content=`` and a hash. None for an invalid row without a key."""
    field: str
    """The field that is invalid, such as ``line_items[0].price``, or ``base``."""
    message: str
    """What is wrong with the field."""
    value_json: str | None = attribute(repr=False)
    """The value of the field as JSON; None if the request does not have it."""
    code: str
    """Which rule the field breaks, as in ``ValidationError.details``."""
    count: int | None
    """The limit of that rule, if it has one."""
    status: int | None
    """HTTP status of the response; None if the row was found invalid before sending."""
    request_json: str | None = attribute(repr=False)
    """The fields of the row as a JSON object: what was sent, or was to be sent. None if they have no form in JSON."""

    @property
    def value(self) -> Any:
        """The value of the field: a str, an int, a Decimal, a bool, a list, a dict, or None."""
        return _values(self.value_json)

    @property
    def request(self) -> dict[str, Any] | None:
        """The fields of the row; numbers with a fraction are Decimal."""
        fields: dict[str, Any] | None = _values(self.request_json)
        return fields


@dataclass(frozen=True, slots=True)
class InDoubtEntry:
    """A row whose request was sent and whose outcome is not known, as a journal holds it."""

    row: int
    """Position of the row in the iterable of the run that sent it last, from 0."""
    key: str = attribute(repr=False)
    """What identifies the row, as in ``RefusedEntry``."""
    idempotency_key: str | None = attribute(repr=False)
    """The idempotency key of its request, with which it is sent again; None without one."""
    first_sent: datetime | None
    """When it was sent for the first time, by the server's clock (aware, UTC)."""
    too_old: bool
    """Whether it is an event that was sent for the first time more than a day ago, by the clock of this machine. No run
    sends it again before ``Journal.decide`` allows it: the server may have forgotten its idempotency key."""
    decided: bool
    """Whether ``Journal.decide`` has allowed to send it again. The next run does."""
    request_json: str | None = attribute(repr=False)
    """The fields of the row as a JSON object, as they were sent."""

    @property
    def request(self) -> dict[str, Any] | None:
        """The fields of the row; numbers with a fraction are Decimal."""
        fields: dict[str, Any] | None = _values(self.request_json)
        return fields


def _in_doubt(
    row: int, key: str, idempotency_key: str | None, first_sent: float, too_old: bool, decided: bool, text: str | None
) -> InDoubtEntry:
    return InDoubtEntry(row, key, idempotency_key, instant(first_sent), too_old, decided, text)


class _Entries(Sequence[T], Generic[T]):
    """Entries that are read from the file when they are iterated over, one by one."""

    def __init__(self, core: _core.Journal, kind: Literal["refused", "in_doubt"], make: Callable[..., T]) -> None:
        self._core = core
        self._kind: Literal["refused", "in_doubt"] = kind
        self._make = make

    def __iter__(self) -> Iterator[T]:
        make = self._make
        return (make(*values) for values in _core.JournalEntries(self._core, self._kind))

    def __len__(self) -> int:
        summary = self._core.summary()
        return summary["details"] if self._kind == "refused" else summary["in_doubt"]

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> list[T]: ...
    def __getitem__(self, at: int | slice) -> T | list[T]:
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            if step > 0:
                return list(islice(self, start, stop, step))
            return list(self)[at]
        if at < 0:
            at += len(self)
        for entry in islice(self, at, None) if at >= 0 else ():
            return entry
        raise IndexError("there are fewer entries")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} entries>"


@dataclass(frozen=True, slots=True, repr=False)
class JournalReport:
    """What all runs of a journal have reached. It is the same with and without kills, apart from ``runs``, ``killed``,
    ``requests``, ``seconds`` and ``waited``."""

    total: int
    """Rows that a run has taken from its iterable."""
    succeeded: int
    created: int
    """Rows that created an order or a contact."""
    updated: int
    """Rows that updated one."""
    failed: int
    """Rows that are invalid or that the server refused. They are sent again when they have changed."""
    unsent: int
    """Rows that the next run sends: not sent yet, or without effect."""
    in_doubt: int
    """Rows whose request was sent and whose outcome is not known. The next run sends them again, or asks."""
    finished: bool
    """Whether the last run has read its iterable to the end and no row is unsent or in doubt."""
    stopped: str | None
    """Why the last run ended early; None if it did not, or has not ended."""
    runs: int
    """Runs of this journal since it began, or since the last ``resume="restart"``."""
    killed: int
    """Runs that did not end: they were killed, or are in progress."""
    requests: int
    """Requests of all runs. A run that was killed may have sent up to ``concurrency`` more."""
    seconds: float
    """Seconds of all runs together."""
    waited: float
    """Seconds in which all calls of a run waited for the rate limit or for a retry."""
    sandbox: bool = False
    """Whether a sandbox handled the calls."""

    @property
    def ok(self) -> bool:
        """Whether the journal is finished and every row succeeded."""
        return self.finished and self.succeeded == self.total

    def to_dict(self) -> dict[str, object]:
        """The report as a dict that ``json.dumps`` accepts. It holds no personal data."""
        return {"ok": self.ok, **{name: getattr(self, name) for name in self.__dataclass_fields__}}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"

    def __str__(self) -> str:
        total = counted(self.total, "row")
        parts = [f"{self.succeeded} of {total} succeeded ({self.created} created, {self.updated} updated)"]
        counts = (("failed", self.failed), ("unsent", self.unsent), ("in doubt", self.in_doubt))
        parts += [f"{count} {name}" for name, count in counts if count]
        runs = counted(self.runs, "run") + (f" ({self.killed} killed)" if self.killed else "")
        parts.append(f"{counted(self.requests, 'request')} in {self.seconds:.1f} s, in {runs}")
        if self.stopped is not None:
            parts.append(f"stopped: {_core.mask(self.stopped)}")
        if not self.finished:
            parts.append("not finished")
        if self.sandbox:
            parts.append("in a sandbox")
        return "; ".join(parts)


class Journal:
    """The journal of bulk runs, to be read, also while a run of another process writes it.

    >>> with privy.Journal("orders.db") as journal:
    ...     print(journal.report)
    ...     frame = journal.refused.to_pandas()
    ...     journal.rejects_csv("rejects.csv")

    Reading never changes the file; only ``decide`` does. Entries are read from the file when they are used, so that a
    journal of any size takes little memory. Several threads may use one journal. It is local: ``AsyncClient`` needs no
    other class.

    The file holds personal data: the keys of all rows, and the fields of those that did not succeed. It holds no token.

    Args:
        path: the file that ``upsert_many(rows, journal=path)`` or ``ingest_many`` writes.

    Raises:
        JournalError: ``code`` is the reason: ``journal_missing``, ``not_a_journal``, ``journal_newer``,
            ``journal_damaged``, ``journal_unusable``. Each method can raise it too; after a fork with the code
            ``journal_forked``.
    """

    __slots__ = ("__weakref__", "_core", "_path")

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)
        self._core = _core.Journal(path)

    @property
    def path(self) -> str:
        """The path that was given."""
        return self._path

    @property
    def operation(self) -> str:
        """The operation of its rows, such as ``orders.upsert``."""
        return self._core.summary()["operation"]

    @property
    def server(self) -> str:
        """The base URL of the server, or ``sandbox``. Other servers cannot use the journal."""
        return self._core.summary()["server"]

    @property
    def account_known(self) -> bool:
        """Whether it belongs to an account. It does if the client of a run had a client id; then other accounts cannot
        use the journal."""
        return self._core.summary()["account_known"]

    @property
    def began(self) -> datetime | None:
        """When its first run began (aware, UTC)."""
        return instant(self._core.summary()["began"])

    @property
    def counts(self) -> dict[str, int]:
        """The number of rows in each state: ``pending``, ``sent``, ``done``, ``created``, ``updated``, ``refused``,
        ``invalid``, ``superseded``. A row is superseded if it has an outcome, but an earlier row of its key was sent
        again: then the next run sends it again, too."""
        return self._core.summary()["counts"]

    def __len__(self) -> int:
        """The number of rows."""
        return self._core.summary()["total"]

    def __bool__(self) -> bool:
        """True, whatever the number of rows."""
        return True

    @property
    def finished(self) -> bool:
        """Whether the last run has read its iterable to the end and no row is unsent or in doubt."""
        return self._core.summary()["finished"]

    @property
    def report(self) -> JournalReport:
        """The report over all runs."""
        summary = self._core.summary()
        counts = summary["counts"]
        return JournalReport(
            total=summary["total"],
            succeeded=summary["succeeded"],
            created=counts["created"],
            updated=counts["updated"],
            failed=summary["failed"],
            unsent=summary["unsent"],
            in_doubt=summary["in_doubt"],
            finished=summary["finished"],
            stopped=summary["stopped"],
            runs=summary["runs"],
            killed=summary["killed"],
            requests=summary["requests"],
            seconds=summary["seconds"],
            waited=summary["waited"],
            sandbox=summary["server"] == "sandbox",
        )

    @property
    def refused(self) -> RowTable[RefusedEntry]:
        """Why rows were refused: one entry for each error detail of each row, in the order in which the rows came to
        the journal. A sequence that is a table too: ``to_pandas()``, ``to_polars()``, ``to_arrow()``,
        ``to_parquet(path)``. Each use reads the file again; reading by position reads all entries before it."""
        return RowTable("journal_refused", _Entries(self._core, "refused", RefusedEntry))

    @property
    def in_doubt(self) -> RowTable[InDoubtEntry]:
        """The rows whose request was sent and whose outcome is not known. While a run is in progress, its calls in
        flight are among them. A table too, as ``refused``."""
        return RowTable("journal_in_doubt", _Entries(self._core, "in_doubt", _in_doubt))

    def rejects_csv(self, path: str | os.PathLike[str]) -> int:
        """Writes the rows that were refused as CSV, to be corrected and imported again.

        A line for each row: ``privy_field`` and ``privy_reason``, which separate several error details by ``; ``, then
        the fields of the row, lists and objects as JSON. UTF-8, with a line of names. An import does not use the first
        two columns. Only the owner can read the file, which holds personal data; it appears when it is complete. Cells
        are written as they were given, also those that a spreadsheet reads as formulas (``=…``): import them as text
        there.

        Returns:
            The number of rows.

        Raises:
            OSError: the file cannot be written.
        """
        return self._core.write_rejects(path, True)

    def rejects_jsonl(self, path: str | os.PathLike[str]) -> int:
        """The same as lines of JSON: an object for each row, with ``privy_field``, ``privy_reason`` and its fields. An
        import reads lists and objects from it as they are.

        Returns:
            The number of rows.

        Raises:
            OSError: the file cannot be written.
        """
        return self._core.write_rejects(path, False)

    def decide(self, row: int | str | InDoubtEntry, decision: Literal["send", "skip"]) -> int:
        """Decides about a row in doubt that no run decides about: an event that was sent more than a day ago
        (``InDoubtEntry.too_old``), or a contact that may have unsubscribed since.

        The next run obeys. It may not be in progress: this writes the file.

        Args:
            row: an entry of ``in_doubt``, its key, or its position in the iterable. A key decides about all rows in
                doubt that have it.
            decision: ``send``: the next run sends the row again, with the idempotency key of its first request. An
                event is recorded twice if the server has forgotten the key; a contact gets the consent of the row.
                ``skip``: the row counts as done and is not sent again.

        Returns:
            The number of rows.

        Raises:
            JournalError: ``code`` is ``journal_locked`` while a run is in progress, ``journal_not_in_doubt`` if there
                is no such row in doubt, ``journal_ambiguous`` if two rows in doubt have had this position.
            ValueError: the decision is neither.
        """
        if decision not in ("send", "skip"):
            raise ValueError(f"decision must be 'send' or 'skip', not {decision!r}")
        sends = decision == "send"
        if isinstance(row, InDoubtEntry):
            return self._core.decide(row.key, row.row, sends)
        if isinstance(row, str):
            return self._core.decide(row, -1, sends)
        if isinstance(row, bool) or not isinstance(row, int):
            raise TypeError(f"row must be an entry of in_doubt, a key or a position, not {type(row).__name__}")
        if row < 0:
            raise ValueError(f"a position is 0 or greater, not {row}")
        return self._core.decide(None, row, sends)

    def close(self) -> None:
        """Closes the file, as soon as no iteration uses it."""
        self._core.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._path!r})"

    def _repr_html_(self) -> str:
        """The counts, for notebooks."""
        from ._html import show_journal

        return show_journal(self, self.report)
