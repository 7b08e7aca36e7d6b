"""Reading a journal: privy.Journal."""

from __future__ import annotations

import csv
import os
import stat
import subprocess
import sys
import threading
from decimal import Decimal

import privy
import pytest

ORDER = {
    "total": Decimal("12.50"),
    "currency": "USD",
    "order_date": "2026-05-12T10:00:00Z",
    "email": "jane@example.com",
}
ROWS = [
    {**ORDER, "order_id": 1},
    {**ORDER, "order_id": -2, "email": "no address", "line_items": [{"sku": 5}]},
    {**ORDER, "order_id": 3},
]
START = 1_778_580_000.0


@pytest.fixture
def path(tmp_path):
    return tmp_path / "orders.db"


@pytest.fixture
def orders(path):
    """The journal of a run of which one row is invalid and another is refused by the server."""
    sandbox = privy.Sandbox()
    sandbox.fail(status=422, skip=1)
    sandbox.client().orders.upsert_many(ROWS, journal=path, concurrency=1).run()
    with privy.Journal(path) as journal:
        yield journal


def lose_an_event(path, sandbox):
    """The server processes the second event, and its response is lost."""
    client = sandbox.client(max_retries=0)
    rows = [{"event_type": "seen", "email": "jane@example.com", "event_data": {"n": n}} for n in range(2)]
    sandbox.fail(drop=True, skip=1)
    client.events.ingest_many(rows, journal=path, concurrency=1).run()
    return client, rows


def test_it_counts_and_reports(orders, path):
    assert (orders.operation, orders.server, orders.account_known) == ("orders.upsert", "sandbox", False)
    assert orders.path == str(path)
    assert orders.began.tzinfo is not None
    assert {state: count for state, count in orders.counts.items() if count} == {
        "created": 1,
        "refused": 1,
        "invalid": 1,
    }
    assert (len(orders), bool(orders), orders.finished) == (3, True, True)
    report = orders.report
    assert (report.total, report.succeeded, report.created, report.updated) == (3, 1, 1, 0)
    assert (report.failed, report.unsent, report.in_doubt) == (2, 0, 0)
    assert (report.runs, report.killed, report.requests, report.stopped) == (1, 0, 2, None)
    assert report.finished and not report.ok and report.sandbox
    assert str(report).startswith("1 of 3 rows succeeded (1 created, 0 updated); 2 failed; 2 requests in ")
    assert report.to_dict()["total"] == 3


def test_refused_rows_are_entries_and_a_table(orders):
    entries = list(orders.refused)
    assert len(orders.refused) == len(entries) == 4
    sent, *invalid = sorted(entries, key=lambda entry: entry.status is None)
    assert (sent.row, sent.key, sent.field, sent.status) == (2, "order_id=3", "base", 422)
    assert sent.request == {**ORDER, "order_id": 3}
    assert {entry.field: entry.value for entry in invalid} == {
        "order_id": -2,
        "email": "no address",
        "line_items[0].sku": 5,
    }
    assert {(entry.row, entry.key, entry.status) for entry in invalid} == {(1, "order_id=-2", None)}
    assert invalid[0].request == ROWS[1]
    assert invalid[0].code and invalid[0].message
    assert orders.refused[0] == entries[0] and orders.refused[-1] == entries[-1]
    assert orders.refused[1:3] == entries[1:3] and orders.refused[::-1] == entries[::-1]
    assert orders.refused == entries
    with pytest.raises(IndexError):
        orders.refused[4]
    frame = orders.refused.to_pandas()
    assert list(frame["row"]) == [entry.row for entry in entries]
    assert set(frame["value"].dropna()) == {"-2", "no address", "5"}
    polars = orders.refused.to_polars()
    assert polars["status"].to_list() == [entry.status for entry in entries]
    assert polars["request"].to_list() == [entry.request_json for entry in entries]


def test_what_it_shows_has_no_personal_data(orders, path, tmp_path):
    sandbox = privy.Sandbox()
    lose_an_event(tmp_path / "events.db", sandbox)
    with privy.Journal(tmp_path / "events.db") as events:
        shown = [
            *(repr(orders), str(orders.report), orders._repr_html_(), repr(orders.refused), repr(list(orders.refused))),
            *(orders.refused._repr_html_(), events._repr_html_(), repr(list(events.in_doubt))),
            *(events.in_doubt._repr_html_(), repr(events.report)),
        ]
    for text in shown:
        assert "jane" not in text and "no address" not in text and "order_id=" not in text
    assert "order_id" in orders.refused._repr_html_()
    assert "1 of 3 rows succeeded" in orders._repr_html_()


def test_rows_in_doubt_and_a_decision_to_send(path):
    sandbox = privy.Sandbox()
    sandbox.set_clock(START)
    client, rows = lose_an_event(path, sandbox)
    with privy.Journal(path) as journal:
        (entry,) = journal.in_doubt
        assert (entry.row, entry.decided, entry.request) == (1, False, rows[1])
        assert entry.first_sent.timestamp() == pytest.approx(START, abs=60)
        assert entry.too_old
        assert len(entry.idempotency_key) == 32
        assert not journal.finished
        assert journal.in_doubt.to_polars()["too_old"].to_list() == [True]
        sandbox.advance(90_000)
        report = client.events.ingest_many(rows, journal=path).run()
        assert report.failed == 1
        assert journal.decide(entry, "send") == 1
        assert journal.in_doubt[0].decided
        assert client.events.ingest_many(rows, journal=path).run().succeeded == 1
        assert (len(journal.in_doubt), journal.counts["done"], journal.finished) == (0, 2, True)
    assert len(sandbox.requests) == 3


@pytest.mark.parametrize("by", ["key", "position"])
def test_a_decision_to_skip(path, by):
    sandbox = privy.Sandbox()
    client, rows = lose_an_event(path, sandbox)
    with privy.Journal(path) as journal:
        (entry,) = journal.in_doubt
        assert journal.decide(entry.key if by == "key" else 1, "skip") == 1
        assert client.events.ingest_many(rows, journal=path).run().skipped == 2
        assert journal.report.ok
        with pytest.raises(privy.JournalError) as caught:
            journal.decide(1, "send")
        assert caught.value.code == "journal_not_in_doubt"
    assert len(sandbox.requests) == 2


def test_bad_decisions(orders):
    with pytest.raises(ValueError, match="'send' or 'skip', not 'again'"):
        orders.decide(1, "again")
    with pytest.raises(ValueError, match="0 or greater, not -1"):
        orders.decide(-1, "send")
    with pytest.raises(TypeError, match="not float"):
        orders.decide(1.5, "send")


def test_a_run_locks_decisions_out_but_not_readers(path):
    client = privy.Sandbox().client()
    run = client.orders.upsert_many(ROWS, journal=path, concurrency=1)
    next(run)
    with privy.Journal(path) as journal:
        assert len(journal) >= 1 and journal.report.killed == 1 and not journal.finished
        with pytest.raises(privy.JournalError) as caught:
            journal.decide(0, "send")
        assert caught.value.code == "journal_locked"
        run.close()
        assert journal.report.stopped == "the run was closed"


def test_a_source_that_fails_leaves_it_unfinished(path):
    def rows():
        yield ROWS[0]
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="gone"):
        privy.Sandbox().client().orders.upsert_many(rows(), journal=path).run()
    with privy.Journal(path) as journal:
        assert (journal.finished, journal.report.stopped) == (False, "the source of the rows failed")


def test_rejects_can_be_imported_again(orders, path, tmp_path):
    rejects = tmp_path / "rejects.csv"
    assert orders.rejects_csv(rejects) == 2
    assert stat.S_IMODE(os.stat(rejects).st_mode) == 0o600
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".tmp")]
    with open(rejects, encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    invalid = next(line for line in lines if line["order_id"] == "-2")
    assert set(invalid["privy_field"].split("; ")) == {"order_id", "email", "line_items[0].sku"}
    assert "email must be" in invalid["privy_reason"]
    assert (invalid["total"], invalid["line_items"]) == ("12.50", '[{"sku":5}]')
    invalid.update(order_id="2", email="joe@example.com", line_items="")
    names = [name for name in lines[0] if not name.startswith("privy_")]
    again = [{name: line[name] for name in names if line[name]} for line in lines]
    report = privy.Sandbox().client().orders.upsert_many(again).run()
    assert report.ok


def test_the_command_imports_rejects_that_are_corrected(path, tmp_path, capsys):
    from privy.cli import main

    rows = [{**ORDER, "order_id": -7, "line_items": [{"sku": "A", "quantity": 2, "price": Decimal("6.25")}]}, ROWS[0]]
    privy.Sandbox().client().orders.upsert_many(rows, journal=path).run()
    with privy.Journal(path) as journal:
        assert journal.rejects_jsonl(tmp_path / "rejects.jsonl") == 1
        assert journal.rejects_csv(tmp_path / "rejects.csv") == 1
    corrected = (tmp_path / "rejects.jsonl").read_text().replace("-7", "7")
    (tmp_path / "rejects.jsonl").write_text(corrected)
    assert main(["import", "orders", str(tmp_path / "rejects.jsonl"), "--sandbox", "--dry-run", "--json"]) == 0
    flat = (tmp_path / "rejects.csv").read_text().replace(",line_items", "").replace("-7,", "7,")
    (tmp_path / "rejects.csv").write_text(flat.rpartition(',"[')[0] + "\n")
    assert main(["import", "orders", str(tmp_path / "rejects.csv"), "--sandbox", "--dry-run", "--json"]) == 0


def test_rejects_that_cannot_be_written(orders, path, tmp_path):
    with pytest.raises(FileNotFoundError):
        orders.rejects_csv(tmp_path / "missing" / "rejects.csv")
    with pytest.raises(privy.PrivyError, match="is the journal itself"):
        orders.rejects_csv(path)
    assert len(orders) == 3


@pytest.mark.parametrize(
    ("content", "code"), [(None, "journal_missing"), (b"", "journal_missing"), (b"order_id\n" * 99, "not_a_journal")]
)
def test_what_is_not_a_journal(path, content, code):
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(privy.JournalError) as caught:
        privy.Journal(path)
    assert caught.value.code == code
    assert str(path) in str(caught.value)
    assert path.exists() == (content is not None)


def test_a_closed_journal(orders):
    entries = iter(orders.refused)
    next(entries)
    orders.close()
    assert len(list(entries)) == 3  # an iteration that has begun comes to its end
    orders.close()
    for use in (lambda: orders.report, lambda: list(orders.refused), lambda: orders.decide(0, "send")):
        with pytest.raises(ValueError, match="closed"):
            use()


def test_another_process_reads_it(orders, path):
    code = "import privy, sys; print(privy.Journal(sys.argv[1]).report.total)"
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "3\n"


def test_threads_share_one(orders):
    expected = [entry.row for entry in orders.refused]
    found = []

    def read():
        for _ in range(50):
            found.append([entry.row for entry in orders.refused] == expected and orders.report.total == 3)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 200 and all(found)


def test_no_token_is_in_the_files(path):
    sandbox = privy.Sandbox()
    client = sandbox.client()
    run = client.orders.upsert_many(ROWS, journal=path, concurrency=1)
    next(run)
    names = [name for name in path.parent.iterdir() if name.name.startswith(path.name)]
    assert {name.name for name in names} >= {"orders.db", "orders.db-wal", "orders.db-shm", "orders.db-lock"}
    for name in names:
        assert stat.S_IMODE(name.stat().st_mode) == 0o600
        assert sandbox.token.encode() not in name.read_bytes()
    run.close()
    assert b"order_id=1" in path.read_bytes()
