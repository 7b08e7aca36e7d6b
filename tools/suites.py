"""
Makes targets, as many at a time as there are cores, also after a failure; prints a line for each, and in full what
failed.

    suites.py MAKE --build TARGET [--check TARGET...] --test TARGET...

The outputs are in build/logs/. A check has no tests to count; one that fails counts as one that failed, and so does a
suite that fails otherwise than by a test. When the build fails nothing else is made. The last line is
"N passed, N failed", of all tests that were run.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

from tally import Tally, tally

LOGS = Path("build/logs")
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
PASSED = re.compile(r"  (cc|ar|link) .*|[.s]+( +\[ *\d+%\])?|  \S+ +\d+ passed, 0 failed.* s")
"""Lines of a failed suite that report no failure."""


class Made(NamedTuple):
    target: str
    tests: Tally
    counts: bool
    """Whether the target has tests to count."""
    good: bool
    seconds: float
    log: Path


def make(command: list[str], target: str, counts: bool) -> Made:
    began = time.monotonic()
    log = LOGS / f"{target}.log"
    with log.open("w") as output:
        done = subprocess.run([*command, target], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    found = tally(log.read_text(errors="replace")) if counts else Tally()
    good = done.returncode == 0 and not found.failed and (found.passed + found.skipped > 0 or not counts)
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


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("make", type=shlex.split)
    parser.add_argument("--build", required=True)
    parser.add_argument("--check", nargs="*", default=[])
    parser.add_argument("--test", nargs="+", required=True)
    asked = parser.parse_args()
    LOGS.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    jobs = [] if "-j" in os.environ.get("MAKEFLAGS", "") else [f"-j{CORES}"]
    done = [make([*asked.make, *jobs], asked.build, counts=False)]
    report(done[0])
    if done[0].good:
        with ThreadPoolExecutor(CORES) as pool:
            made = [pool.submit(make, asked.make, name, name in asked.test) for name in [*asked.check, *asked.test]]
            for future in as_completed(made):
                done.append(future.result())
                report(done[-1])
    failed = ", ".join(each.target for each in done if not each.good)
    print(f"\n{f'failed: {failed}; ' if failed else ''}{time.monotonic() - began:.0f} s in all, logs in {LOGS}/")
    print(sum((each.tests for each in done), Tally()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
