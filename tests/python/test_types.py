"""What a type checker reports for code that uses privy, in particular for asynchronous methods."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import privy
import user_code

WELL = """
import privy

def plain(client: privy.Client) -> None:
    reveal_type(client.contacts.create(email="a@b.c"))
    reveal_type(client.contacts.list().total_count())
    reveal_type(client.rate_limit.minute.resets_at)
    reveal_type(client.with_options(timeout=3))
    for result in client.orders.upsert_many([{"order_id": 1}]):
        reveal_type(result.value)
    plan = client.contacts.plan([{"email": "a@b.c"}], tags="merge", max_age=3)
    for row in plan.update:
        reveal_type(row.changes["tags"].old)
    reveal_type(plan.apply(journal="a.db", resume="only").stopped)
    reveal_type(client.contacts.export("a.csv", on_spent_day="wait").began_at)
    with privy.Journal("a.db") as journal:
        reveal_type(journal.refused[0])
        reveal_type(journal.in_doubt[0].request)

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
    plan = await client.contacts.plan([], snapshot="a.db")
    reveal_type(plan)
    reveal_type(await plan.apply())
    reveal_type(await client.contacts.export("a", format="db"))
    async with client as same:
        reveal_type(same)
"""
REVEALED = """
    Contact
    int | None
    datetime.datetime | None
    Client
    Order | None
    Any
    BaseException | None
    datetime.datetime | None
    RefusedEntry
    dict[str, Any] | None
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
    AsyncPlan
    BulkReport
    ExportReport
    AsyncClient
"""
WRONG = """
import privy

async def asynchronous(client: privy.AsyncClient) -> None:
    await client.contacts.create(emial="a@b.c")
    await client.contacts.create("a@b.c")
    await client.contacts.get(5)
    await client.contacts.get("cus_1", timeout="3")
    await client.contacts.update("cus_1", email_consent=1)
    client.contacts.create(email="a@b.c").id
    for contact in client.contacts.list():
        pass
    client.orders.upsert_many([], concurrency="8")
    client.orders.upsert_many([], resume="8")
    await client.contacts.plan([], custom_fields="add")
    await client.contacts.plan([]).apply()
    await client.contacts.export("a.csv", format="xls")
    privy.Journal(8)
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
import csv
import dataclasses
import sqlite3
import typing

import polars
import privy
import pydantic

order: privy.types.OrderRow = {
    "order_id": 1, "total": "9.50", "currency": "USD", "order_date": "2026-05-12T10:00:00Z",
    "line_items": [{"sku": "a", "color": "red"}], "extra": {"new": 1},
}
contact: privy.types.ContactRow = {"email": "a@b.c", "email_consent": "subscribed"}

@dataclasses.dataclass
class Seen:
    event_type: str
    email: str

class Named(typing.NamedTuple):
    event_type: str
    email: str

class Model(pydantic.BaseModel):
    event_type: str
    email: str

async def later() -> typing.AsyncIterator[Seen]:
    yield Seen("seen", "a@b.c")

def sent(client: privy.Client, frame: polars.DataFrame, database: sqlite3.Cursor) -> None:
    client.orders.upsert_many([order])
    client.contacts.upsert_many([contact], nulls="omit")
    client.events.ingest_many([Seen("seen", "a@b.c")])
    client.events.ingest_many([Named("seen", "a@b.c")])
    client.events.ingest_many(Model(event_type="seen", email="a@b.c") for _ in range(2))
    client.contacts.upsert_many(frame)
    rows: list[sqlite3.Row] = database.fetchall()
    client.contacts.upsert_many(rows)
    client.contacts.upsert_many(csv.DictReader([]))

async def sent_later(client: privy.AsyncClient) -> None:
    await client.events.ingest_many(later()).run()
"""
TYPOS = """
import privy

privy.Clinet()
privy.types.OrderRows
order: privy.types.OrderRow = {"order_id": 1}
contact: privy.types.ContactRow = {"emial": "a@b.c"}
"""
NO_ROWS = """
import privy

def sent(client: privy.Client) -> None:
    client.contacts.upsert_many({"email": "a@b.c"})
    client.contacts.upsert_many("a@b.c")
    client.contacts.upsert_many([5])
    client.contacts.upsert_many([], nulls="drop")
"""


PACKAGE = Path(privy.__file__).parents[1]
ROOT = Path(__file__).parents[2]
CODE = [ROOT / "tests" / "python" / "user_code.py", *sorted((ROOT / "examples").glob("*.py"))]


def checker(name, arguments, folder):
    return subprocess.run(
        [sys.executable, "-m", name, *arguments],
        cwd=folder,
        env={"MYPYPATH": str(PACKAGE), "PYTHONPATH": str(PACKAGE), "PATH": os.defpath, "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def checked(tmp_path, text):
    """The output of mypy for a program."""
    program = tmp_path / "program.py"
    program.write_text(text, "utf-8")
    done = checker("mypy", ["--strict", "--cache-dir", str(tmp_path / "cache"), program.name], tmp_path)
    assert done.stderr == ""
    return done.stdout


def pyright(tmp_path, programs):
    """What pyright reports for programs, in its strictest mode: (severity, file, line, message)."""
    settings = {"typeCheckingMode": "strict", "extraPaths": [str(PACKAGE)], "include": ["code"]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), "utf-8")
    for name, text in programs.items():
        (tmp_path / "code" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "code" / name).write_text(text, "utf-8")
    done = checker("pyright", ["-p", ".", "--pythonpath", sys.executable, "--outputjson"], tmp_path)
    output = json.loads(done.stdout)
    assert output["summary"]["filesAnalyzed"] == len(programs), done.stdout
    return [
        (row["severity"], Path(row["file"]).name, row["range"]["start"]["line"] + 1, row["message"])
        for row in output["generalDiagnostics"]
    ]


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


def test_what_holds_no_rows_is_an_error(tmp_path):
    output = checked(tmp_path, NO_ROWS)
    assert [int(line.split(":")[1]) for line in output.splitlines() if ": error:" in line] == [5, 6, 7, 8]


# ---- pyright ----


def test_pyright_finds_the_types_and_the_mistakes(tmp_path):
    found = pyright(tmp_path, {"well.py": WELL, "wrong.py": WRONG, "typos.py": TYPOS, "rows.py": ROWS})
    assert [row for row in found if row[0] == "error" and row[1] in ("well.py", "rows.py")] == []
    revealed = [re.search(r'is "(.*)"', row[3])[1] for row in found if row[:2] == ("information", "well.py")]
    assert revealed == [line.strip().removeprefix("datetime.") for line in REVEALED.strip().splitlines()]
    wrong = {row[2] for row in found if row[:2] == ("error", "wrong.py")}
    assert wrong >= {
        number
        for number, line in enumerate(WRONG.splitlines(), 1)
        if "client.c" in line or "(re" in line or "8" in line
    }
    assert {row[2] for row in found if row[:2] == ("error", "typos.py")} == {4, 5, 6, 7}


NARROWED_BY_BOTH = """
import privy

def by_error(result: privy.Result[privy.Order]) -> privy.Order:
    if result.error is not None:
        raise result.error
    return result.value

def by_ok(result: privy.Result[privy.Order]) -> privy.Order:
    if result.ok is False:
        raise result.error
    return result.value

def by_class(result: privy.Result[privy.Order]) -> privy.Order:
    if isinstance(result, privy.Failure):
        raise result.error
    return result.value

def by_match(result: privy.Result[privy.Order]) -> privy.Order:
    match result.ok:
        case True:
            return result.value
        case False:
            raise result.error
"""


def test_both_type_checkers_narrow_a_result(tmp_path):
    assert pyright(tmp_path, {"narrowed.py": NARROWED_BY_BOTH}) == []
    assert "error:" not in checked(tmp_path, NARROWED_BY_BOTH)


def test_a_consent_that_was_read_can_be_written_and_its_values_are_known(tmp_path):
    program = """
import privy

def back(client: privy.Client, contact: privy.Contact) -> None:
    client.contacts.update(contact.id, email_consent=contact.email_consent, sms_consent=contact.sms_consent)
    reveal_type(contact.email_consent)
    reveal_type(client.contacts.update)
"""
    consent, update = (row[3] for row in pyright(tmp_path, {"back.py": program}) if row[0] == "information")
    assert "'compliance_suppressed'" in consent
    assert "'subscribed'" in update
    assert "'compliance_suppressed'" not in update
    assert "error:" not in checked(tmp_path, program)


def test_user_code_and_examples_are_clean_in_the_strictest_modes(tmp_path):
    programs = {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in CODE}
    assert pyright(tmp_path, programs) == []
    done = checker("mypy", ["--strict", "--cache-dir", str(tmp_path / "cache"), *map(str, CODE)], tmp_path)
    assert done.returncode == 0, done.stdout


def test_user_code_runs():
    user_code.main()


def test_the_public_interface_is_typed_completely():
    options = ["--verifytypes", "privy", "--ignoreexternal", "--outputjson", "--pythonpath", sys.executable]
    done = checker("pyright", options, PACKAGE)
    report = json.loads(done.stdout)["typeCompleteness"]
    assert report["pyTypedPath"] == str(PACKAGE / "privy" / "py.typed")
    assert report["exportedSymbolCounts"]["withKnownType"] > 150
    unclear = [symbol["name"] for symbol in report["symbols"] if not symbol["isTypeKnown"] or symbol["isTypeAmbiguous"]]
    assert report["completenessScore"] >= 0.98, unclear
