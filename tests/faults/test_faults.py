"""Every fault of faults.json met by the blocking, the bulk and the asyncio client: what happens, and how soon."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import privy
import pytest
from faults import either, load, raised, returns

HERE = Path(__file__).parent
ROWS = load()
TOKEN = "privy_" + "7" * 40
SECRET = "a-secret-of-the-tests"
AT_ONCE = 6
"""Faults met at the same time by each drive."""


# ---- calls: the requests, and whether a response belongs to one ----


def email(number: int) -> str:
    return f"row{number}@example.com"


def order(number: int) -> dict:
    when = "2026-05-12T10:00:00Z"
    return {"order_id": number, "email": email(number), "total": "95.00", "currency": "USD", "order_date": when}


def contact(number: int) -> str:
    return f"cus_{number:016d}"


CALLS: dict[str, Callable] = {
    "event": lambda client, number: client.events.ingest("seen", email=email(number)),
    "order": lambda client, number: client.orders.upsert(**order(number)),
    "create": lambda client, number: client.contacts.create(email=email(number)),
    "delete": lambda client, number: client.contacts.delete(contact(number)),
    "head": lambda client, number: client.request("HEAD", "/contacts"),
    "large": lambda client, number: client.request("POST", "/imports", body={"text": "x" * 8_000_000}),
}
MANY: dict[str, tuple[Callable, Callable]] = {
    "event": (lambda client: client.events.ingest_many, lambda n: {"event_type": "seen", "email": email(n)}),
    "order": (lambda client: client.orders.upsert_many, order),
}
BELONGS: dict[str, Callable] = {
    "event": lambda value, number: value.event_id == f"evt_row{number}",
    "order": lambda value, number: value.order_id == number,
    "create": lambda value, number: value.email == email(number),
    "delete": lambda value, number: value is None,
    "head": lambda value, number: value.status == 200,
}


@dataclass
class Outcome:
    values: list = field(default_factory=list)
    error: Exception | None = None
    began: float = 0
    ended: float = 0
    connections: int = 0
    elsewhere: int = 0
    requests: list[dict] = field(default_factory=list)
    client: str = ""
    missing: str = ""


# ---- the server ----


class Server:
    def __init__(self) -> None:
        command = [sys.executable, str(HERE / "server.py")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        reported = json.loads(self.process.stdout.readline())
        self.control, self.proxy, self.ca = reported["control"], reported["proxy"], reported["ca"]
        self._direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(self, method: str, name: str) -> dict:
        request = urllib.request.Request(f"{self.control}/{name}", method=method)
        with self._direct.open(request, timeout=300) as answer:
            return json.load(answer)

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(120)

    def meet(self, row: dict, make: Callable, drive: Callable[[privy.Client, dict, Outcome], None]) -> Outcome:
        """Opens the row's fault, lets a new client meet it, and reports what came of it on both sides."""
        place = self.ask("POST", row["name"])
        outcome = Outcome(missing=place.get("missing", ""))
        if outcome.missing:
            return self.finish(place, outcome)
        client = make(**self.settings(row, place))
        outcome.client = repr(client)
        outcome.began = time.monotonic()
        try:
            drive(client, row, outcome)
        except privy.PrivyError as error:
            outcome.error = error
        outcome.ended = time.monotonic()
        return self.finish(place, outcome)

    def finish(self, place: dict, outcome: Outcome) -> Outcome:
        for name, value in self.ask("DELETE", place["id"]).items():
            setattr(outcome, name, value)
        return outcome

    def settings(self, row: dict, place: dict) -> dict:
        known: dict = {"base_url": place["base_url"], "ca_bundle": self.ca, **row["options"]}
        known.update({"proxy": place["proxy"]} if "proxy" in place else {})
        if not row.get("oauth"):
            return {**known, "token": TOKEN}
        return {**known, "client_id": "tests", "client_secret": SECRET, "token_url": place["token_url"]}


# ---- the drives ----


def blocking(client: privy.Client, row: dict, outcome: Outcome) -> None:
    with client:
        for number in range(1, row["calls"] + 1):
            time.sleep(row["pause"] if number > 1 else 0)
            outcome.values.append(CALLS[row["call"]](client, number))


def bulk(client: privy.Client, row: dict, outcome: Outcome) -> None:
    def rows() -> Iterator[dict]:
        for number in range(1, row["calls"] + 1):
            time.sleep(row["pause"] if number > 1 else 0)
            yield row_of(number)

    many, row_of = MANY[row["call"]]
    found = {}
    try:
        with client:
            for result in many(client)(rows(), concurrency=1, max_wait=row["options"]["max_wait"]):
                if result.error is not None:
                    raise result.error
                found[result.index] = result.value
    finally:
        outcome.values = [found[index] for index in sorted(found)]  # a row that is retried comes after later ones


async def meet_in_loop(server: Server, row: dict) -> Outcome:
    ask = asyncio.to_thread
    place = await ask(server.ask, "POST", row["name"])
    outcome = Outcome(missing=place.get("missing", ""))
    if outcome.missing:
        return await ask(server.finish, place, outcome)
    outcome.began = time.monotonic()
    async with privy.AsyncClient(**server.settings(row, place)) as client:
        outcome.client = repr(client)
        try:
            for number in range(1, row["calls"] + 1):
                await asyncio.sleep(row["pause"] if number > 1 else 0)
                outcome.values.append(await CALLS[row["call"]](client, number))
        except privy.PrivyError as error:
            outcome.error = error
        outcome.ended = time.monotonic()
    return await ask(server.finish, place, outcome)


class Pace:
    """
    How fast this machine is while the faults are met: calls that go well, each on a connection of its own, one after
    the other, until `stop` is set. A fault may last longer than its row says by what twenty of them take meanwhile.
    """

    ALLOWED = 20
    PAUSE = 0.05

    def __init__(self, server: Server) -> None:
        place = server.ask("POST", "certificate_good")
        self._settings = {"base_url": place["base_url"], "ca_bundle": server.ca, "token": TOKEN, "timeout": 300}
        self._calls: list[tuple[float, float]] = []
        """When each began, pause included, and ended."""
        self.stop, self._done = threading.Event(), threading.Event()

    def keep(self) -> None:
        try:
            began = time.monotonic()
            while not self.stop.wait(self.PAUSE):
                with privy.Client(**self._settings) as client:
                    client.events.ingest("seen", email=email(0))
                began = self._add(began)
        finally:
            self._done.set()

    async def keep_in_loop(self) -> None:
        try:
            began = time.monotonic()
            while not self.stop.is_set():
                await asyncio.sleep(self.PAUSE)
                async with privy.AsyncClient(**self._settings) as client:
                    await client.events.ingest("seen", email=email(0))
                began = self._add(began)
        finally:
            self._done.set()

    def _add(self, began: float) -> float:
        self._calls.append((began, time.monotonic()))
        return self._calls[-1][1]

    def allows(self, outcome: Outcome) -> float:
        """Seconds beyond those of the row."""
        while not (self._done.is_set() or self._calls and self._calls[-1][0] >= outcome.ended):
            time.sleep(0.01)
        meanwhile = [end - began for began, end in self._calls if began <= outcome.ended and end >= outcome.began]
        return self.ALLOWED * (max(meanwhile) - self.PAUSE)


def loop(server: Server, outcomes: dict[tuple[str, str], Future], pace: Pace) -> None:
    """Meets all faults in one event loop."""

    async def meet(row: dict, places: asyncio.Semaphore) -> None:
        future = outcomes["asyncio", row["name"]]
        async with places:
            try:
                future.set_result(await meet_in_loop(server, row))
            except BaseException as error:
                future.set_exception(error)

    async def meet_all() -> None:
        places = asyncio.Semaphore(AT_ONCE)
        kept = asyncio.ensure_future(pace.keep_in_loop())
        await asyncio.gather(*(meet(row, places) for row in ROWS))
        pace.stop.set()
        await kept

    asyncio.run(meet_all())


# ---- the tests ----


@pytest.fixture(scope="module")
def outcomes() -> Iterator[tuple[dict[tuple[str, str], Future], dict[str, Pace]]]:
    """What came of every fault by every drive: (drive, fault) → the future of an Outcome. And each drive's pace."""
    server = Server()
    saved = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("PRIVY_") or name.lower().endswith("_proxy")]:
        del os.environ[name]
    os.environ.update(https_proxy=server.proxy, no_proxy="127.0.0.1,::1,nowhere.invalid")
    met: dict[tuple[str, str], Future] = {("asyncio", row["name"]): Future() for row in ROWS}
    threads, in_loop = Pace(server), Pace(server)
    with ThreadPoolExecutor(2 * AT_ONCE + 2) as pool:
        pool.submit(threads.keep)
        pool.submit(loop, server, met, in_loop)
        for row in ROWS:
            met["blocking", row["name"]] = pool.submit(server.meet, row, privy.Client, blocking)
            if row["call"] in MANY:
                met["bulk", row["name"]] = pool.submit(server.meet, row, privy.Client, bulk)
        yield met, {"blocking": threads, "bulk": threads, "asyncio": in_loop}
        threads.stop.set()
    os.environ.clear()
    os.environ.update(saved)
    server.stop()


CASES = [
    pytest.param(drive, row, id=f"{row['name']}-{drive}")
    for row in ROWS
    for drive in ("blocking", "bulk", "asyncio")
    if drive != "bulk" or row["call"] in MANY
]


@pytest.mark.parametrize(("drive", "row"), CASES)
def test_fault(outcomes, drive, row):
    met, paces = outcomes
    outcome = met[drive, row["name"]].result(600)
    if outcome.missing:
        pytest.skip(outcome.missing)
    assert SECRET not in outcome.client
    check_end(row, outcome)
    check_requests(row, outcome)
    seconds = outcome.ended - outcome.began
    assert row.get("at_least", 0) <= seconds <= row["within"] + paces[drive].allows(outcome)


def check_end(row: dict, outcome: Outcome) -> None:
    belongs = [BELONGS[row["call"]](value, number) for number, value in enumerate(outcome.values, 1)]
    assert all(belongs), outcome.values
    error = outcome.error
    if error is None:
        assert returns(row), "it should have raised"
        assert len(belongs) == row["calls"]
        return
    assert type(error).__name__ in raised(row), repr(error)
    assert len(belongs) == row["calls"] - 1
    assert error.attempts == row.get("attempts", error.attempts)
    assert error.status == row.get("status", error.status)
    assert row.get("message", "") in str(error)
    assert error.waited <= row["options"]["max_wait"]
    reported = repr((str(error), vars(error)))
    assert TOKEN not in reported
    assert SECRET not in reported


def check_requests(row: dict, outcome: Outcome) -> None:
    seen = [request["method"] for request in outcome.requests]
    assert len(seen) == row.get("requests", len(seen)), seen
    assert outcome.connections in either(row.get("connections", outcome.connections))
    assert outcome.elsewhere == 0
    keys = [request["key"] for request in outcome.requests if request["key"]]
    events = [request for request in outcome.requests if request["target"].endswith("/v1/events")]
    if not row["name"].startswith("h2_"):
        assert len(keys) == len(events)
        assert len(set(keys)) == min(row["calls"], len(keys))
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)


def test_the_matrix_is_whole():
    from server import FAULTS

    names = [row["name"] for row in ROWS]
    assert sorted(names) == sorted(FAULTS)
    assert len(set(names)) == len(names) >= 45
    assert all(raised(row) or returns(row) for row in ROWS)


def test_the_page_is_current():
    done = subprocess.run(
        [sys.executable, str(HERE / "table.py"), "--check"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
