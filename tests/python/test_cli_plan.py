"""`privy plan`, over real sockets."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager

import privy as package
import pytest
from command import Terminal, privy

PEOPLE = 250


@contextmanager
def shop(**settings: int) -> Iterator[tuple[package.Sandbox, dict[str, str]]]:
    """A sandbox with contacts behind a real socket."""
    sandbox = package.Sandbox()
    sandbox._core.read_seed(f"shop:{PEOPLE}:7")
    sandbox.set_limits(settings.get("per_minute", 100_000), settings.get("per_day", 100_000), window=1)
    with sandbox.serve() as url:
        yield sandbox, {"PRIVY_BASE_URL": url, "PRIVY_API_TOKEN": sandbox.token}


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
