"""gunicorn with a preloaded application, which creates and uses the client before the workers start."""

from __future__ import annotations

import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from pathlib import Path

from many_server import TOKEN, serving

HERE = Path(__file__).parent
PROMPT = 300
ASKED = 1_000_000
"""Places from here on are the workers'."""


class Gunicorn:
    """`asked` are the places by the process that answered."""

    def __init__(self, many):
        command = [sys.executable, "-m", "gunicorn", "--config", HERE / "gunicorn_process.py", "preloaded_process:app"]
        settings = {"PRIVY_BASE_URL": many.https, "PRIVY_API_TOKEN": TOKEN, "CA_BUNDLE": many.ca}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, cwd=HERE, env={**os.environ, **settings}
        )
        self.port = int(self.process.stdout.readline())
        self.asked = defaultdict(set)

    def ask(self, place):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{place}", timeout=PROMPT) as answer:
            report = json.load(answer)
        assert report["first_name"] == f"n{place}"
        assert report["loaded_by"] == self.process.pid
        self.asked[report["process"]].add(place)
        return report["process"]

    def ask_until(self, first, enough):
        """Asks, eight at a time, until enough processes have answered; returns those."""
        found = set()

        def answered():
            nonlocal first
            found.update(pool.map(self.ask, range(first, first + 40)))
            first += 40
            return enough(found)

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            wait_until(answered)
        return found


def wait_until(holds):
    until = time.monotonic() + PROMPT
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


def gone(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_workers_of_a_preloaded_application():
    with serving() as many:
        gunicorn = Gunicorn(many)
        try:
            before = gunicorn.ask_until(ASKED, lambda found: len(found) >= 2)
            gunicorn.process.send_signal(signal.SIGHUP)  # new workers of the same master, then the end of the old ones
            after = gunicorn.ask_until(2 * ASKED, lambda found: len(found - before) >= 2)
            wait_until(lambda: all(map(gone, before)))
            so_far = len(many.asked()[0])
            wait_until(lambda: len(many.asked()[0]) > so_far)
        finally:
            gunicorn.process.terminate()
            status = gunicorn.process.wait(PROMPT)
        assert status == 0
        assert gunicorn.process.pid not in before | after
        hold_connections(many.asked(), gunicorn.asked)


def hold_connections(connections, asked):
    # Whatever a worker wrote on the master's connection would have ended it: the master went on with it.
    master, *workers = connections
    assert master == list(range(len(master)))
    assert sorted(place for places in workers for place in places) == sorted(set().union(*asked.values()))
    owners = [{process for process, own in asked.items() if own & set(places)} for places in workers]
    assert all(len(owner) == 1 for owner in owners)
