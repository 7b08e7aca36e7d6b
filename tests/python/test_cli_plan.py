"""`privy export` and `privy plan`, over real sockets."""

from __future__ import annotations

import csv
import json
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import privy as package
import pytest
from command import PRIVY, Terminal, environment, privy

PEOPLE = 250


@contextmanager
def shop(**settings: int) -> Iterator[tuple[package.Sandbox, dict[str, str]]]:
    """A sandbox with contacts behind a real socket."""
    sandbox = package.Sandbox()
    sandbox._core.read_seed(f"shop:{PEOPLE}:7")
    sandbox.set_limits(settings.get("per_minute", 100_000), settings.get("per_day", 100_000), window=1)
    with sandbox.serve() as url:
        yield sandbox, {"PRIVY_BASE_URL": url, "PRIVY_API_TOKEN": sandbox.token}


# ---- export ----


def test_export(tmp_path):
    with shop() as (sandbox, env):
        done = privy("export", "people.csv", env=env, cwd=tmp_path)
        assert done.code == 0, done
        assert re.search(rf"people\.csv: {PEOPLE} contacts, \d requests", done.out)
        document = privy("export", "people.jsonl", "--json", env=env, cwd=tmp_path).json
        assert (document["format"], document["contacts"]) == ("privy.export/1", PEOPLE)
        assert privy("export", "people.db", "-q", env=env, cwd=tmp_path).err == ""
        assert privy("export", "people.parquet", env=env, cwd=tmp_path).code == 0
        ids = {contact.id for contact in sandbox.contacts.values()}
    assert {row["id"] for row in csv.DictReader((tmp_path / "people.csv").open())} == ids
    assert {json.loads(line)["id"] for line in (tmp_path / "people.jsonl").read_text().splitlines()} == ids
    with sqlite3.connect(tmp_path / "people.db") as database:
        assert {row[0] for row in database.execute("select id from contacts")} == ids
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"people.{kind}" for kind in ("csv", "db", "jsonl", "parquet")
    ]


def test_export_of_a_filter(tmp_path):
    with shop() as (_, env):
        assert privy("export", "a.csv", "--email-consent", "subscribed", env=env, cwd=tmp_path).code == 0
    found = {row["email_consent"] for row in csv.DictReader((tmp_path / "a.csv").open())}
    assert found == {"subscribed"}


def test_export_refuses(tmp_path):
    with shop() as (sandbox, env):
        for arguments in (["people.txt"], ["people.csv", "--resume", "--restart"], ["no/such/folder.csv"]):
            done = privy("export", *arguments, env=env, cwd=tmp_path)
            assert done.code in (1, 2), arguments
            assert "Traceback" not in done.err
        assert sandbox.counts.requests == 0


def test_export_names_a_wrong_ending_before_anything_else(tmp_path):
    for options in ([], ["--sandbox"]):
        done = privy(*options, "export", "people.txt", cwd=tmp_path)
        assert done.code == 2
        assert done.err.startswith("privy: people.txt: the name of the file must end in .csv, ")
        assert done.err.count("\n") == 1


def test_an_export_that_is_interrupted_continues(tmp_path):
    with shop(per_minute=1) as (sandbox, env):
        command = [*PRIVY, "export", "people.csv"]
        process = subprocess.Popen(command, env=environment(**env), cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        ends = time.monotonic() + 60
        while sandbox.counts.requests < 2:
            assert time.monotonic() < ends
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "continues" in err and "Traceback" not in err
        assert not (tmp_path / "people.csv").exists()
        sandbox.set_limits(100, 1000, window=1)
        document = privy("export", "people.csv", "--json", env=env, cwd=tmp_path).json
        assert (document["resumed"], document["contacts"]) == (True, PEOPLE)


def test_a_spent_day_keeps_what_was_read(tmp_path):
    with shop(per_day=2) as (sandbox, env):
        assert privy("export", "people.csv", env=env, cwd=tmp_path).code == 4
        sandbox.advance(86_400)
        assert privy("export", "people.csv", env=env, cwd=tmp_path).code == 0


# ---- plan ----


@pytest.fixture
def people(tmp_path):
    """A file of all contacts of the shop, two of which differ and one of which is new; and a faulty line."""

    def make(sandbox: package.Sandbox):
        known = [contact for contact in sandbox.contacts.values() if contact.email][:20]
        rows = [[contact.email, contact.first_name or ""] for contact in known]
        rows[3][1], rows[7][1] = "Changed", "Changed too"
        rows += [["new@example.com", "New"], ["nobody", "No"]]
        path = tmp_path / "people.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([["email", "first_name"], *rows])
        return path

    return make


def test_a_plan_shows_what_differs_and_sends_nothing(people):
    with shop() as (sandbox, env):
        path = people(sandbox)
        before = {contact.id: contact.first_name for contact in sandbox.contacts.values()}
        done = privy("plan", str(path), "--all", env=env)
        assert done.code == 1, "a line is faulty"
        lines = re.findall(r"^people\.csv:(\d+): (\w+) (\S+): (.+)$", done.out, re.MULTILINE)
        states = {(number, state) for number, state, _, _ in lines}
        assert states == {("5", "update"), ("9", "update"), ("22", "create")}
        assert any('"Changed"' in what for _, _, _, what in lines)
        assert re.search(r"^people\.csv:23: email 'nobody'", done.err, re.MULTILINE)
        assert "takes: 3 requests" in done.out
        document = privy("plan", str(path), "--json", env=env).json
        assert document["format"] == "privy.plan/1"
        assert document["counts"] == {"create": 1, "update": 2, "unchanged": 18, "blocked": 0, "faulty": 1}
        assert [row["line"] for row in document["rows"]] == [22, 5, 9]
        assert {contact.id: contact.first_name for contact in sandbox.contacts.values()} == before


def test_a_plan_is_applied_with_one_request_for_each_difference(people):
    with shop() as (sandbox, env):
        path = people(sandbox)
        assert privy("plan", str(path), "--apply", env=env).code == 2, "nobody can be asked"
        read = privy("plan", str(path), "--json", env=env).json["requests_read"]
        before = sandbox.counts.requests
        done = privy("plan", str(path), "--apply", "--yes", env=env)
        assert "sent: 3 (1 created, 2 updated)" in done.out, done
        assert sandbox.counts.requests == before + read + 3
        again = privy("plan", str(path), "--apply", "--yes", "--json", env=env).json
        assert (again["counts"]["unchanged"], again["requests"], again["applied"]) == (21, 0, None)


def test_a_plan_asks_on_a_terminal(people):
    with shop() as (sandbox, env):
        path = people(sandbox)
        terminal = Terminal("plan", str(path), "--apply", env=env)
        terminal.read_until(r"Send 3 requests\?")
        terminal.write("n\n")
        assert terminal.end()[0] == 130
        assert len(sandbox.contacts) == PEOPLE


def test_a_snapshot_is_reused(people, tmp_path):
    with shop() as (sandbox, env):
        path = people(sandbox)
        snapshot = str(tmp_path / "contacts.db")
        arguments = ("--snapshot", snapshot, "--max-age", "1h", "--json")
        documents = [privy("plan", str(path), *arguments, env=env).json for _ in range(3)]
        assert [documents[0]["from_snapshot"], documents[2]["from_snapshot"]] == [False, True]
        assert documents[2]["requests_read"] == 0, "one plan or two have read all contacts"
        assert privy("plan", str(path), "--max-age", "soon", env=env).code == 2


@contextmanager
def newcomers(people) -> Iterator[tuple[package.Sandbox, dict[str, str], Path]]:
    """A shop, and a file of 40 new contacts."""
    with shop() as (sandbox, env):
        path = people(sandbox)
        path.write_text("email\n" + "".join(f"new{number}@example.com\n" for number in range(40)))
        yield sandbox, env, path


def new_contacts(sandbox: package.Sandbox) -> int:
    return len(sandbox.contacts) - PEOPLE


def test_apply_stops_at_a_time_and_the_same_command_continues(people):
    with newcomers(people) as (sandbox, env, path):
        sandbox.set_limits(2, 100_000, window=1)
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 8))
        arguments = ("plan", str(path), "--apply", "--yes", "--json")
        done = privy(*arguments, "--until", at, env=env)
        assert done.code == 4, done
        sent = new_contacts(sandbox)
        assert (done.json["applied"]["succeeded"], done.json["applied"]["unsent"]) == (sent, 40 - sent)
        assert done.json["error"]["code"] == "until_reached"
        assert "run the same command again: it plans what is left" in done.err
        sandbox.set_limits(100_000, 100_000, window=1)
        assert privy(*arguments, env=env).json["applied"]["created"] == 40 - sent
        assert new_contacts(sandbox) == 40


def test_apply_ends_with_a_spent_day_and_says_when_it_continues(people):
    with newcomers(people) as (sandbox, env, path):
        reads = privy("plan", str(path), "--json", env=env).json["requests_read"]
        sandbox.set_limits(100_000, reads + 3, window=1)
        done = privy("plan", str(path), "--apply", "--yes", "--on-spent-day", "stop", env=env)
        assert done.code == 4, done
        assert new_contacts(sandbox) == 3
        assert re.search(r"again from \d{4}-\d\d-\d\d .* on: it plans what is left", done.err)
        assert re.search(r"^not sent: \d+$", done.out, re.MULTILINE)


def test_apply_waits_for_the_next_day(people):
    with newcomers(people) as (sandbox, env, path):
        reads = privy("plan", str(path), "--json", env=env).json["requests_read"]
        sandbox.set_limits(100_000, reads + 3, window=1)
        command = [*PRIVY, "plan", str(path), "--apply", "--yes", "--on-spent-day", "wait"]
        with subprocess.Popen(command, env=environment(**env), stdout=subprocess.PIPE, text=True) as process:
            ends = time.monotonic() + 60
            while new_contacts(sandbox) < 3:
                assert time.monotonic() < ends
                time.sleep(0.01)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.5)  # it waits
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=30)
        assert process.returncode == 130
        assert re.search(r"^not sent: \d+$", out, re.MULTILINE)


def test_a_plan_leaves_requests_to_others(people):
    with newcomers(people) as (sandbox, env, path):
        sandbox.set_limits(60, 100_000, window=60)
        document = privy("plan", str(path), "--reserve", "57", "--json", env=env).json
        assert (document["requests"], document["seconds"]) == (40, pytest.approx(780, abs=61))


def test_options_that_a_plan_does_not_use_are_refused(people):
    with newcomers(people) as (sandbox, env, path):
        for arguments, message in (
            (["--until", "07:00"], "--until is for --apply"),
            (["--journal", "a.db"], "--journal is for --apply"),
            (["--apply", "--yes", "--until", "soon"], "write a time of day such as 07:00"),
            (["--apply", "--yes", "--until", "2020-01-01T00:00:00Z"], "this time has passed"),
        ):
            done = privy("plan", str(path), *arguments, env=env)
            assert (done.code, message in done.err) == (2, True), done
        assert sandbox.counts.requests == 0
