"""
Makes every target, also after a failure; prints a line for each, and in full what failed.

    suites.py MAKE --build TARGET --check TARGET... --test TARGET...

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
from pathlib import Path

from tally import Tally, tally

LOGS = Path("build/logs")
OF_NO_INTEREST = re.compile(r"  (cc|ar|link) .*|[.s]+( +\[ *\d+%\])?|  \S+ +\d+ passed, 0 failed.* s")
"""Lines of a failed suite that say what went well."""


def make(command: list[str], target: str, tests: bool) -> tuple[Tally, bool]:
    print(f"{target:<18}", end="", flush=True)
    began = time.monotonic()
    log = LOGS / f"{target}.log"
    with log.open("w") as output:
        done = subprocess.run([*command, target], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    text = log.read_text(errors="replace")
    found = tally(text) if tests else Tally()
    good = done.returncode == 0 and not found.failed and (found.passed > 0 or not tests)
    if not good and not found.failed:
        found += Tally(failed=1)
    told = str(found) if tests else "ok" if good else "failed"
    print(f"{told:<36}{time.monotonic() - began:5.0f} s{'' if good else '  FAILED'}", flush=True)
    if not good:
        print(f"---- {log}, without what went well")
        print("\n".join(line for line in text.splitlines() if not OF_NO_INTEREST.fullmatch(line)))
        print(f"---- end of {log}", flush=True)
    return found, good


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("make", type=shlex.split)
    parser.add_argument("--build", required=True)
    parser.add_argument("--check", nargs="*", default=[])
    parser.add_argument("--test", nargs="+", required=True)
    asked = parser.parse_args()
    LOGS.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    jobs = [] if "-j" in os.environ.get("MAKEFLAGS", "") else [f"-j{len(os.sched_getaffinity(0))}"]
    total, good = make([*asked.make, *jobs], asked.build, tests=False)
    failed = [] if good else [asked.build]
    for target in [*asked.check, *asked.test] if good else []:
        found, good = make(asked.make, target, target in asked.test)
        total += found
        failed += [] if good else [target]
    told = f"failed: {', '.join(failed)}; " if failed else ""
    print(f"\n{told}{time.monotonic() - began:.0f} s in all, logs in {LOGS}/")
    print(total)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
