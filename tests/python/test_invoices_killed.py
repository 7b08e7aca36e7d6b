"""An import of invoices that is killed twice on the way ends as one that is not, exact to the cent."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import privy as package
from command import PRIVY, environment, privy
from support import until

ROOT = Path(__file__).resolve().parents[2]
INVOICES = ROOT / "examples/data/invoices.csv"
MAP = ROOT / "examples/invoices.toml"


def computed(path: Path) -> tuple[dict[str, Decimal], list[str]]:
    """The totals of the orders that can be sent, and the numbers of the others, without the library."""
    totals: dict[str, Decimal] = {}
    customers: dict[str, str] = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            number = row["InvoiceNo"]
            if number == "InvoiceNo":  # files that were joined
                continue
            totals[number] = totals.get(number, Decimal(0)) + int(row["Quantity"]) * Decimal(row["UnitPrice"])
            customers[number] = customers.get(number) or row["CustomerID"]
    good = {number: total for number, total in totals.items() if number.isdigit() and customers[number]}
    return good, sorted(totals.keys() - good.keys())


def kill_when(command: list[str], env: dict[str, str], reached: Callable[[], bool]) -> None:
    """Starts the command and kills it, without notice, when the condition holds."""
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: reached() or process.poll() is not None)
            assert process.poll() is None, "the import ended before it was killed"
        finally:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)


def import_with_kills(path: Path, folder: Path, per_second: int, kills: list[int]) -> tuple[package.Sandbox, str, str]:
    """Imports the file; after each number of orders the process is killed. Returns what the last run printed, and the
    lines of rejects."""
    sandbox = package.Sandbox()
    sandbox.set_limits(per_second, 0, window=1)
    rejects = folder / "rejects.csv"
    arguments = ["import", "orders", str(path), "--map", str(MAP), "--journal", str(folder / "orders.db")]
    arguments += ["--rejects", str(rejects)]
    with sandbox.serve() as url:
        address = {"PRIVY_BASE_URL": url, "PRIVY_API_TOKEN": sandbox.token}
        for count in kills:
            kill_when([*PRIVY, *arguments], environment(**address), lambda count=count: sandbox.counts.orders >= count)
        done = privy(*arguments, env=address)
    assert done.code == 1, done.err  # some orders are refused
    return sandbox, done.out, rejects.read_text(encoding="utf-8")


def check(path: Path, folder: Path, per_second: int, kills: list[int]) -> None:
    good, refused = computed(path)
    sandbox, printed, rejects = import_with_kills(path, folder, per_second, kills)
    stored = {str(number): order.total_amount for number, order in sandbox.orders.items()}
    assert stored == {number: total.quantize(Decimal("0.01")) for number, total in good.items()}
    assert sum(stored.values()) == sum(good.values())
    counts = {name: int(number) for name, number in re.findall(r"(\w+)(?: \w+)*: (\d+)", printed)}
    done_before = int(re.search(r"done before: (\d+)", printed)[1])  # type: ignore[index]
    sent = int(re.search(r"sent: (\d+) orders", printed)[1])  # type: ignore[index]
    assert done_before >= kills[-1] - 8 and done_before + sent == len(good), printed
    assert counts["refused"] == len(refused), printed
    found = {row["InvoiceNo"] for row in csv.DictReader(rejects.splitlines())}
    assert sorted(found) == refused
    # At most the requests in flight, 8, are repeated for each kill.
    repeats = sum(request.operation == "orders.upsert" and request.status != 429 for request in sandbox.requests) - len(
        good
    )
    assert 0 <= repeats <= 8 * len(kills)


def test_an_import_that_is_killed_twice_is_exact_to_the_cent(tmp_path: Path) -> None:
    check(INVOICES, tmp_path, per_second=3, kills=[2, 5])
