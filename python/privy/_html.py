"""What notebooks show: small tables without scripts, colours or external files, with all texts masked and escaped.

Imported by the first display.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from html import escape
from itertools import islice
from typing import Any

from . import _core
from ._counted import counted
from ._errors import PrivyError

TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from ._bulk import BaseBulk, BulkReport
    from ._journal import Journal, JournalReport
    from ._limits import RateLimit
    from ._pagination import BaseList
    from ._plan import BasePlan, Change, PlanRow

ROWS = 10
"""Rows of a table."""
WIDTH = 60
"""Characters of a cell."""
WIDE = 200
"""Characters of a message or a title."""
_LEFT = ' style="text-align:left"'
_ONE_LINE = ' style="text-align:left;white-space:nowrap"'


def show_record(shown: Any) -> str:
    """The fields that a record holds."""
    cells = [[name, _field(shown, name)] for name in type(shown).__match_args__ if name in shown]
    if shown.extra:
        cells.append(["extra", ", ".join(shown.extra)])
    return _block(type(shown).__name__, _table(["field", "value"], cells))


def show_page(shown: _core.Page) -> str:
    """The first records of a page."""
    place = f" {shown.page}" if shown.page is not None else ""
    pages = f" of {shown.total_pages}" if shown.total_pages is not None else ""
    total = f"; {counted(shown.total_count, 'contact', ',')} on all pages" if shown.total_count is not None else ""
    title = f"Page{place}{pages}: {counted(len(shown), 'contact', ',')}{total}"
    return _block(title, *_records(shown))


def show_contact_list(shown: BaseList) -> str | None:
    """The first contacts of a list and what reading it costs. Fetches the first page if the list can."""
    name = f"{type(shown).__name__}{_sandbox(shown._client.is_sandbox)}"
    try:
        first = shown._preview()
    except PrivyError as error:
        return _block(f"{name}: not fetched", _line(_core.mask(str(error))))
    if first is None:
        return None
    limit = -1 if shown._limit is None else shown._limit
    requests, records = _core.Pager.rest(first, limit)
    title = f"{name}: {counted(records, 'contact', ',') if records >= 0 else 'number unknown'}"
    if limit >= 0:
        title += f" (limit {limit:,})"
    parts = _records(first[:limit] if limit >= 0 else first, records)
    return _block(title, *parts, _line(_cost(shown, requests)))


def show_bulk(shown: BaseBulk[Any]) -> str:
    """The progress of a run."""
    total, done = shown.total, shown.done + shown.skipped
    title = f"{type(shown).__name__}{_sandbox(shown._run.is_sandbox)}: {done:,} of {_total(total)} done"
    parts = [f"{shown.failed:,} failed"] if shown.failed else []
    if shown.skipped:
        parts.append(f"{shown.skipped:,} skipped")
    if shown._run.over:
        parts.append("over")
    elif shown._run.eta is not None:
        parts.append(f"{duration(shown._run.eta)} left")
    return _block(title, _bar(done, total), _line(", ".join(parts)))


def show_report(shown: BulkReport) -> str:
    """The counts of a report and its first refused rows."""
    title = f"BulkReport{_sandbox(shown.sandbox)}: {shown.succeeded:,} of {_total(shown.total)} succeeded"
    counts = {
        "created": shown.created,
        "updated": shown.updated,
        "failed": shown.failed,
        **({"skipped": shown.skipped} if shown.skipped else {}),
        "unsent": len(shown.unsent),
        "in doubt": len(shown.in_doubt),
        "requests": shown.requests,
    }
    cells = [[*(f"{count:,}" for count in counts.values()), duration(shown.seconds), duration(shown.waited)]]
    parts = [_bar(shown.succeeded + shown.skipped, shown.total), _table([*counts, "time", "waited"], cells)]
    if shown.stopped is not None:
        parts.append(_line(_core.mask(f"Stopped: {shown.stopped}")))
    if shown.refused:
        some = [[str(row.index), _core.mask(row.field), _core.mask(row.message)] for row in shown.refused[:ROWS]]
        parts += [_table(["row", "field", "message"], some, WIDE), _first(len(shown.refused))]
    return _block(title, *parts)


_SHOWN = {
    "refused": ("index", "field", "message"),
    "changes": ("index", "state", "contact_id"),
    "blocked": ("index", "state", "contact_id"),
    "journal_refused": ("row", "field", "message", "code", "status"),
    "journal_in_doubt": ("row", "first_sent", "too_old", "decided"),
}
"""Of the rows that a report or a journal lists: the attributes that are no personal data. Others show their index."""


def show_rows(report: str, shown: Sequence[Any]) -> str:
    """The first rows of what a report or a journal lists."""
    names = _SHOWN.get(report)
    count = len(shown)
    some = list(islice(shown, ROWS))
    if names is None:
        cells = [[str(entry[0])] for entry in some]
    else:
        cells = [[_text(_core.mask(getattr(entry, name))) for name in names] for entry in some]
    listed = report.rpartition("journal_")[2].replace("_", " ")
    title = f"{count:,} {'entry' if count == 1 else 'entries'}: {listed}"
    return _block(title, _table(names or ("index",), cells, WIDE), _first(count))


def show_journal(shown: Journal, report: JournalReport) -> str:
    """The counts of a journal."""
    done = f"{report.succeeded:,} of {_total(report.total)} succeeded"
    title = f"Journal{_sandbox(report.sandbox)} of {shown.operation}: {done}"
    counts = {name.replace("_", " "): f"{count:,}" for name, count in shown.counts.items() if count}
    runs = {"runs": report.runs, "killed": report.killed, "requests": report.requests}
    cells = [f"{count:,}" for count in runs.values()] + [duration(report.seconds), duration(report.waited)]
    parts = [_bar(report.succeeded, report.total)]
    if counts:
        parts.append(_table(counts, [counts.values()]))
    parts.append(_table([*runs, "time", "waited"], [cells]))
    if report.stopped is not None:
        parts.append(_line(_core.mask(f"Stopped: {report.stopped}")))
    return _block(title, *parts)


def show_plan(shown: BasePlan) -> str:
    """The counts of a plan, and its first rows but those that are unchanged."""
    title, cost = shown._core.text(0).splitlines()[:2]
    title = f"{type(shown).__name__}{_sandbox(shown._core.is_sandbox)}: {title}"
    parts = [_line(cost)]
    for name in ("create", "update", "blocked"):
        rows = getattr(shown, name)
        some = [[str(row.index), _core.mask(row.key), _why(row)] for row in rows[:ROWS]]
        if some:
            parts += [_table([name, "key", "changes"], some, WIDE), _first(len(rows))]
    if shown.refused:
        entries = [[str(row.index), _core.mask(row.field), _core.mask(row.message)] for row in shown.refused[:ROWS]]
        parts += [_table(["refused", "field", "message"], entries, WIDE), _first(len(shown.refused))]
    return _block(title, *parts)


def _why(row: PlanRow) -> str:
    """What a row changes, or why it is blocked."""
    if row.reasons:
        return str(_core.mask("; ".join(f"{reason['field']} {reason['message']}" for reason in row.reasons)))
    changes = (f"{name}: {_old(row, change)}{_text(change.new)}" for name, change in row.changes.items())
    return str(_core.mask(", ".join(changes)))


def _old(row: PlanRow, change: Change) -> str:
    return f"{_text(change.old) or 'none'} → " if row.state == "update" else ""


def show_rate_limit(shown: RateLimit) -> str:
    """The limits of the minute and of the day."""
    cells = []
    for name in ("minute", "day"):
        window = getattr(shown, name)
        if window.known:
            cells.append([name, f"{window.limit:,}", f"{window.remaining:,}", _text(window.resets_at)])
        else:
            cells.append([name, "unknown", "", ""])
    return _block("RateLimit", _table(["window", "limit", "remaining", "resets at"], cells))


def duration(seconds: float) -> str:
    """Seconds as text for people."""
    whole = max(int(seconds + 0.5), 0)
    if whole < 120:
        return f"{whole} s" if seconds >= 1 or seconds <= 0 else "less than 1 s"
    minutes = (whole + 30) // 60
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02} min"


def _cost(shown: BaseList, requests: int) -> str:
    """What reading the list costs now."""
    if requests < 0:
        return "Each page costs one request."
    if shown._first_page is None:
        requests += 1
    if requests == 0:
        return "Reading them costs no further request."
    text = f"Reading them costs {counted(requests, 'more request', ',')}"
    try:
        seconds = shown._client.forecast(requests)
        minute = shown._client.rate_limits()[0]
    except PrivyError:
        return f"{text}."
    if seconds is None:
        return f"{text}, more than the limit of the day allows now."
    return f"{text}, about {duration(seconds)} at {minute[0]:,} a minute." if minute and seconds else f"{text}."


def _records(shown: Sequence[Any], count: int = -1) -> list[str]:
    """A table of the first of ``count`` records, with the fields that they hold."""
    some = list(shown[:ROWS])
    if not some:
        return []
    names = [name for name in type(some[0]).__match_args__ if any(name in one for one in some)]
    table = _table(names, [[_field(one, name) for name in names] for one in some], style=_ONE_LINE)
    return [table, _first(max(count, len(shown)))]


@cache
def _personal(name: str) -> frozenset[str]:
    """The fields of a record that may hold an e-mail address or a phone number."""
    tables = {table["name"]: table["fields"] for table in _core.schema()["objects"]}
    return frozenset(field["name"] for field in tables[name] if field["personal"])


def _field(shown: Any, name: str) -> str:
    value = getattr(shown, name)
    return _text(_core.mask(value) if name in _personal(type(shown).__name__) else value)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_text(item)}" for name, item in value.items())
    if isinstance(value, (tuple, list)):
        return ", ".join(_text(item) for item in value)
    return str(value)


def _valid(text: str) -> str:
    """The text without what a notebook cannot store or show: surrogates, and NUL."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def _safe(text: str, width: int) -> str:
    """The text of a cell, cut and escaped."""
    return escape(_valid(text if len(text) <= width else text[: width - 1] + "…"))


def _block(title: str, *parts: str) -> str:
    """One output: its title and what is below. A wide table has its own scroll bar."""
    return f'<div style="overflow-x:auto"><div><b>{_safe(title, WIDE)}</b></div>{"".join(parts)}</div>'


def _table(names: Iterable[str], rows: Iterable[Iterable[str]], width: int = WIDTH, style: str = _LEFT) -> str:
    head = "".join(f"<th{style}>{_safe(name, width)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(f'<td{style}>{_safe(cell, width)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _line(text: str) -> str:
    return f"<div>{escape(_valid(text))}</div>" if text else ""


def _bar(done: int, total: int | None) -> str:
    """A progress bar of the browser, in its theme."""
    return f'<progress max="{total}" value="{done}"></progress>' if total else ""


def _first(count: int) -> str:
    """A line that says that a table shows only the first rows."""
    return _line(f"The first {ROWS} of {count:,}") if count > ROWS else ""


def _total(rows: int | None) -> str:
    return "an unknown number of rows" if rows is None else counted(rows, "row", ",")


def _sandbox(is_sandbox: bool) -> str:
    return " (sandbox)" if is_sandbox else ""
