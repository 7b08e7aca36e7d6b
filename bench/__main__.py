"""python -m bench [--only KEY] [--output FILE]: measures everything, prints the tables, writes RESULTS.md.

With --only just the groups whose key contains KEY are measured and printed, and nothing is written.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from . import figures, groups, inputs, machine, report, targets
from .measure import Measured
from .workers import INPUT, ROOT

RESULTS = Path(__file__).with_name("RESULTS.md")


def measure(chosen: str) -> dict[str, Measured]:
    found = {}
    for one in groups.every(chosen):
        found[one.group.key] = one
        print(report.group(one), end="\n\n", flush=True)
    return found


def everything(target: Path) -> None:
    began = time.monotonic()
    facts = machine.facts()
    found = measure("")
    for key, counts in figures.instructions().items():
        found[key].instructions = counts
    rows = [*targets.side_by_side(found), *targets.single_figures()]
    remark = targets.remark()
    facts.append(("took", f"{time.monotonic() - began:.0f} s"))
    target.write_text(report.document(facts, rows, remark, found.values()), encoding="utf-8")
    print(report.targets(rows), remark, f"written to {target.relative_to(ROOT)}", sep="\n\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--only", metavar="KEY")
    parser.add_argument("--output", metavar="FILE", type=Path, default=RESULTS)
    asked = parser.parse_args()
    inputs.write(INPUT)
    if asked.only is None:
        everything(asked.output.resolve())
    else:
        print(report.targets(list(targets.side_by_side(measure(asked.only)))))


main()
