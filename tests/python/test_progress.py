"""`progress=True`, and what tqdm knows of lists and runs."""

from __future__ import annotations

import asyncio
import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import termios
import textwrap
from datetime import datetime, timezone

import privy
import pytest
from tqdm.auto import tqdm

ROWS = [{"email": f"c{i}@example.com"} for i in range(5)]


def last_state(text: str) -> str:
    """What a terminal shows of a line that is overwritten."""
    return text.rpartition("\n")[0].rpartition("\r")[2].rstrip()


def test_a_run_shows_a_bar_of_tqdm(client, capsys):
    report = client.contacts.upsert_many([*ROWS, {"email": "none"}], progress=True).run()
    assert (report.succeeded, report.failed) == (5, 1)
    out, err = capsys.readouterr()
    assert out == ""
    state = last_state(err)
    assert state.startswith("contacts.upsert: 100%|")
    assert "| 6/6 [" in state and "1 failed, 0 s left]" in state
    assert err.endswith("\n")


def test_each_bulk_method_has_the_bar_and_keeps_on_progress(client, capsys):
    order = {"email": "a@example.com", "total": "5.00", "currency": "USD", "order_date": "2026-01-01T10:00:00Z"}
    seen = []
    client.orders.upsert_many([{"order_id": 1, **order}], progress=True, on_progress=seen.append).run()
    client.events.ingest_many([{"event_type": "seen", "email": "c1@example.com"}], progress=True).run()
    assert [progress.done for progress in seen] == [1]
    err = capsys.readouterr().err
    assert "orders.upsert: 100%" in err and "events.ingest: 100%" in err


def test_rows_without_a_length_are_counted(client, capsys):
    client.contacts.upsert_many(iter(ROWS), progress=True).run()
    assert "5/?" in capsys.readouterr().err


def test_no_bar_without_progress(client, capsys):
    client.contacts.upsert_many(ROWS).run()
    assert capsys.readouterr() == ("", "")


def test_an_interrupted_bar_is_closed_and_the_next_one_continues(client, capsys):
    def interrupt(progress):
        if progress.done == 2 and not interrupted:
            interrupted.append(True)
            raise KeyboardInterrupt

    interrupted = []
    run = client.contacts.upsert_many(ROWS, progress=True, on_progress=interrupt, concurrency=1)
    with pytest.raises(KeyboardInterrupt):
        run.run()
    err = capsys.readouterr().err
    assert "| 2/5 [" in last_state(err) and err.endswith("\n")
    assert run.run().succeeded == 5
    err = capsys.readouterr().err
    assert "| 2/5 [" not in last_state(err) and "| 5/5 [" in last_state(err)


def test_a_bar_is_closed_when_the_rows_or_the_limit_end_the_run(sandbox, capsys):
    def broken():
        yield from ROWS
        raise OSError("the disk is gone")

    client = sandbox.client()
    with pytest.raises(OSError, match="disk"):
        client.contacts.upsert_many(broken(), progress=True).run()
    assert capsys.readouterr().err.endswith("\n")
    sandbox.set_limits(60, 3)
    client.contacts.list().total_count()
    assert isinstance(client.contacts.upsert_many(ROWS, progress=True).run().stopped, privy.RateLimitError)
    err = capsys.readouterr().err
    assert "| 1/5 [" in last_state(err) and err.endswith("\n")


def test_close_closes_the_bar(client, capsys):
    with client.contacts.upsert_many(ROWS, progress=True) as run:
        next(run)
        assert not capsys.readouterr().err.endswith("\n")
    assert capsys.readouterr().err.endswith("\n")


def test_the_bar_says_how_long_it_waits_and_what_the_rate_limit_leaves(sandbox, capsys):
    sandbox.set_clock(datetime(2026, 1, 1, 12, tzinfo=timezone.utc))
    sandbox.set_limits(3, 1000)
    waits = []

    def advance(progress):
        if progress.waiting_until is not None:
            waits.append(f"{progress.waiting_until.astimezone():%H:%M:%S}")
            sandbox.advance(61)

    client = sandbox.client()
    assert client.contacts.upsert_many(ROWS, progress=True, on_progress=advance, concurrency=1).run().ok
    err = capsys.readouterr().err
    assert waits == [f"{datetime(2026, 1, 1, 12, 1, tzinfo=timezone.utc).astimezone():%H:%M:%S}"]
    assert f", 60 s left, waits until {waits[0]}]" in err
    assert last_state(err).endswith(", 0 s left]")


def test_a_lost_terminal_stops_no_run(client, monkeypatch):
    class Gone(io.StringIO):
        def write(self, text):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys, "stderr", Gone())
    assert client.contacts.upsert_many(ROWS, progress=True).run().ok
    monkeypatch.setattr(sys, "stderr", None)
    assert client.contacts.upsert_many(ROWS, progress=True).run().ok


def test_an_asynchronous_run_has_the_bar(sandbox, capsys):
    async def main():
        async with sandbox.async_client() as client:
            report = await client.contacts.upsert_many(ROWS, progress=True).run()
            assert report.succeeded == 5
            err = capsys.readouterr().err
            assert "| 5/5 [" in last_state(err) and err.endswith("\n")
            run = client.contacts.upsert_many(ROWS, progress=True)
            assert repr(run).startswith("AsyncBulk(sandbox, total=5")
            await anext(run)
            await run.aclose()
            assert capsys.readouterr().err.endswith("\n")

    asyncio.run(main())


SCRIPT = """
import sys
{tqdm}
import privy
run = privy.Sandbox().client().contacts.upsert_many(
    [{{"email": f"c{{i}}@example.com"}} for i in range(1200)] + [{{}}], progress=True)
report = run.run()
print(report.succeeded, repr(run), "tqdm.auto" in sys.modules and sys.modules["tqdm.auto"] is not None)
"""
WITHOUT = 'sys.modules["tqdm"] = sys.modules["tqdm.auto"] = None'


def shown_by(tqdm_line: str, terminal: bool) -> tuple[str, str]:
    """The output of a process, and what it writes to stderr: a terminal or a pipe."""
    script = f"import sys; sys.path[:] = {sys.path!r}\n{textwrap.dedent(SCRIPT.format(tqdm=tqdm_line))}"
    ours, theirs = pty.openpty() if terminal else os.pipe()
    if terminal:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 25, 70, 0, 0))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end of a terminal is closed
            break
        if not part:
            break
        written += part
    os.close(ours)
    out = process.communicate()[0]
    assert process.returncode == 0, written
    return out, written.decode().replace("\r\n", "\n")


def test_without_tqdm_a_terminal_gets_one_line():
    out, written = shown_by(WITHOUT, terminal=True)
    assert out == "1200 Bulk(sandbox, total=1201, taken=1201, done=1201, failed=1) False\n"
    assert last_state(written) == "contacts.upsert: 1,201 of 1,201 rows, 1 failed, 0 s left"
    assert written.startswith("\rcontacts.upsert: 1 of 1,201 rows") and written.count("\n") == 1


def test_without_tqdm_a_file_gets_nothing():
    assert shown_by(WITHOUT, terminal=False)[1] == ""


def test_with_tqdm_a_terminal_gets_its_bar():
    out, written = shown_by("", terminal=True)
    assert out.endswith(" True\n")
    assert "100%" in written and "1201/1201" in written


def test_tqdm_knows_the_length_of_a_list_at_no_further_cost(client, sandbox):
    client.contacts.upsert_many(ROWS).run()
    plain = sandbox.counts.requests
    list(client.contacts.list(per_page=2))
    plain = sandbox.counts.requests - plain
    before = sandbox.counts.requests
    with tqdm(client.contacts.list(per_page=2), file=io.StringIO()) as bar:
        assert bar.total == 5
        assert len(list(bar)) == 5
    assert sandbox.counts.requests - before == plain == 3


def test_tqdm_knows_the_length_of_a_run(client):
    run = client.contacts.upsert_many(ROWS)
    with tqdm(run, file=io.StringIO()) as bar:
        assert bar.total == 5
        for _ in bar:
            break
    assert len(run) == 4
    with tqdm(run, file=io.StringIO()) as rest:
        assert rest.total == 4
        assert len(list(rest)) == 4
    assert (len(run), bool(run)) == (0, True)
    endless = client.contacts.upsert_many(iter(ROWS))
    with pytest.raises(TypeError, match="no length"):
        len(endless)
    assert endless
    with tqdm(endless, file=io.StringIO()) as bar:
        assert bar.total is None
        assert len(list(bar)) == 5


def test_tqdm_knows_the_length_of_an_asynchronous_run(sandbox):
    async def main():
        async with sandbox.async_client() as client:
            with tqdm(client.contacts.upsert_many(ROWS), file=io.StringIO()) as bar:
                assert bar.total == 5
                assert len([result async for result in bar]) == 5

    asyncio.run(main())
