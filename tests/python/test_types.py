"""What a type checker reports for code that uses privy, in particular for asynchronous methods."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import privy

WELL = """
import privy

def plain(client: privy.Client) -> None:
    reveal_type(client.contacts.create(email="a@b.c"))
    reveal_type(client.contacts.list().total_count())
    reveal_type(client.rate_limit.minute.resets_at)
    reveal_type(client.with_options(timeout=3))
    for result in client.orders.upsert_many([{"order_id": 1}]):
        reveal_type(result.value)

async def asynchronous(client: privy.AsyncClient) -> None:
    reveal_type(await client.contacts.create(email="a@b.c", first_name=None))
    reveal_type(await client.contacts.delete("cus_1", timeout=3))
    reveal_type(await client.orders.upsert(order_id=1))
    reveal_type(await client.events.ingest("seen", email="a@b.c"))
    reveal_type(await client.request("GET", "/contacts"))
    reveal_type(await client.contacts.list(page=2).total_count())
    reveal_type(client.with_options(timeout=3))
    async for contact in client.contacts.list():
        reveal_type(contact)
    async for page in client.contacts.list().pages():
        reveal_type(page)
    async for result in client.events.ingest_many([]):
        reveal_type(result.value)
    async with client as same:
        reveal_type(same)
"""
REVEALED = """
    Contact
    int | None
    datetime.datetime | None
    Client
    Order | None
    Contact
    Contact | None
    Order
    EventReceipt
    Response
    int | None
    AsyncClient
    Contact
    Page
    EventReceipt | None
    AsyncClient
"""
WRONG = """
import privy

async def asynchronous(client: privy.AsyncClient) -> None:
    await client.contacts.create(emial="a@b.c")
    await client.contacts.create("a@b.c")
    await client.contacts.get(5)
    await client.contacts.get("cus_1", timeout="3")
    await client.contacts.update("cus_1", email_consent="sometimes")
    client.contacts.create(email="a@b.c").id
    for contact in client.contacts.list():
        pass
    client.orders.upsert_many([], concurrency="8")
    privy.AsyncClient(reserve=b"8")
"""

NARROWED = """
import privy

def by_error(result: privy.Result[privy.Order]) -> None:
    if result.error is None:
        reveal_type(result.value)
    else:
        reveal_type(result.error)

def by_ok(result: privy.Result[privy.Order]) -> privy.Order:
    if not result.ok:
        raise result.error
    return result.value

def by_class(result: privy.Result[privy.Order]) -> None:
    match result:
        case privy.Success(value=value):
            reveal_type(value)
        case privy.Failure(error=error):
            reveal_type(error)

def of_a_run(client: privy.Client) -> list[privy.EventReceipt]:
    return [result.value for result in client.events.ingest_many([]) if result.ok]
"""
WIDE = """
import privy

def unasked(result: privy.Result[privy.Order]) -> privy.Order:
    return result.value

def failed(result: privy.Result[privy.Order]) -> privy.Order:
    return privy.Order() if result.ok else result.value
"""

ROWS = """
import privy

order: privy.types.OrderRow = {
    "order_id": 1, "total": "9.50", "currency": "USD", "order_date": "2026-05-12T10:00:00Z",
    "line_items": [{"sku": "a", "color": "red"}], "extra": {"new": 1},
}
contact: privy.types.ContactRow = {"email": "a@b.c", "email_consent": "subscribed"}

def sent(client: privy.Client) -> None:
    client.orders.upsert_many([order])
    client.contacts.upsert_many([contact])
"""
TYPOS = """
import privy

privy.Clinet()
privy.types.OrderRows
order: privy.types.OrderRow = {"order_id": 1}
contact: privy.types.ContactRow = {"emial": "a@b.c"}
"""


def checked(tmp_path, text):
    program = tmp_path / "program.py"
    program.write_text(text, "utf-8")
    package = Path(privy.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), program.name],
        cwd=tmp_path,
        env={"MYPYPATH": str(package), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def test_type_checkers_know_the_types(tmp_path):
    output = checked(tmp_path, WELL)
    assert "error" not in output, output
    found = [re.sub(r"\bprivy\.\w+\.", "", kind) for kind in re.findall(r'Revealed type is "(.*)"', output)]
    assert [kind.replace("Union[", "").replace(", None]", " | None").replace("builtins.", "") for kind in found] == [
        line.strip() for line in REVEALED.strip().splitlines()
    ]


def test_mistakes_are_found(tmp_path):
    output = checked(tmp_path, WRONG)
    lines = {int(number) for number in re.findall(r"program\.py:(\d+): error", output)}
    wrong = [
        number
        for number, line in enumerate(WRONG.splitlines(), 1)
        if "client.c" in line or "(re" in line or "8" in line
    ]
    assert lines == set(wrong), output


def test_a_result_narrows_to_success_or_failure(tmp_path):
    output = checked(tmp_path, NARROWED)
    assert "error:" not in output, output
    found = re.findall(r'Revealed type is "(?:builtins\.|privy\._core\.)?(.*)"', output)
    assert found == ["Order", "Exception", "Order", "Exception"]


def test_a_result_that_was_not_narrowed_may_have_no_value(tmp_path):
    output = checked(tmp_path, WIDE)
    assert {int(number) for number in re.findall(r"program\.py:(\d+): error", output)} == {5, 8}, output


def test_rows_are_checked_by_name_and_type(tmp_path):
    assert "error:" not in checked(tmp_path, ROWS)


def test_an_unknown_name_of_the_package_or_of_a_row_is_found(tmp_path):
    output = checked(tmp_path, TYPOS)
    assert {int(number) for number in re.findall(r"program\.py:(\d+): error", output)} == {4, 5, 6, 7}, output
