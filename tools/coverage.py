#!/usr/bin/env python3
"""Prints which lines of the core the C tests have run: tools/coverage.py BUILD [--least PERCENT] PATH…

BUILD holds the objects of the coverage build, PATHs are the files and folders of csrc to report. Fails when fewer than
PERCENT of their lines have run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path


def lines_of(data: Path) -> dict[str, dict[int, int]]:
    """How often each line of the files of one object has run."""
    reported = subprocess.run(["gcov", "--json-format", "--stdout", str(data)], capture_output=True, check=True)
    found: dict[str, dict[int, int]] = {}
    for text in reported.stdout.decode().splitlines():
        for file in json.loads(text)["files"]:
            lines = found.setdefault(file["file"], {})
            for line in file["lines"]:
                number = line["line_number"]
                lines[number] = lines.get(number, 0) + line["count"]
    return found


def ranges(numbers: list[int]) -> str:
    """Line numbers, neighbours joined: 3, 7-9."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=Path)
    parser.add_argument("--least", type=float, default=0.0)
    parser.add_argument("paths", nargs="+", type=Path)
    options = parser.parse_args()
    found: dict[str, dict[int, int]] = {}
    for path in options.paths:
        place = options.build / path
        objects = [place.with_suffix(".gcda")] if path.suffix else sorted(place.glob("*.gcda"))
        for data in objects:
            for name, lines in lines_of(data).items():
                if name.endswith(".c") and name.startswith("csrc/"):
                    found[name] = lines
    run = total = 0
    for name, lines in sorted(found.items()):
        missed = sorted(number for number, count in lines.items() if count == 0)
        run, total = run + len(lines) - len(missed), total + len(lines)
        rest = f"  not run: {ranges(missed)}" if missed else ""
        print(f"{100 * (1 - len(missed) / len(lines)):6.1f} %  {len(lines):4} lines  {name}{rest}")
    print(f"{100 * run / total:6.1f} %  {total:4} lines  in all")
    return 0 if 100 * run / total >= options.least else 1


if __name__ == "__main__":
    sys.exit(main())
