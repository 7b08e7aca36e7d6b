"""``contacts.export``: what the files hold, and exports that are interrupted."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap

import privy
import pyarrow.parquet
import pytest
from support import TOKEN

CONTACTS = 730


@pytest.fixture
def sandbox():
    made = privy.Sandbox()
    made.seed("shop", contacts=CONTACTS)
    made.advance(3600)
    return made


@pytest.fixture
def client(sandbox):
    with sandbox.client() as made:
        yield made


@pytest.fixture
def emails(sandbox):
    return sorted(str(sandbox.contacts[key].email) for key in sandbox.contacts)


def read(path):
    """The e-mail addresses of a file."""
    ending = path.suffix
    if ending == ".csv":
        with path.open(newline="") as file:
            return sorted(row["email"] or "None" for row in csv.DictReader(file))
    if ending == ".jsonl":
        return sorted(str(json.loads(line)["email"]) for line in path.read_text().splitlines())
    if ending == ".db":
        with sqlite3.connect(path) as database:
            return sorted(str(row[0]) for row in database.execute("SELECT email FROM contacts"))
    return sorted(str(email) for email in pyarrow.parquet.read_table(path)["email"].to_pylist())


@pytest.mark.parametrize("name", ["c.csv", "c.jsonl", "c.db", "c.parquet"])
def test_a_file_has_all_contacts(client, sandbox, emails, tmp_path, name):
    path = tmp_path / name
    report = client.contacts.export(path)
    assert read(path) == emails
    assert (report.contacts, report.requests, report.resumed) == (CONTACTS, 8, False)
    assert report.path == str(path)
    assert report.began_at is not None
    assert os.listdir(tmp_path) == [name]
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_asynchronous_client_exports_too(sandbox, emails, tmp_path):
    async def export(path):
        async with sandbox.async_client() as client:
            return await client.contacts.export(path)

    for name in ("c.csv", "c.parquet"):
        report = asyncio.run(export(tmp_path / name))
        assert report.requests == 8
        assert read(tmp_path / name) == emails


def test_filters(client, tmp_path):
    report = client.contacts.export(tmp_path / "c.jsonl", email_consent="subscribed")
    assert report.contacts == client.contacts.list(email_consent="subscribed").total_count()
    with pytest.raises(privy.ValidationError, match="email_consent"):
        client.contacts.export(tmp_path / "d.jsonl", email_consent="perhaps")
    assert os.listdir(tmp_path) == ["c.jsonl"]


def test_settings_are_checked_before_a_request(client, sandbox, tmp_path):
    for path, more, error in [
        ("c.txt", {}, privy.PrivyError),
        ("c.csv", {"format": "xlsx"}, privy.PrivyError),
        ("c.csv", {"format": 5}, TypeError),
        ("", {}, ValueError),
        (".", {"format": "csv"}, privy.PrivyError),
        ("missing/c.csv", {}, privy.SnapshotError),
        ("c.csv", {"resume": "maybe"}, ValueError),
        ("c.csv", {"resume": "only"}, privy.SnapshotError),
        ("c.csv", {"on_spent_day": "never"}, ValueError),
        ("c.csv", {"max_wait": -1}, privy.PrivyError),
    ]:
        with pytest.raises(error):
            client.contacts.export(str(tmp_path / path) if path else path, **more)
    with pytest.raises(TypeError):
        client.contacts.export(5)
    assert sandbox.counts.requests == 0
    assert os.listdir(tmp_path) == []


def test_parquet_names_what_is_missing(client, sandbox, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"privy-marketing\[pandas\]"):
        client.contacts.export(tmp_path / "c.parquet")
    assert sandbox.counts.requests == 0
    assert os.listdir(tmp_path) == []


class Stop(Exception):
    pass


def stops_at(contacts):
    def report(progress):
        if progress.done >= contacts:
            raise Stop

    return report


@pytest.mark.parametrize("name", ["c.csv", "c.parquet"])
def test_an_export_that_was_stopped_continues(client, sandbox, emails, tmp_path, name):
    path = tmp_path / name
    for contacts in (200, 500):
        with pytest.raises(Stop):
            client.contacts.export(path, on_progress=stops_at(contacts))
        assert not path.exists()
        assert (tmp_path / f"{name}.partial").stat().st_mode & 0o777 == 0o600
    report = client.contacts.export(path, resume="only")
    assert report.resumed
    assert report.contacts == CONTACTS
    assert sandbox.counts.requests == 8
    assert read(path) == emails
    assert os.listdir(tmp_path) == [name]


def test_a_task_that_is_cancelled_can_continue(sandbox, emails, tmp_path):
    async def export():
        async with sandbox.async_client() as client:
            task = asyncio.current_task()
            assert task is not None
            report = None

            def cancel(progress):
                if progress.done == 300:
                    task.cancel()

            try:
                await client.contacts.export(tmp_path / "c.csv", on_progress=cancel)
            except asyncio.CancelledError:
                task.uncancel() if sys.version_info >= (3, 11) else None
                report = await client.contacts.export(tmp_path / "c.csv")
            return report

    report = asyncio.run(export())
    assert report is not None and report.resumed
    assert read(tmp_path / "c.csv") == emails


def test_restart_reads_again(client, sandbox, tmp_path):
    path = tmp_path / "c.csv"
    with pytest.raises(Stop):
        client.contacts.export(path, on_progress=stops_at(500))
    with pytest.raises(privy.SnapshotError) as caught:
        client.contacts.export(path, sms_consent="subscribed")
    assert caught.value.code == "snapshot_filter"
    before = sandbox.counts.requests
    report = client.contacts.export(path, sms_consent="subscribed", resume="restart")
    assert not report.resumed
    assert sandbox.counts.requests - before == report.requests > 0


def test_deleted_contacts_do_not_hide_others(client, sandbox, tmp_path):
    """Contacts that were read are deleted while the export is interrupted: all later ones move forward."""
    path = tmp_path / "c.jsonl"
    with pytest.raises(Stop):
        client.contacts.export(path, on_progress=stops_at(500))
    for contact in client.contacts.list().first(20):
        client.contacts.delete(contact.id)
    left = {contact.id for contact in client.contacts.list()}
    client.contacts.export(path)
    read_ids = {json.loads(line)["id"] for line in path.read_text().splitlines()}
    assert left <= read_ids


def test_a_spent_day_keeps_what_was_read(sandbox, emails, tmp_path):
    sandbox.set_limits(60, 3)
    with sandbox.client() as client:
        with pytest.raises(privy.RateLimitError):
            client.contacts.export(tmp_path / "c.csv")
        sandbox.set_limits(60, 1000)
        sandbox.advance(86400)
        report = client.contacts.export(tmp_path / "c.csv")
    assert report.resumed
    assert read(tmp_path / "c.csv") == emails


KILLED = """
    import os, signal, sys
    import privy

    url, path, pages, TOKEN = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    seen = 0

    def report(progress):
        global seen
        seen += 1
        if seen == pages:
            os.kill(os.getpid(), signal.SIGKILL)

    with privy.Client(token=TOKEN, base_url=url) as client:
        client.contacts.export(path, on_progress=report)
"""


@pytest.mark.parametrize("name", ["c.csv", "c.jsonl", "c.db", "c.parquet"])
def test_an_export_that_was_killed_continues_exactly(sandbox, emails, tmp_path, name):
    path = tmp_path / name
    program = textwrap.dedent(KILLED)
    kills = 0
    with sandbox.serve() as url:
        for pages in (1, 2, 3, 9, 1, 100):
            ended = subprocess.run([sys.executable, "-c", program, url, str(path), str(pages), TOKEN], timeout=60)
            if ended.returncode == 0:
                break
            assert ended.returncode == -signal.SIGKILL
            kills += 1
            assert not path.exists()
    assert path.exists()
    assert kills >= 3
    assert read(path) == emails
    assert sandbox.counts.requests <= 8 + kills
    assert os.listdir(tmp_path) == [name]


def test_ctrl_c_keeps_what_was_read(sandbox, emails, tmp_path):
    program = textwrap.dedent(KILLED).replace("signal.SIGKILL", "signal.SIGINT")
    with sandbox.serve() as url:
        arguments = [sys.executable, "-c", program, url, str(tmp_path / "c.csv"), "3", TOKEN]
        ended = subprocess.run(arguments, timeout=60, capture_output=True, text=True)
        assert ended.returncode != 0
        assert "KeyboardInterrupt" in ended.stderr
        assert not (tmp_path / "c.csv").exists()
        with privy.Client(token=TOKEN, base_url=url) as client:
            report = client.contacts.export(tmp_path / "c.csv")
    assert report.resumed
    assert read(tmp_path / "c.csv") == emails
    assert sandbox.counts.requests == 8


def test_a_progress_bar(client, tmp_path, capsys):
    client.contacts.export(tmp_path / "c.csv", progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "contacts.export: 100%|" in err
    assert f"{CONTACTS}/{CONTACTS}" in err


def test_ten_thousand_contacts_take_a_hundred_requests(tmp_path):
    sandbox = privy.Sandbox()
    sandbox.seed("shop", contacts=10_000)
    sandbox.advance(3600)
    with sandbox.client() as client:
        assert client.contacts.export(tmp_path / "c.jsonl").requests == 100
    assert sandbox.counts.requests == 100
