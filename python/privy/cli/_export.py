"""``privy export``."""

from __future__ import annotations

import os
from typing import Any

import click

from .. import _core
from .._counted import counted
from .._errors import PrivyError
from ._contacts import EMAIL_CONSENTS, SMS_CONSENTS
from ._exit import DONE, INTERRUPTED, Usage
from ._output import write_json
from ._progress import shown, span
from ._state import shared, state

FORMATS = ["csv", "jsonl", "db", "parquet"]


@click.command("export")
@click.argument("file", metavar="FILE")
@click.option("--format", "form", type=click.Choice(FORMATS), metavar="FORMAT", help="csv, jsonl, db or parquet.")
@click.option("--email-consent", type=click.Choice([*EMAIL_CONSENTS, "compliance_suppressed"]), metavar="CONSENT")
@click.option("--sms-consent", type=click.Choice([*SMS_CONSENTS, "pending"]), metavar="CONSENT")
@click.option("--resume", is_flag=True, help="Only continue: fail if there is nothing to continue.")
@click.option("--restart", is_flag=True, help="Read all contacts again.")
@click.option(
    "--on-spent-day",
    type=click.Choice(["stop", "wait"]),
    default="stop",
    metavar="WHAT",
    help="If the day's budget is spent: stop (default), or wait.",
)
@shared
def export_(file: str, form: str | None, resume: bool, restart: bool, **given: str | None) -> int:
    """Write all contacts to a file: CSV, JSON lines, SQLite (.db) or Parquet.

    100 contacts cost one request. FILE appears when it is complete; the same command continues after an interruption,
    from FILE.partial. A consent is subscribed, unsubscribed, never_subscribed, suppressed or compliance_suppressed;
    for SMS also single_opt_in or pending.
    """
    options = state()
    if resume and restart:
        raise Usage("--resume and --restart exclude each other")
    try:
        _core.check_export_format(os.fsencode(file), form)
    except PrivyError as error:
        raise Usage(f"{file}: {error}") from None
    settings: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    settings |= {} if form is None else {"format": form}
    settings["resume"] = "restart" if restart else "only" if resume else "auto"
    with (
        options.client() as client,
        shown("contacts", None, lambda rest: None, options.quiet, options.verbose > 0) as progress,
    ):
        try:
            report = client.contacts.export(file, on_progress=progress.update, **settings)
        except KeyboardInterrupt:
            report = None
    if report is None:
        options.warn(f"interrupted; the same command continues, from {file}.partial")
        return INTERRUPTED
    if options.json:
        members = {name: getattr(report, name) for name in ("contacts", "requests", "seconds", "waited", "resumed")}
        write_json("export", file=file, bytes=os.path.getsize(file), began_at=report.began_at, **members)
        return DONE
    contacts, requests = counted(report.contacts, "contact", ","), counted(report.requests, "request", ",")
    click.echo(f"{file}: {contacts}, {requests} in {span(report.seconds)}")
    return DONE
