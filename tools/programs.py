"""
Runs test programs, several at a time, also after a failure; prints a line for each, and in full what a failed one said.

    programs.py SUITE [--prefix COMMAND] [--jobs N] PROGRAM...

The outputs are in build/logs/SUITE/. The last line is "N passed, N failed", of tests. A program also fails when it runs
no test, and when it takes longer than PRIVY_PROGRAM_TIMEOUT seconds (1800): one that hangs must not stall the machine.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tally import Tally, tally

LIMIT = float(os.environ.get("PRIVY_PROGRAM_TIMEOUT", "1800"))


class Run(NamedTuple):
    name: str
    tests: Tally
    seconds: float
    why: str
    """Why it failed; empty when it did not."""
    log: Path


def run(command: list[str], log: Path) -> Run:
    began = time.monotonic()
    with log.open("w") as output:
        bound = ["timeout", "--foreground", "--kill-after=10", str(LIMIT)]
        done = subprocess.run(bound + command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    tests = tally(log.read_text(errors="replace"))
    why = (
        f"exit status {done.returncode}" if done.returncode else "" if tests.passed or tests.skipped else "ran no test"
    )
    if why and not tests.failed:
        tests += Tally(failed=1)
    return Run(log.stem, tests, time.monotonic() - began, why, log)


def show(done: Run) -> None:
    print(f"  {done.name:<28} {done.tests!s:<34} {done.seconds:6.1f} s{'  ' if done.why else ''}{done.why}")
    if done.why:
        print(textwrap.indent(done.log.read_text(errors="replace"), "    "), end="")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("suite")
    parser.add_argument("--prefix", default="")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("programs", nargs="+")
    asked = parser.parse_args()
    folder = Path("build/logs", asked.suite)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    total, failed = Tally(), []
    pool = ThreadPoolExecutor(asked.jobs)
    try:
        prefix = shlex.split(asked.prefix)
        for done in pool.map(lambda name: run([*prefix, name], folder / f"{Path(name).stem}.log"), asked.programs):
            show(done)
            total += done.tests
            failed += [done.name] if done.why else []
    finally:
        pool.shutdown(cancel_futures=True)
    if failed:
        print(f"failed: {', '.join(failed)}")
    print(total)
    return 1 if failed or total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
