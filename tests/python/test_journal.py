"""Bulk runs with a journal: what the next run sends, skips and repeats, and how a run ends early."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import privy
import pytest
from support import served

START = datetime(2026, 5, 12, 10, tzinfo=timezone.utc)


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "orders.db"


def order(number, **changes):
    return {
        "order_id": number,
        "email": f"c{number}@example.com",
        "total": "5.00",
        "currency": "USD",
        "order_date": "2026-01-01T10:00:00Z",
        **changes,
    }


ORDERS = [order(number) for number in range(1, 6)]


def states(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        return [state for (state,) in database.execute("SELECT state FROM rows ORDER BY id")]


# ---- what a second run does ----


def test_a_second_run_costs_nothing(client, sandbox, journal):
    first = client.orders.upsert_many(ORDERS, journal=journal).run()
    assert (first.succeeded, first.skipped, first.ok) == (5, 0, True)
    second = client.orders.upsert_many(ORDERS, journal=journal).run()
    assert (second.total, second.succeeded, second.skipped, second.requests, second.ok) == (5, 0, 5, 0, True)
    assert "5 skipped" in str(second)
    assert ">skipped</th>" in second._repr_html_()
    assert json.loads(json.dumps(second.to_dict()))["skipped"] == 5
    assert len(sandbox.orders) == 5
    assert states(journal) == ["created"] * 5


def test_changed_and_new_rows_are_sent(client, journal):
    client.orders.upsert_many(ORDERS, journal=str(journal)).run()
    rows = [ORDERS[0], order(2, total="6.00"), ORDERS[2], order(7)]
    with client.orders.upsert_many(rows, journal=journal) as run:
        results = sorted((result.index, result.value.created) for result in run)
        assert results == [(1, False), (3, True)]
        assert (run.skipped, run.done, run.taken) == (2, 2, 4)
        assert run.report.ok


def test_each_operation_has_a_journal(client, tmp_path):
    rows = [{"event_type": "seen", "email": "a@example.com", "event_data": {"n": n}} for n in (1, 2, 1)]
    contacts = [{"email": f"c{n}@example.com"} for n in range(3)]
    for method, given in ((client.events.ingest_many, rows), (client.contacts.upsert_many, contacts)):
        path = tmp_path / f"{method.__name__}.db"
        assert method(given, journal=path).run().succeeded == 3
        assert method(given, journal=path).run().skipped == 3


def test_skipped_refusals_are_not_success(client, sandbox, journal):
    sandbox.fail(status=422, count=1)
    assert client.orders.upsert_many(ORDERS, journal=journal, concurrency=1).run().failed == 1
    again = client.orders.upsert_many(ORDERS, journal=journal).run()
    assert (again.skipped, again.skipped_refused, again.ok) == (5, 1, False)
    assert "5 skipped (1 of them refused)" in str(again)


def test_the_journal_keeps_what_is_invalid(client, journal):
    class Broken:
        def __iter__(self):
            raise ZeroDivisionError("no items")

    rows = [order(1, total="x", email="none"), order(2, line_items=Broken()), order(3)]
    report = client.orders.upsert_many(rows, journal=journal).run()
    assert (report.succeeded, report.failed) == (1, 2)
    with sqlite3.connect(f"file:{journal}?mode=ro", uri=True) as database:
        found = database.execute("SELECT source_row, message, details, request FROM rows WHERE state = 'invalid'")
        (index, message, details, request), (other, reason, *_) = sorted(found)
    assert (index, other) == (0, 1)
    assert "total" in message and "email" in message
    assert {detail["field"] for detail in json.loads(details)} == {"total", "email"}
    assert json.loads(request)["order_id"] == 1
    assert reason
    again = client.orders.upsert_many([order(1), *rows[1:]], journal=journal).run()
    assert (again.succeeded, again.skipped, again.failed) == (1, 1, 1)


def test_resume(client, journal):
    with pytest.raises(privy.JournalError) as caught:
        client.orders.upsert_many(ORDERS, journal=journal, resume="only")
    assert caught.value.code == "journal_missing"
    client.orders.upsert_many(ORDERS, journal=journal).run()
    assert client.orders.upsert_many(ORDERS, journal=journal, resume="only").run().skipped == 5
    assert client.orders.upsert_many(ORDERS, journal=journal, resume="restart").run().updated == 5


def test_a_relative_path(client, journal, monkeypatch):
    monkeypatch.chdir(journal.parent)
    run = client.orders.upsert_many(ORDERS, journal=journal.name)
    monkeypatch.chdir("/")
    assert run.run().succeeded == 5
    assert len(states(journal)) == 5


def test_rows_of_an_iterator_and_of_a_frame(client, journal):
    pandas = pytest.importorskip("pandas")
    client.orders.upsert_many(iter(ORDERS), journal=journal).run()
    report = client.orders.upsert_many((row for row in [*ORDERS, order(9)]), journal=journal).run()
    assert (report.total, report.skipped, report.succeeded) == (6, 5, 1)
    frame = pandas.DataFrame([*ORDERS, order(9)])
    assert client.orders.upsert_many(frame, journal=journal).run().skipped == 6


def test_the_file_is_private_and_holds_no_token(client, journal):
    client.orders.upsert_many(ORDERS, journal=journal).run()
    assert journal.stat().st_mode & 0o777 == 0o600
    assert privy.Sandbox.token.encode() not in journal.read_bytes()


# ---- settings ----


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"journal": 5}, TypeError, "journal must be a path: a str or an os.PathLike, not int"),
        ({"journal": b"x"}, TypeError, "not bytes"),
        ({"journal": ""}, ValueError, "not an empty text"),
        ({"journal": "a\0b"}, ValueError, "null character"),
        ({"journal": "x", "resume": "never"}, ValueError, "resume must be 'auto' or 'only' or 'restart', not 'never'"),
        ({"resume": "only"}, ValueError, "resume='only' needs a journal"),
        ({"on_spent_day": "go"}, ValueError, "on_spent_day must be 'stop' or 'wait', not 'go'"),
        ({"until": 5}, TypeError, "until must be a datetime"),
        ({"until": "tomorrow"}, ValueError, "ISO 8601"),
        ({"until": datetime(2026, 1, 1)}, ValueError, "no time zone"),
        ({"until": "2026-05-12T07:00:00"}, ValueError, "no time zone"),
    ],
)
def test_settings_are_checked_before_a_request(sandbox, settings, error, message):
    with sandbox.client() as client, pytest.raises(error, match=message.replace("(", r"\(")):
        client.orders.upsert_many(ORDERS, **settings)
    assert sandbox.counts.requests == 0


def test_faults_are_typed(client, tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("no journal")
    with pytest.raises(privy.JournalError, match="choose another name") as caught:
        client.orders.upsert_many(ORDERS, journal=text)
    assert caught.value.code == "not_a_journal" and text.read_text() == "no journal"
    with pytest.raises(privy.JournalError) as caught:
        client.orders.upsert_many(ORDERS, journal=tmp_path / "none" / "x.db")
    assert caught.value.code == "journal_unusable"
    path = tmp_path / "j.db"
    client.orders.upsert_many(ORDERS, journal=path).run()
    with pytest.raises(privy.JournalError) as caught:
        client.contacts.upsert_many([], journal=path)
    assert caught.value.code == "journal_operation"
    assert isinstance(caught.value, privy.PrivyError) and not caught.value.retryable


def test_a_full_disk_ends_the_run_and_the_next_one_continues(tmp_path):
    """The limit of the process on the size of files stands for a full disk."""
    path = tmp_path / "orders.db"
    script = f"""
        import resource, signal, privy
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        sandbox = privy.Sandbox()
        client = sandbox.client()
        rows = [{{**{order(1)!r}, "order_id": n}} for n in range(1, 2001)]
        run = client.orders.upsert_many(rows, journal={str(path)!r})
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
        report = run.run()
        assert isinstance(report.stopped, privy.JournalError), report
        assert report.stopped.code == "journal_full", report
        assert "free some" in report.stopped.message
        assert len(report.unsent) + report.succeeded + len(report.in_doubt) == report.total == 2000
        assert report.succeeded <= sandbox.counts.orders <= report.succeeded + len(report.in_doubt) + 8, report
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        requests = sandbox.counts.requests
        again = client.orders.upsert_many(rows, journal={str(path)!r}).run()
        assert again.ok and again.skipped >= report.succeeded - 8, again
        assert sandbox.counts.orders == 2000
        assert sandbox.counts.requests <= 2000 + 8
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, timeout=120, text=True)
    assert done.returncode == 0, done.stderr


def test_a_second_run_on_the_journal_is_an_error_until_the_first_is_closed(client, journal):
    with client.orders.upsert_many(ORDERS, journal=journal) as run:
        next(run)
        with pytest.raises(privy.JournalError) as caught:
            client.orders.upsert_many(ORDERS, journal=journal)
        assert caught.value.code == "journal_locked"
    report = client.orders.upsert_many(ORDERS, journal=journal).run()
    assert report.ok and report.skipped >= 1


def test_another_process_on_the_journal_is_an_error(client, journal):
    script = f"""
        import privy
        rows = {ORDERS!r}
        try:
            privy.Sandbox().client().orders.upsert_many(rows, journal={str(journal)!r})
        except privy.JournalError as error:
            print(error.code)
    """
    with client.orders.upsert_many(ORDERS, journal=journal):
        done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, timeout=60)
    assert done.stdout.decode().strip() in ("journal_locked", "journal_server"), done.stderr


# ---- how a run ends early ----


def test_until_ends_a_run_and_the_next_one_continues(sandbox, journal):
    sandbox.set_limits(2, 1000)
    sandbox.set_clock(START)
    sandbox.skip_waits()
    rows = ORDERS
    with sandbox.client() as client:
        until = START + timedelta(seconds=90)
        report = client.orders.upsert_many(rows, journal=journal, until=until).run()
        assert isinstance(report.stopped, privy.DeadlineError)
        assert report.stopped.code == "until_reached"
        assert report.succeeded == sandbox.counts.requests == 4
        assert len(report.unsent) == 1 and not report.in_doubt
        with pytest.raises(privy.DeadlineError):
            list(client.orders.upsert_many(rows, journal=journal, until=START.isoformat()))
        last = client.orders.upsert_many(rows, journal=journal).run()
        assert (last.skipped, last.succeeded, last.ok) == (4, 1, True)


def test_a_spent_day_stops_the_run_or_waits(sandbox, journal):
    sandbox.set_limits(60, 3)
    sandbox.skip_waits()
    with sandbox.client() as client:
        report = client.orders.upsert_many(ORDERS, journal=journal, on_spent_day="stop").run()
        assert isinstance(report.stopped, privy.RateLimitError)
        assert (report.succeeded, len(report.unsent)) == (3, 2)
        last = client.orders.upsert_many(ORDERS, journal=journal, on_spent_day="wait").run()
        assert (last.skipped, last.succeeded, last.ok) == (3, 2, True)
        assert last.seconds > 3600


def test_an_interruption_of_run_frees_the_journal(client, journal):
    def rows():
        yield from ORDERS[:3]
        raise KeyboardInterrupt

    run = client.orders.upsert_many(rows(), journal=journal)
    with pytest.raises(KeyboardInterrupt):
        run.run()
    report = client.orders.upsert_many(ORDERS, journal=journal).run()
    assert report.ok
    assert run.report.total == 3


def test_a_run_that_is_dropped_frees_the_journal(client, journal):
    run = client.orders.upsert_many(ORDERS, journal=journal)
    next(run)
    del run
    gc.collect()
    assert client.orders.upsert_many(ORDERS, journal=journal).run().ok


def test_a_row_whose_response_is_lost_is_repeated_and_reported_as_created(client, sandbox, journal):
    sandbox.fail(drop=True)
    report = client.orders.upsert_many(ORDERS[:1], journal=journal, max_retries=0).run()
    assert report.failed == 1 and states(journal) == ["sent"]
    report = client.orders.upsert_many(ORDERS[:1], journal=journal).run()
    assert (report.created, report.updated) == (1, 0)


def test_a_contact_that_unsubscribed_after_a_lost_request_stays_unsubscribed(client, sandbox, journal):
    rows = [{"email": "jane@example.com", "email_consent": "subscribed"}]
    sandbox.fail(drop=True)
    assert client.contacts.upsert_many(rows, journal=journal, max_retries=0).run().failed == 1
    client.contacts.upsert(email="jane@example.com", email_consent="unsubscribed")
    before = sandbox.counts.requests
    run = client.contacts.upsert_many(rows, journal=journal)
    assert [result.value.email for result in run] == ["jane@example.com"]
    assert (run.report.created, run.report.ok) == (1, True)
    assert sandbox.counts.requests - before == 1
    sandbox.assert_contact("jane@example.com", email_consent="unsubscribed")


def test_a_clock_that_is_ahead_of_the_server_subscribes_nobody_again(sandbox, journal):
    """The lost request is the first of its run, which does not know the server's clock yet."""
    sandbox.set_clock(START)
    rows = [{"email": "jane@example.com", "email_consent": "subscribed"}]
    with served(sandbox) as server, privy.Client(sandbox.token, base_url=server.base_url) as client:
        sandbox.fail(drop=True)
        assert client.contacts.upsert_many(rows, journal=journal, max_retries=0).run().failed == 1
        sandbox.advance(600)
        client.contacts.upsert(email="jane@example.com", email_consent="unsubscribed")
        assert client.contacts.upsert_many(rows, journal=journal).run().ok
    sandbox.assert_contact("jane@example.com", email_consent="unsubscribed")


def test_a_doubt_that_no_run_can_resolve_is_left_to_the_user(client, sandbox, journal):
    rows = [{"email": "jane@example.com", "email_consent": "subscribed"}]
    sandbox.fail(drop=True)
    client.contacts.upsert_many(rows, journal=journal, max_retries=0).run()
    sandbox.fail(403, on="contacts.list")
    (result,) = client.contacts.upsert_many(rows, journal=journal)
    assert isinstance(result.error, privy.JournalError)
    assert result.error.code == "in_doubt_consent" and result.error.may_have_succeeded
    with privy.Journal(journal) as read:
        assert read.decide("email=jane@example.com", "send") == 1
    before = sandbox.counts.requests
    assert client.contacts.upsert_many(rows, journal=journal).run().ok
    assert sandbox.counts.requests - before == 2  # a create and an update, without a look-up


def test_the_child_of_a_fork_leaves_the_journal_to_its_parent(sandbox, journal):
    with sandbox.client() as client:
        run = client.orders.upsert_many(ORDERS, journal=journal)
        next(run)
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                run.close()
            os._exit(0)
        os.waitpid(child, 0)
        assert run.run().succeeded == 5
    assert states(journal) == ["created"] * 5


# ---- long runs of skipped rows ----

MANY = 3000


@pytest.fixture
def long_journal(sandbox, journal):
    """A journal of many rows that are done."""
    with sandbox.client() as client:
        rows = [{"event_type": "seen", "email": "a@example.com", "idempotency_key": str(n)} for n in range(MANY)]
        assert client.events.ingest_many(rows, journal=journal, concurrency=64).run().ok
        yield client, rows, journal


def test_skipped_rows_are_progress(long_journal):
    client, rows, journal = long_journal
    seen = []
    with client.events.ingest_many(rows, journal=journal, on_progress=seen.append) as run:
        assert len(run) == MANY
        assert list(run) == []
    assert len(seen) >= MANY // 1500
    assert [p.skipped for p in seen] == sorted({p.skipped for p in seen})
    assert (seen[-1].skipped, seen[-1].done, seen[-1].total) == (MANY, 0, MANY)


def test_a_bar_counts_skipped_rows(long_journal, capsys):
    client, rows, journal = long_journal
    client.events.ingest_many(rows, journal=journal, progress=True).run()
    err = capsys.readouterr().err
    assert f"{MANY}/{MANY}" in err and f"{MANY:,} skipped" in err


def test_a_signal_interrupts_skipping(long_journal):
    """The rows come from a list: no Python code runs between two rows."""
    client, rows, journal = long_journal
    run = client.events.ingest_many(rows * 200, journal=journal)
    threading.Timer(0.05, os.kill, (os.getpid(), 2)).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run.run()
    assert time.monotonic() - started < 5
    assert 0 < run.report.skipped < MANY * 200


def test_an_event_loop_runs_while_rows_are_skipped(long_journal, sandbox):
    _, rows, journal = long_journal

    async def main():
        turns = 0

        async def count():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async with sandbox.async_client() as client:
            counting = asyncio.create_task(count())
            report = await client.events.ingest_many(rows, journal=journal).run()
            counting.cancel()
        return turns, report

    turns, report = asyncio.run(main())
    assert report.skipped == MANY and report.ok
    assert turns >= MANY // 256


def test_a_cancelled_run_frees_the_journal(sandbox, journal):
    async def main():
        async with sandbox.async_client() as client:
            sandbox.set_limits(2, 1000)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.orders.upsert_many(ORDERS, journal=journal, concurrency=1).run(), 0.3)
            sandbox.set_limits()
            sandbox.advance(120)
            return await client.orders.upsert_many(ORDERS, journal=journal).run()

    report = asyncio.run(main())
    assert report.ok and report.skipped == 2


def test_rows_of_an_asynchronous_iterable(sandbox, journal):
    async def rows():
        for row in ORDERS:
            yield row

    async def main():
        async with sandbox.async_client() as client:
            first = await client.orders.upsert_many(rows(), journal=Path(journal)).run()
            return first, await client.orders.upsert_many(rows(), journal=journal).run()

    first, second = asyncio.run(main())
    assert (first.succeeded, second.skipped, second.total) == (5, 5, 5)
