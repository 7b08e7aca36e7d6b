"""What commands that read a file share: options, the check of all lines, and what they show of it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .._counted import counted
from ._exit import Usage, moment
from ._state import State

if TYPE_CHECKING:
    from ._file_rows import FileRows
    from ._importing import Findings

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ["csv", "tsv", "jsonl", "json", "parquet"]
SHOWN_FAULTS = 20
"""Faults that are shown; ``--dry-run`` shows all."""
READING = ("map_file", "preset", "country", "timezone", "currency", "form", "encoding", "delimiter")
"""The options that say how to read the file."""


def file_options(function: F) -> F:
    """Options of commands that read a file."""
    options = (
        click.option("--map", "map_file", metavar="FILE", help="A map of columns to fields, in TOML."),
        click.option(
            "--preset",
            metavar="NAME",
            help="A shop's export: shopify, woocommerce, webtoffee, magento, magento_grid, or auto.",
        ),
        click.option("--country", metavar="CODE", help="Of phone numbers without +, such as US."),
        click.option("--timezone", metavar="ZONE", help="Of times without an offset, such as Europe/Berlin."),
        click.option("--currency", metavar="CODE", help="Of rows without a currency, such as USD."),
        click.option(
            "--format",
            "form",
            type=click.Choice(FORMATS),
            metavar="FORMAT",
            help="csv, tsv, jsonl, json or parquet.",
        ),
        click.option("--encoding", metavar="NAME", help="Of the file, if it is not found."),
        click.option("--delimiter", metavar="CHAR", help="Of the file, if it is not found."),
        click.option("--show-conversions", is_flag=True, help="Show each converted value."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def budget_options(function: F) -> F:
    """Options of commands that send many requests: what is left to others, and when to stop."""
    options = (
        click.option("--reserve", type=int, metavar="N", help="Requests a minute that are left to others."),
        click.option("--until", metavar="TIME", help="Stop at this time, such as 07:00."),
        click.option(
            "--on-spent-day",
            type=click.Choice(["stop", "wait"]),
            default="stop",
            metavar="WHAT",
            help="If the day's budget is spent: stop (default), or wait.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def client_settings(given: dict[str, Any]) -> dict[str, Any]:
    """The settings of the client that the options of the budget make."""
    return {} if given["reserve"] is None else {"reserve": given["reserve"]}


def budget_settings(given: dict[str, Any]) -> dict[str, Any]:
    """The keywords of a bulk run that the options of the budget make.

    Raises:
        Usage: ``--until`` is no time, or has passed.
    """
    settings: dict[str, Any] = {"on_spent_day": given["on_spent_day"]}
    if given["until"]:
        settings["until"] = _until(given["until"])
    return settings


def _until(text: str) -> Any:
    from datetime import datetime, timezone

    from ._importing import next_time

    try:
        at = next_time(text)
    except ValueError:
        raise Usage(f"--until {text}: write a time of day such as 07:00, or 2026-05-12T07:00:00Z") from None
    if at <= time.time():
        raise Usage(f"--until {text}: this time has passed")
    return datetime.fromtimestamp(at, timezone.utc)


def when_of(stopped: object) -> str:
    """From when on the command that this error stopped can go on, such as `` from 2026-11-28 07:00:00 CET on``."""
    at = getattr(stopped, "retry_at", None)
    return f" from {moment(at)} on" if at is not None else ""


def check_files(file: str, given: dict[str, Any]) -> None:
    """Raises OSError for a file that is missing. It is the cheapest check: no credentials are needed for it."""
    for path in (file, given["map_file"]):
        if path not in (None, "-"):
            os.stat(path)


def checked(file: str, operation: str, given: dict[str, Any], options: State) -> tuple[FileRows, Findings]:
    """Reads all lines and keeps what is wrong with them. Sends nothing.

    Raises:
        Usage: the file or the map cannot be used.
    """
    from ._importing import EXAMPLES, check
    from ._mapped import open_rows

    rows = open_rows(file, operation, **{name: given[name] for name in READING})
    shows = sys.stderr.isatty() and not options.quiet
    name = name_of(file)

    def tick(lines: int) -> None:
        click.echo(f"\rprivy: checks {name}: {lines:,} lines", nl=False, err=True)

    found = check(rows, None if given["show_conversions"] else EXAMPLES, tick if shows else None)
    if shows:
        click.echo("\r\033[K", nl=False, err=True)
    return rows, found


def name_of(file: str) -> str:
    """The file, as messages name it."""
    return "stdin" if file == "-" else os.path.basename(file)


def show(name: str, rows: FileRows, found: Findings, all_faults: bool) -> None:
    """Shows what was found: on stdout if it is the result of the command, with all faults; otherwise on stderr."""

    def say(text: str) -> None:
        click.echo(text, err=not all_faults)

    for note in rows.notes:
        say(f"{name}: {note}")
    for reason, count in found.left_out.items():
        say(f"{name}: {counted(count, 'line', ',')} {'is' if count == 1 else 'are'} left out: {reason}")
    for rule, count in found.conversions.items():
        say(f"{name}: {rule}: {counted(count, 'value', ',')} converted")
        for change in found.examples[rule]:
            say(f"  line {change.line}, {change.column}: {change.before!r} -> {change.after!r}")
    _show_faults(name, found, len(found.faults) if all_faults else SHOWN_FAULTS, say)


def _show_faults(name: str, found: Findings, most: int, say: Callable[[str], None]) -> None:
    from ._importing import described

    for fault in found.faults[:most]:
        say(f"{name}:{fault.line}: {described(fault)}")
    if len(found.faults) > most:
        say(f"{name}: {counted(len(found.faults) - most, 'more fault', ',')}; `privy import --dry-run` lists all")
