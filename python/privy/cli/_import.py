"""``privy import``."""

from __future__ import annotations

import os
from typing import Any

import click

from .._client import Client
from .._counted import counted
from .._errors import PrivyError
from ._checked import (
    SHOWN_FAULTS,
    budget_options,
    budget_settings,
    check_files,
    checked,
    client_settings,
    file_options,
    show,
    when_of,
)
from ._exit import DONE, INTERRUPTED, REFUSED, Usage, code_of
from ._state import State, is_sandbox, shared, state

OPERATIONS = {"orders": "orders.upsert", "contacts": "contacts.upsert", "events": "events.ingest"}


@click.command("import")
@click.argument("kind", type=click.Choice(list(OPERATIONS)), metavar="KIND")
@click.argument("file", metavar="FILE")
@file_options
@click.option("-n", "--dry-run", is_flag=True, help="List all faults and what it would take; send nothing.")
@click.option("--strict", is_flag=True, help="Send nothing if a row is faulty.")
@click.option("--rejects", metavar="FILE", help="Write refused lines and the reasons, to correct and import.")
@click.option("--historical", "--initial-sync", is_flag=True, help="Orders of the past: they start no flows.")
@click.option("--journal", metavar="FILE", help="What became of each row. Default: FILE.privy.db.")
@click.option("--no-journal", is_flag=True, help="Keep no journal: the import cannot be resumed.")
@click.option("--resume", is_flag=True, help="Only continue: fail if there is no journal.")
@click.option("--restart", is_flag=True, help="Send all rows again, whatever the journal says.")
@budget_options
@shared
def import_(kind: str, file: str, **given: Any) -> int:
    """Send the orders, contacts or events of a file.

    KIND is orders, contacts or events. FILE is CSV, TSV, JSON lines, JSON or Parquet; - is stdin. Without --map and
    --preset the columns are named as the fields of the API.

    Contacts that exist are updated, but not subscribed: they may have unsubscribed since the file was written.

    All lines are checked first, without a request. Faulty rows are not sent; the others are. The same command again
    continues where it stopped: at Ctrl-C, a crash, a spent day or --until.

    \b
      privy import orders orders.csv --preset shopify --dry-run
      privy import orders orders.csv --preset shopify --historical
      privy --sandbox import contacts people.csv      (a rehearsal, no network)
    """
    options = state()
    _check_usage(options, kind, file, given)
    budget_settings(given)  # before a note that nothing is sent, and before credentials are looked for
    check_files(file, given)
    client = None if given["dry_run"] and not options.sandbox else options.client(**client_settings(given))
    try:
        return _Import(options, kind, file, given, client).run()
    finally:
        if client is not None:
            client.close()


def _check_usage(options: State, kind: str, file: str, given: dict[str, Any]) -> None:
    """Raises Usage for options that contradict each other."""
    pairs = (("resume", "restart"), ("journal", "no_journal"), ("resume", "no_journal"), ("restart", "no_journal"))
    for one, other in pairs:
        if given[one] and given[other]:
            raise Usage(f"--{one.replace('_', '-')} and --{other.replace('_', '-')} exclude each other")
    if given["historical"] and kind != "orders":
        raise Usage("--historical is for orders")
    if options.sandbox and (given["resume"] or given["restart"] or given["journal"]):
        raise Usage("--sandbox is a rehearsal in a new sandbox: it has no journal to continue")
    if file == "-" and given["resume"] and not given["journal"]:
        raise Usage("--resume with stdin needs --journal FILE")
    if given["rejects"] and os.path.abspath(given["rejects"]) == os.path.abspath(file):
        raise Usage("--rejects would overwrite the file that is read")


class _Import:
    """One import."""

    def __init__(self, options: State, kind: str, file: str, given: dict[str, Any], client: Client | None) -> None:
        self.options = options
        self.kind = kind
        self.operation = OPERATIONS[kind]
        self.file = file
        self.given = given
        self.client = client
        self.name = "stdin" if file == "-" else os.path.basename(file)
        self.outcome: Any = None
        self.rejected = 0

    def run(self) -> int:
        """Checks, sends and reports. Returns the exit code."""
        self.run_options = self._run_options()
        self.rows, self.found = checked(self.file, self.operation, self.given, self.options)
        if not self.options.json and (self.given["dry_run"] or not self.options.quiet):
            show(self.name, self.rows, self.found, self.given["dry_run"])
        refuses = self.given["strict"] and self.found.faulty > 0
        if not self.given["dry_run"] and not refuses and self.found.ready:
            self._send()
        if self.given["rejects"] and not (self.given["dry_run"] and not self.found.faulty):
            self._write_rejects()
        return self._report()

    # ---- sending ----

    def _run_options(self) -> dict[str, Any]:
        """The keywords of the bulk run."""
        options = budget_settings(self.given)
        path = self._journal_path()
        if path is not None:
            restart, resume = self.given["restart"], self.given["resume"]
            options |= {"journal": path, "resume": "restart" if restart else "only" if resume else "auto"}
        return options

    def _journal_path(self) -> str | None:
        if self.given["no_journal"] or self.options.sandbox or self.given["dry_run"]:
            return None
        given: str | None = self.given["journal"]
        return given or (None if self.file == "-" else f"{self.file}.privy.db")

    def _send(self) -> None:
        from ._importing import Ready, seconds_for, send
        from ._progress import shown

        assert self.client is not None
        client = self.client
        self._warn_of_flows(client)
        added = {"initial_sync": True} if self.given["historical"] else {}
        rows = Ready(self.rows, self.found.ready, added)

        def estimate(rows_left: int) -> float | None:
            return None if is_sandbox(client) and not client.rate_limit.minute.known else seconds_for(client, rows_left)

        plain = self.options.verbose > 0
        with shown(self.kind, len(rows), estimate, self.options.quiet, plain) as progress:
            self.outcome = send(client, self.operation, rows, progress, self.run_options)

    def _warn_of_flows(self, client: Client) -> None:
        if self.found.starting and not self.given["historical"] and not is_sandbox(client):
            count = counted(self.found.starting, "order", ",")
            self.options.note(f"{count} can start flows, such as e-mails to customers; --historical prevents it")

    def _write_rejects(self) -> None:
        from .. import _core
        from ._importing import refused_before, write_rejects

        refused = {} if self.outcome is None else self.outcome.refused
        report = self._report_of_run
        before = refused_before(self.run_options["journal"]) if report is not None and report.skipped_refused else {}
        keys = _core.row_keys(self.operation)
        self.rejected = write_rejects(self.given["rejects"], self.rows, keys, refused, before)

    # ---- the report ----

    @property
    def _report_of_run(self) -> Any:
        return None if self.outcome is None else self.outcome.report

    def _exit_code(self) -> int:
        report = self._report_of_run
        if self.outcome is not None and self.outcome.interrupted:
            return INTERRUPTED
        stopped = None if report is None else report.stopped
        if stopped is not None:
            return code_of(stopped) if isinstance(stopped, PrivyError) else REFUSED
        unfinished = report is not None and (
            report.failed or report.skipped_refused or report.unsent or report.in_doubt
        )
        return REFUSED if self.found.faulty or unfinished else DONE

    def _report(self) -> int:
        code = self._exit_code()
        if self.options.json:
            self._write_json(code)
        else:
            for line in self._summary():
                click.echo(line)
        stopped = getattr(self._report_of_run, "stopped", None)
        if stopped is not None:
            self.options.warn(f"stopped: {stopped}")
        if code == INTERRUPTED or stopped is not None:
            self._say_how_to_continue(stopped)
        return code

    def _say_how_to_continue(self, stopped: Any) -> None:
        path = self.run_options.get("journal")
        if path is None:
            self.options.warn("the rows that are left were not sent; there is no journal to continue from")
            return
        self.options.warn(
            f"run the same command again{when_of(stopped)}: it continues with the rows that are left ({path})"
        )

    def _counts(self) -> dict[str, int]:
        report = self._report_of_run
        sent = {name: getattr(report, name, 0) for name in ("succeeded", "created", "updated", "failed", "requests")}
        in_doubt = len(getattr(report, "in_doubt", ()))
        finished = sent["succeeded"] + sent["failed"] + in_doubt + (0 if report is None else report.skipped)
        return {
            "lines": self.found.lines,
            "rows": self.found.rows,
            "left_out": sum(self.found.left_out.values()),
            "faulty": self.found.faulty,
            "ready": self.found.ready,
            "done_before": 0 if report is None else report.skipped - report.skipped_refused,
            "refused_before": 0 if report is None else report.skipped_refused,
            **sent,
            "unsent": 0 if self.given["dry_run"] else self.found.ready - finished,
            "in_doubt": in_doubt,
        }

    def _estimate(self) -> dict[str, Any]:
        """What sending takes: requests and seconds. An upsert of a contact that exists takes two requests."""
        from ..sandbox import Sandbox
        from ._importing import seconds_for

        each = 2 if self.kind == "contacts" else 1
        most = self.found.ready * each
        with Sandbox().client(**client_settings(self.given)) as client:
            return {
                "requests": self.found.ready,
                "most_requests": most,
                "seconds": seconds_for(client, self.found.ready),
                "most_seconds": seconds_for(client, most),
            }

    def _summary(self) -> list[str]:
        from ._progress import span

        count = self._counts()
        noun = self.kind[:-1]
        lines = [f"{self.name}: {counted(count['lines'], 'line', ',')}, {counted(count['rows'], noun, ',')}"]
        if self.given["dry_run"]:
            if count["faulty"]:
                faults = counted(len(self.found.faults), "fault", ",")
                lines.append(f"refused: {counted(count['faulty'], noun, ',')} with {faults}")
            lines.append(f"ready: {counted(count['ready'], noun, ',')}")
            lines.append(_takes(self._estimate()))
        else:
            lines += self._sent_lines(count)
            report = self._report_of_run
            if report is not None:
                lines.append(f"requests: {count['requests']:,} in {span(report.seconds)}")
        if self.rejected:
            lines.append(f"rejects: {counted(self.rejected, 'line', ',')} in {self.given['rejects']}")
        return lines

    def _sent_lines(self, count: dict[str, int]) -> list[str]:
        changes = f" ({count['created']:,} created, {count['updated']:,} updated)" if self.kind != "events" else ""
        shown = [f"sent: {counted(count['succeeded'], self.kind[:-1], ',')}{changes}"]
        if count["done_before"]:
            shown.append(f"done before: {count['done_before']:,}, by earlier runs")
        if count["faulty"]:
            nothing = "; nothing is sent, as --strict says" if self.outcome is None and self.given["strict"] else ""
            shown.append(f"refused before sending: {count['faulty']:,}{nothing}")
        if count["refused_before"]:
            shown.append(f"refused by an earlier run: {count['refused_before']:,}; --restart sends them again")
        if count["failed"]:
            shown.append(f"refused or failed: {count['failed']:,}")
            shown += [f"  {line}" for line in self._failures()]
        for name, text in (("unsent", "not sent"), ("in_doubt", "in doubt: sent without a response")):
            if count[name]:
                shown.append(f"{text}: {count[name]:,}")
        return shown

    def _failures(self, most: int = SHOWN_FAULTS) -> list[str]:
        refused = self.outcome.refused
        entries = [
            f"{self.name}:{self.found.numbers[index]}: {entry.field}: {entry.message}"
            for index in sorted(refused)[:most]
            for entry in refused[index]
        ]
        return entries + ([f"… and {len(refused) - most:,} more"] if len(refused) > most else [])

    def _write_json(self, code: int) -> None:
        from ._output import error_of, write_json

        report = self._report_of_run
        stopped = getattr(report, "stopped", None)
        error = stopped if isinstance(stopped, PrivyError) else None
        write_json(
            "import",
            operation=self.operation,
            file=self.file,
            dry_run=self.given["dry_run"],
            sandbox=self.client is not None and is_sandbox(self.client),
            notes=self.rows.notes,
            counts=self._counts(),
            left_out=self.found.left_out,
            conversions=[
                {"rule": rule, "count": count, "examples": [_fields(change) for change in self.found.examples[rule]]}
                for rule, count in self.found.conversions.items()
            ],
            faults=[_fields(fault) for fault in self.found.faults],
            failures=self._failed_rows(),
            estimate=self._estimate() if self.given["dry_run"] else None,
            seconds=getattr(report, "seconds", 0.0),
            waited=getattr(report, "waited", 0.0),
            journal=self.run_options.get("journal"),
            rejects={"file": self.given["rejects"], "lines": self.rejected} if self.given["rejects"] else None,
            interrupted=self.outcome is not None and self.outcome.interrupted,
            error=None if stopped is None else error_of(type(stopped).__name__, str(stopped), code, error),
            exit_code=code,
        )

    def _failed_rows(self) -> list[dict[str, Any]]:
        refused = {} if self.outcome is None else self.outcome.refused
        return [
            {
                "line": self.found.numbers[index],
                "key": entry.key,
                "field": entry.field,
                "message": entry.message,
                "code": entry.code,
            }
            for index in sorted(refused)
            for entry in refused[index]
        ]


def _fields(item: Any) -> dict[str, Any]:
    fields: dict[str, Any] = item._asdict()
    return fields


def _takes(estimate: dict[str, Any]) -> str:
    from ._progress import span

    least, most = estimate["requests"], estimate["most_requests"]
    requests = counted(most, "request", ",")
    if most == least:
        return f"takes: {requests}, {span(estimate['seconds'])} at 60 a minute and 10,000 a day"
    return (
        f"takes: {least:,} to {requests}, {span(estimate['seconds'])} to {span(estimate['most_seconds'])} "
        "at 60 a minute and 10,000 a day; one for a new contact, two for one that exists"
    )
