"""
Many calls of many threads on one client: `soak.py [--asked N] [--calls N] [--every N] [--mix-up N]`.

First every thread asks its questions, and every answer is held against its question. Then the calls go on, met in
every way that the server knows, while descriptors and memory are looked at. Prints what it saw, and ends with 1 when
something is not as it should be.
"""

from __future__ import annotations

import argparse
import collections
import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import privy

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))

from many_server import TOKEN, Server, serving

THREADS = 32
STALL_SECONDS = 0.05
MOST_DESCRIPTORS = 4 * THREADS
"""For each thread a connection, a dead one not yet closed, and the two that libcurl has to be woken by."""
MOST_GROWTH = 1 << 20
"""Bytes that the process may grow by after it has warmed up: some ten a call, in a run of 100,000."""

# Of a hundred calls in a row: how many get which response, and the error of those without one.
MIX = {"well": 50, "close_after": 15, "half_close": 15, "close_without": 15, "stall": 5}
FAULTS = {"close_without": privy.APIConnectionError, "stall": privy.APITimeoutError}


class Crew:
    """The threads, and what came of their calls."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.descriptors = sizes()[0]
        self.client = privy.Client(TOKEN, base_url=server.http, max_retries=0)
        self.hasty = self.client.with_options(timeout=STALL_SECONDS)
        self.outcomes: collections.Counter[str] = collections.Counter()
        self.wrong: list[str] = []

    def work(self, calls: int, call: Callable[[int], str]) -> None:
        """Shares out the calls, numbered from 0."""

        def run(numbers: range) -> None:
            outcomes: collections.Counter[str] = collections.Counter()
            for number in numbers:
                try:
                    outcomes[call(number)] += 1
                except Exception as error:
                    self.wrong.append(f"call {number}: {error!r}")
            with lock:
                self.outcomes += outcomes

        lock = threading.Lock()
        threads = [threading.Thread(target=run, args=(range(first, calls, THREADS),)) for first in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def hold(self, right: bool, number: int) -> None:
        if not right:
            self.wrong.append(f"call {number}: the answer to another question")

    def ask(self, number: int) -> str:
        """One of three kinds of question, whose answer reports what was asked."""
        if number % 3 == 0:
            id = self.server.contact(number)
            contact = self.client.contacts.get(id)
            self.hold(contact.id == id and contact.first_name == f"n{number}", number)
        elif number % 3 == 1:
            order = self.client.orders.upsert(
                order_id=number, email="jane@example.com", total=Decimal(1), currency="USD",
                order_date="2026-05-12T10:00:00Z",
            )  # fmt: skip
            self.hold(order.order_id == number and order["first_name"] == f"n{number}", number)
        else:
            event = self.client.events.ingest("seen", email="jane@example.com", event_data={"number": number})
            self.hold(event.event_id == f"evt_{number}" and event["number"] == number, number)
        return "answered"

    def meet(self, number: int) -> str:
        """Asks for a contact, to be answered in the way whose turn it is."""
        way = TURNS[number % len(TURNS)]
        id = self.server.contact(number, way)
        try:
            contact = (self.hasty if way == "stall" else self.client).contacts.get(id)
        except FAULTS.get(way, ()):
            return way
        self.hold(way not in FAULTS and contact.id == id, number)
        return way


def turns() -> list[str]:
    """The ways in an order in which each follows each."""
    ways = [way for way, share in MIX.items() for _ in range(share)]
    return [ways[number * 37 % len(ways)] for number in range(len(ways))]


TURNS = turns()


def sizes() -> tuple[int, int]:
    """Descriptors and resident bytes of this process while no call runs."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return len(os.listdir("/proc/self/fd")), pages * os.sysconf("SC_PAGE_SIZE")


def soak(crew: Crew, calls: int, every: int) -> Iterator[tuple[int, int, int]]:
    for done in range(0, calls + 1, every):
        yield done, *sizes()
        if done < calls:
            crew.work(min(every, calls - done), crew.meet)


def show(first: str, *others: object) -> None:
    print(f"  {first:<22}" + "".join(f"{one:>14}" for one in others))


def report(asked: int, crew: Crew, samples: list[tuple[int, int, int]], seconds: tuple[float, float]) -> bool:
    """Prints the figures; whether all bounds hold."""
    _, descriptors, resident = zip(*samples, strict=True)
    grown = resident[-1] - resident[0]
    opened = max(descriptors) - crew.descriptors
    print(f"soak, Python {sys.version.split()[0]}: {THREADS} threads on one client")
    show("questions asked", asked, f"{seconds[0]:.1f} s")
    show("calls after warming", samples[-1][0], f"{seconds[1]:.1f} s")
    for way, count in sorted(crew.outcomes.items()):
        show(f"  {way}", count)
    show("calls", "descriptors", "resident KiB")
    for done, files, size in samples:
        show(str(done), files, size >> 10)
    checks = [
        (f"wrong answers and unexpected errors {len(crew.wrong)}, most 0", not crew.wrong),
        (f"descriptors opened {opened}, most {MOST_DESCRIPTORS}", opened <= MOST_DESCRIPTORS),
        (f"resident grown by {grown >> 10} KiB, most {MOST_GROWTH >> 10}", grown <= MOST_GROWTH),
    ]
    for reported, held in checks:
        print(f"  {'holds ' if held else 'BROKEN'} {reported}")
    for fault in crew.wrong[:5]:
        print(f"  {fault}")
    return all(held for _, held in checks)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--asked", type=int, default=1_000, help="questions of each thread")
    parser.add_argument("--calls", type=int, default=100_000, help="calls over which the sizes must stay")
    parser.add_argument("--every", type=int, default=10_000, help="calls between two looks at the sizes")
    parser.add_argument("--mix-up", type=int, default=0, help="have the server answer every Nth question wrongly")
    given = parser.parse_args()
    with serving("--mix-up", str(given.mix_up)) as server:
        crew = Crew(server)
        began = time.monotonic()
        crew.work(THREADS * given.asked, crew.ask)
        crew.work(2 * given.every, crew.meet)  # warms up what is kept for later calls
        crew.outcomes.clear()
        warm = time.monotonic()
        samples = list(soak(crew, given.calls, given.every))
        seconds = warm - began, time.monotonic() - warm
        return 0 if report(THREADS * given.asked, crew, samples, seconds) else 1


if __name__ == "__main__":
    sys.exit(main())
