"""``privy plan``."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import click

from .._client import Client
from .._counted import counted
from .._errors import PrivyError
from ._checked import (
    budget_options,
    budget_settings,
    check_files,
    checked,
    client_settings,
    file_options,
    name_of,
    show,
    when_of,
)
from ._exit import DONE, INTERRUPTED, REFUSED, Usage, code_of
from ._output import dump, error_of, write_json
from ._progress import shown, span
from ._state import shared, state

if TYPE_CHECKING:
    from .._bulk import BulkReport
    from .._plan import Plan, PlanRow
    from ._importing import Findings

MODES = click.Choice(["replace", "merge"])
UNITS = {"s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60}


@click.command("plan")
@click.argument("file", metavar="FILE")
@file_options
@click.option("--tags", type=MODES, default="replace", metavar="MODE", help="replace (default), or merge.")
@click.option("--custom-fields", type=MODES, default="replace", metavar="MODE", help="replace (default), or merge.")
@click.option("--resubscribe", is_flag=True, help="Rows may widen a consent that was withdrawn.")
@click.option("--snapshot", metavar="FILE", help="Keep what was read, and reuse it.")
@click.option("--max-age", metavar="TIME", help="Reuse a snapshot that is not older, such as 30m, 12h or 2d.")
@click.option("--all", "all_rows", is_flag=True, help="Show all rows that change, with their lines.")
@click.option("--apply", "applies", is_flag=True, help="Send what differs, after a question.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--journal", metavar="FILE", help="What became of each request of --apply.")
@budget_options
@shared
def plan_(file: str, **given: Any) -> int:
    """Show what a file of contacts would change.

    It reads the contacts that are there, compares, and sends nothing. The API replaces tags and custom fields; merge
    keeps those that a contact has. --apply sends only what differs: one request for each contact that changes.
    --until ends --apply; the same command again plans what is left.
    """
    options = state()
    _check_usage(file, given)
    max_age = _seconds(given["max_age"])
    run_options = {**budget_settings(given), "journal": given["journal"]}
    check_files(file, given)
    with options.client(**client_settings(given)) as client:
        rows, found = checked(file, "contacts.upsert", given, options)
        if not options.json and not options.quiet:
            show(name_of(file), rows, found, all_faults=False)
        plan = _make(client, rows, found, given, max_age)
        if not options.json:
            _show_plan(client, plan, found, name_of(file), given["all_rows"])
        report, interrupted = None, False
        if given["applies"] and _is_wanted(plan, given["yes"]):
            report, interrupted = _apply(client, plan, run_options)
            _show_report(report, found, name_of(file), interrupted)
        code = INTERRUPTED if interrupted else _exit_code(plan, found, report)
        if options.json:
            _write_json(client, plan, found, report, code)
    return code


def _check_usage(file: str, given: dict[str, Any]) -> None:
    """Raises Usage for options that contradict each other."""
    for name in ("until", "journal"):
        if given[name] and not given["applies"]:
            raise Usage(f"--{name} is for --apply")
    if given["applies"] and not given["yes"] and (not sys.stdin.isatty() or file == "-"):
        raise Usage("--apply: stdin is not a terminal that can be asked: pass --yes")


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if match is None:
        raise Usage(f"--max-age {text}: write a number and a unit, such as 30m, 12h or 2d")
    return float(match[1]) * UNITS[match[2]]


def _make(client: Client, rows: Any, found: Findings, given: dict[str, Any], max_age: float | None) -> Plan:
    from ._importing import Ready

    names = ("tags", "custom_fields", "resubscribe", "snapshot", "on_spent_day")
    options = state()
    with shown("requests read", None, lambda rest: None, options.quiet, options.verbose > 0) as progress:
        plan: Plan = client.contacts.plan(
            Ready(rows, found.ready, {}),
            **{name: given[name] for name in names},
            max_age=max_age,
            on_progress=progress.update,
        )
    return plan


def _line_of(found: Findings, row: PlanRow) -> int:
    line: int = found.numbers[row.index]
    return line


def _show_plan(client: Client, plan: Plan, found: Findings, name: str, all_rows: bool) -> None:
    from ._importing import seconds_for

    if not all_rows:
        click.echo(str(plan))
    for row in (*plan.create, *plan.update, *plan.blocked) if all_rows else ():
        what = "; ".join(f"{field}: {dump(old)} -> {dump(new)}" for field, (old, new) in row.changes.items())
        why = "; ".join(str(reason["message"]) for reason in row.reasons)
        click.echo(f"{name}:{_line_of(found, row)}: {row.state} {row.key}: {why or what}")
    if plan.requests:
        click.echo(f"takes: {counted(plan.requests, 'request', ',')}, {span(seconds_for(client, plan.requests))}")


def _is_wanted(plan: Plan, yes: bool) -> bool:
    """Whether there is something to send, and the user agrees."""
    if not plan.requests:
        state().note("nothing differs: nothing is sent")
        return False
    return yes or click.confirm(f"Send {counted(plan.requests, 'request', ',')}?", abort=True, err=True)


def _apply(client: Client, plan: Plan, run_options: dict[str, Any]) -> tuple[BulkReport | None, bool]:
    """The report, and whether Ctrl-C ended the run."""
    from ._importing import seconds_for

    options = state()

    def estimate(rest: int) -> float:
        return seconds_for(client, rest)

    with shown("requests", plan.requests, estimate, options.quiet, options.verbose > 0) as progress:
        try:
            return plan.apply(on_progress=progress.update, **run_options), False
        except KeyboardInterrupt:
            return plan.report, True


def _show_report(report: BulkReport | None, found: Findings, name: str, interrupted: bool) -> None:
    options = state()
    if report is not None and not options.json:
        click.echo(f"sent: {report.succeeded:,} ({report.created:,} created, {report.updated:,} updated)")
        for entry in report.refused:
            click.echo(f"  {name}:{found.numbers[entry.index]}: {entry.field}: {entry.message}")
        for rows, text in ((report.unsent, "not sent"), (report.in_doubt, "in doubt: sent without a response")):
            if len(rows):
                click.echo(f"{text}: {len(rows):,}")
    stopped = None if report is None else report.stopped
    if stopped is not None:
        options.warn(f"stopped: {stopped}")
    if interrupted or stopped is not None:
        what = "interrupted; run" if interrupted else "run"
        options.warn(f"{what} the same command again{when_of(stopped)}: it plans what is left")


def _exit_code(plan: Plan, found: Findings, report: BulkReport | None) -> int:
    stopped = None if report is None else report.stopped
    if isinstance(stopped, PrivyError):
        return code_of(stopped)
    failed = report is not None and (report.failed or report.unsent or report.in_doubt)
    return REFUSED if failed or found.faulty or plan.blocked or plan.refused else DONE


def _write_json(client: Client, plan: Plan, found: Findings, report: BulkReport | None, code: int) -> None:
    from ._importing import seconds_for

    stopped = None if report is None else report.stopped
    error = stopped if isinstance(stopped, PrivyError) else None
    states = ("create", "update", "unchanged", "blocked")
    write_json(
        "plan",
        counts={**{name: len(getattr(plan, name)) for name in states}, "faulty": found.faulty},
        requests=plan.requests,
        seconds=seconds_for(client, plan.requests),
        requests_read=plan.requests_read,
        read_at=plan.read_at,
        from_snapshot=plan.from_snapshot,
        rows=[
            {
                "line": _line_of(found, row),
                "state": row.state,
                "key": row.key,
                "contact_id": row.contact_id,
                "changes": {field: list(change) for field, change in row.changes.items()},
                "reasons": row.reasons,
            }
            for row in (*plan.create, *plan.update, *plan.blocked)
        ],
        faults=[fault._asdict() for fault in found.faults],
        applied=None if report is None else {**report.to_dict(), "refused": None, "unsent": len(report.unsent)},
        error=None if error is None else error_of(type(error).__name__, str(error), code, error),
        exit_code=code,
    )
