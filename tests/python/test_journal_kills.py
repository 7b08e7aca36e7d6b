"""Bulk runs with a journal in processes that are killed at random moments and at exact points of a request, against a
sandbox that outlives them, over real sockets.

A run that is repeated until it ends loses no row, records no event twice, refuses no row because of its own first
request, repeats at most ``concurrency`` requests for each kill, and leaves the journal and the records that a run
without kills leaves. With ``PRIVY_DEEP=1`` 200 processes are killed.
"""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import journal_rows
import privy
import pytest
from support import DEEP, Recorder, Reply, Request

KILLS = 201 if DEEP else 12
ROWS = 60
DELAY = 0.004
"""Seconds of each response: so long a request is in flight."""
PROCESS = Path(__file__).with_name("journal_process.py")
FIRST = {"orders.upsert": "/orders/placed", "contacts.upsert": "/contacts", "events.ingest": "/events"}
"""The path of the first request of a row, which is a POST."""
DUMP = "SELECT key, nth, source_row, hex(hash), state, message, details, request FROM rows ORDER BY key, nth"
"""Without what may differ: ids, keys and times, and the status of a repeated request."""
EFFORT = ("runs", "killed", "requests", "seconds", "waited")
"""What differs in the report of a journal."""


@dataclass
class World:
    """The server. Kills the process at its request ``at``: before the request is processed, after it, or after the
    response has left."""

    sandbox: privy.Sandbox = field(default_factory=privy.Sandbox)
    sent: list[Request] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    at: int = 0
    point: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Request) -> Reply:
        with self.lock:
            self.sent.append(request)
            self.at -= 1
            point, process = self.point if self.at == 0 else "", self.process
        if point == "lost":
            kill(process)
            return Reply(status=500, close=True)
        if point == "received":
            kill(process)
        response = self.sandbox.handle(request.method, request.target, request.headers, request.body)
        if point == "processed":
            kill(process)
        if point == "answered":
            threading.Timer(DELAY + random.random() * DELAY, kill, [process]).start()
        time.sleep(DELAY)
        headers = {name: value for name, value in response.headers if name.lower() != "content-length"}
        return Reply(response.status, headers, response.body)


def kill(process: subprocess.Popen[str] | None) -> None:
    if process is not None and process.poll() is None:
        process.send_signal(signal.SIGKILL)
        process.wait(60)


@dataclass
class Outcome:
    """What a run and its kills left."""

    report: dict[str, object]
    final: dict[str, object]
    journal: list[tuple[object, ...]]
    sent: list[Request]
    records: tuple[list[str], list[str], Counter[str]]
    kills: int


def run_process(world: World, url: str, operation: str, journal: Path, point: str, when: float) -> str | None:
    """The report, or None if the process was killed."""
    command = [sys.executable, str(PROCESS), operation, str(ROWS), url, str(journal)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "began\n"
        # Not before: the requests of an earlier process, which was killed, may be read late and are not counted here.
        world.process, world.point, world.at = process, point, int(when)
        if point == "moment":
            threading.Timer(when, kill, [process]).start()
        output = process.stdout.read()
        code = process.wait(120)
    assert code in (0, -signal.SIGKILL)
    return output if code == 0 else None


def plan(chance: random.Random) -> tuple[str, float]:
    point = chance.choice(["moment", "moment", "lost", "received", "processed", "answered"])
    return point, chance.random() * 0.15 if point == "moment" else chance.randrange(1, 30)


def finish(operation: str, journal: Path, kills: int, chance: random.Random) -> Outcome:
    """Runs processes until one ends by itself."""
    world, killed = World(), 0
    server = Recorder(world.answer)
    try:
        while True:
            point, when = plan(chance) if killed < kills else ("", 0.0)
            report = run_process(world, server.base_url, operation, journal, point, when)
            if report is not None:
                break
            killed += 1
    finally:
        server.close()
    with sqlite3.connect(journal) as database:
        dump = database.execute(DUMP).fetchall()
    with privy.Journal(journal) as read:
        final = read.report.to_dict()
    return Outcome(json.loads(report), final, dump, world.sent, records_of(world.sandbox), killed)


def records_of(sandbox: privy.Sandbox) -> tuple[list[str], list[str], Counter[str]]:
    contacts = [
        f"{one.email} {one.phone_number} {one.first_name} {one.email_consent}" for one in sandbox.contacts.values()
    ]
    orders = [
        f"{one.order_id} {one.email} {one.total_amount} {one.financial_status}" for one in sandbox.orders.values()
    ]
    events = Counter(f"{one.event_type} {one.email} {one.event_data}" for one in sandbox.events)
    return sorted(contacts), sorted(orders), events


def firsts(outcome: Outcome, operation: str) -> list[tuple[bytes, str | None]]:
    """Body and idempotency key of the first request of each row that was sent."""
    return [
        (request.body, request.header("Idempotency-Key"))
        for request in outcome.sent
        if request.method == "POST" and request.target.endswith(FIRST[operation])
    ]


def check(operation: str, found: Outcome, expected: Outcome) -> None:
    report = found.report
    assert (report["total"], report["stopped"], report["unsent"], report["in_doubt"]) == (ROWS, None, [], [])
    assert report["succeeded"] + report["failed"] + report["skipped"] == ROWS  # type: ignore[operator]
    assert {row["index"] for row in report["refused"]} <= set(journal_rows.refused(ROWS))  # type: ignore[attr-defined]
    assert found.journal == expected.journal
    assert {**found.final, **dict.fromkeys(EFFORT)} == {**expected.final, **dict.fromkeys(EFFORT)}
    assert found.final["killed"] <= found.kills  # type: ignore[operator]
    assert found.records == expected.records
    first, all_of = firsts(found, operation), firsts(expected, operation)
    most = found.kills * journal_rows.CONCURRENCY
    assert 0 <= len(first) - len(all_of) <= most
    # a contact takes a create and an update, and a look-up before it if its row subscribes it
    assert len(found.sent) - len(expected.sent) <= most * (3 if operation == "contacts.upsert" else 1)
    assert {body for body, _ in first} == {body for body, _ in all_of}
    if operation == "events.ingest":  # an event that is sent again has the key of its first request
        assert len({key for _, key in first}) == len(all_of)


def check_without_kills(outcome: Outcome, operation: str) -> None:
    indexes = {row["index"] for row in outcome.report["refused"]}  # type: ignore[attr-defined]
    assert sorted(indexes) == journal_rows.refused(ROWS)
    assert len(firsts(outcome, operation)) == len(journal_rows.sent(ROWS))
    assert [row[4] for row in outcome.journal].count("refused") == ROWS // 20
    assert outcome.kills == outcome.final["killed"] == 0
    assert outcome.final["failed"] == len(journal_rows.refused(ROWS))


@pytest.mark.random
@pytest.mark.parametrize("operation", list(journal_rows.METHODS))
def test_a_killed_run_continues_exactly(operation, tmp_path):
    chance = random.Random(f"{operation} 20")
    expected = finish(operation, tmp_path / "whole.db", 0, chance)
    check_without_kills(expected, operation)
    kills = runs = 0
    while kills < KILLS // 3:
        runs += 1
        found = finish(operation, tmp_path / f"{runs}.db", 4, chance)
        check(operation, found, expected)
        kills += found.kills
    print(f"{operation}: {kills} kills in {runs} runs")
