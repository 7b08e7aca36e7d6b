"""
A program that forks while it has connections over TLS: `forking_process.py SCENE URL CA`.

It makes its calls and ends as programs do, by leaving; test_forking_processes.py looks at what the server saw. The
questions from CHILD on are the children's, STEP numbers each.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from decimal import Decimal

import privy
from many_server import TOKEN, contact

CHILD = 1_000_000
STEP = 1_000
CHURN = 500_000
"""Questions from here on are the parent's, from connections that the server closes."""
CLOSE_AFTER, LATE = 1, 5


def ask(client: privy.Client, place: int, way: int = 0) -> None:
    id = contact(place, way)
    assert client.contacts.get(id).id == id


def fork(action: Callable[[], object]) -> int:
    """The child does this, then ends with all that an interpreter does at its end."""
    child = os.fork()
    if child:
        return child
    signal.alarm(300)
    try:
        action()
    except BaseException:
        traceback.print_exc()
        sys.exit(1)
    sys.exit(0)


def well(*children: int) -> None:
    for child in children:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def idle(client: privy.Client) -> None:
    """A kept connection; children that use the client, that only end, and that close it."""
    ask(client, 1)

    def use() -> None:
        ask(client, CHILD)
        ask(client, CHILD + 1)

    well(fork(use))
    ask(client, 2)
    well(fork(lambda: None))
    ask(client, 3)
    well(fork(client.close))
    ask(client, 4)


def bulk(client: privy.Client) -> None:
    """A run of many calls, half of it read."""

    def order(number: int) -> dict[str, object]:
        return {"order_id": number, "email": f"row{number}@example.com", "total": Decimal(1), "currency": "USD",
                "order_date": "2026-05-12T10:00:00Z"}  # fmt: skip

    def use() -> None:
        try:
            read.extend(run)
        except privy.PrivyError:
            ask(client, CHILD)
        else:
            raise AssertionError("a child went on with the calls of its parent")

    run = client.orders.upsert_many((order(number) for number in range(1, 41)), concurrency=4)
    read = [next(run) for _ in range(10)]
    well(fork(use), fork(lambda: None))
    assert sorted(result.index for result in [*read, *run] if result.ok) == list(range(40))


def in_flight(client: privy.Client) -> None:
    """Eight other threads make calls: some wait for late responses, some open connections."""
    churning = privy.Client(TOKEN, base_url=client.base_url, ca_bundle=sys.argv[3])
    stop, wrong = threading.Event(), []

    def work(number: int) -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            try:
                if number < 6:
                    ask(client, number * 10_000 + turn, LATE if turn % 10 == number else 0)
                else:
                    ask(churning, CHURN + number * 10_000 + turn, CLOSE_AFTER)
            except Exception as error:
                wrong.append(error)
                return

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    children = []
    for child in range(12):
        first = CHILD + STEP * child
        children.append(fork(lambda first=first: [ask(one, first + n) for n in range(2) for one in (client, churning)]))
        time.sleep(0.03)
        ask(client, 90_000 + child)
    well(*children)
    stop.set()
    for thread in threads:
        thread.join(120)
    assert wrong == []


if __name__ == "__main__":
    warnings.simplefilter("ignore", DeprecationWarning)  # of forks with threads: the subject of this test
    scenes = {"idle": idle, "bulk": bulk, "in_flight": in_flight}
    scenes[sys.argv[1]](privy.Client(TOKEN, base_url=sys.argv[2], ca_bundle=sys.argv[3], max_retries=0))
