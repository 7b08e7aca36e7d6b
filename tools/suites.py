"""
Makes targets, as many at a time as there are cores, also after a failure; prints a line for each, and in full what
failed.

    suites.py MAKE --build TARGET [--check TARGET...] --test TARGET...

The outputs are in build/logs/. A check has no tests to count; one that fails counts as one that failed, and so does a
suite that fails otherwise than by a test. When the build fails nothing else is made. The last line is
"N passed, N failed", of all tests that were run.

An interrupt (Ctrl-C, SIGTERM, SIGHUP) ends all that runs. Processes that a target leaves are ended with it.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple, NoReturn, TextIO

from tally import Tally, tally

LOGS = Path("build/logs")
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
PASSED = re.compile(r"  (cc|ar|link) .*|[.s]+( +\[ *\d+%\])?|  \S+ +\d+ passed, 0 failed.* s")
"""Lines of a failed suite that report no failure."""
INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE = 10
"""Seconds from SIGTERM to SIGKILL, in which a suite ends what it has started."""
STEP = 0.5
"""Seconds of a wait in which a signal may stay unnoticed."""


class Commands:
    """The commands that run, each in a process group of its own. A group gets a signal as one, and ends as one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: set[int] = set()
        self._stopped = False

    def run(self, command: list[str], output: TextIO) -> int:
        """Runs a command and returns its exit status. After ``stop`` it starts nothing."""
        with self._lock:
            if self._stopped:
                return -signal.SIGTERM
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
            self._running.add(process.pid)
        status = process.wait()
        with self._lock:
            self._send(process.pid, signal.SIGKILL)
            self._running.remove(process.pid)
        return status

    def stop(self, number: signal.Signals) -> None:
        """Sends a signal to all that run."""
        with self._lock:
            self._stopped = True
            for group in self._running:
                self._send(group, number)

    def _send(self, group: int, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):  # it has ended; macOS refuses signals to zombies
            os.killpg(group, number)


class Made(NamedTuple):
    target: str
    tests: Tally
    counts: bool
    """Whether the target has tests to count."""
    good: bool
    seconds: float
    log: Path


def make(commands: Commands, command: list[str], target: str, counts: bool) -> Made:
    began = time.monotonic()
    log = LOGS / f"{target}.log"
    with log.open("w") as output:
        status = commands.run([*command, target], output)
    found = tally(log.read_text(errors="replace")) if counts else Tally()
    good = status == 0 and not found.failed and (found.passed + found.skipped > 0 or not counts)
    if not good and not found.failed:
        found += Tally(failed=1)
    return Made(target, found, counts, good, time.monotonic() - began, log)


def report(made: Made) -> None:
    result = str(made.tests) if made.counts else "ok" if made.good else "failed"
    print(f"{made.target:<18}{result:<36}{made.seconds:5.0f} s{'' if made.good else '  FAILED'}")
    if not made.good:
        lines = made.log.read_text(errors="replace").splitlines()
        print(f"---- {made.log}, without what passed")
        print("\n".join(line for line in lines if not PASSED.fullmatch(line)))
        print(f"---- end of {made.log}")
    sys.stdout.flush()


def completed(futures: list[Future[Made]]) -> Iterator[Made]:
    """The results as they come. Waits in short steps: a signal that arrives just before a wait does not end it."""
    pending = set(futures)
    while pending:
        done, pending = wait(pending, STEP, FIRST_COMPLETED)
        yield from (future.result() for future in done)


def make_all(asked: argparse.Namespace) -> list[Made]:
    """Makes and reports the build, and if it is good the rest. An exception ends what runs."""
    commands = Commands()
    pool = ThreadPoolExecutor(CORES)
    made: list[Future[Made]] = []

    def begin(command: list[str], target: str, counts: bool) -> Future[Made]:
        made.append(pool.submit(make, commands, command, target, counts))
        return made[-1]

    jobs = [] if "-j" in os.environ.get("MAKEFLAGS", "") else [f"-j{CORES}"]
    try:
        [built] = completed([begin([*asked.make, *jobs], asked.build, False)])
        report(built)
        if built.good:
            rest = [begin(asked.make, name, name in asked.test) for name in [*asked.check, *asked.test]]
            for each in completed(rest):
                report(each)
    finally:
        commands.stop(signal.SIGTERM)
        wait(made, GRACE)
        commands.stop(signal.SIGKILL)
        pool.shutdown()
    return [each.result() for each in made]


def interrupted(number: int, frame: object) -> NoReturn:
    for each in INTERRUPTS:  # a second Ctrl-C must not interrupt what ends the suites
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(f"stopped by {signal.Signals(number).name}")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("make", type=shlex.split)
    parser.add_argument("--build", required=True)
    parser.add_argument("--check", nargs="*", default=[])
    parser.add_argument("--test", nargs="+", required=True)
    asked = parser.parse_args()
    for number in INTERRUPTS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as of nohup
            signal.signal(number, interrupted)
    LOGS.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    done = make_all(asked)
    failed = ", ".join(each.target for each in done if not each.good)
    print(f"\n{f'failed: {failed}; ' if failed else ''}{time.monotonic() - began:.0f} s in all, logs in {LOGS}/")
    print(sum((each.tests for each in done), Tally()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
