"""How many tests an output says were run: pytest, cmocka, minitest, or the closing line of tools/programs.py."""

from __future__ import annotations

import re
from typing import NamedTuple


class Tally(NamedTuple):
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: tuple) -> Tally:
        return Tally(*(mine + its for mine, its in zip(self, other, strict=True)))

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


PLAIN = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.MULTILINE)
PYTEST = re.compile(r"^(?:=+ )?((?:\d+ [a-z]+, )*\d+ [a-z]+) in [\d.]+s\b", re.MULTILINE)
MINITEST = re.compile(r"^(\d+) runs, \d+ assertions, (\d+) failures, (\d+) errors, (\d+) skips$", re.MULTILINE)
CMOCKA = re.compile(r"^\[ +(PASSED|FAILED|SKIPPED) +\] (?:\S+: )?(\d+) test\(s\)", re.MULTILINE)


def _pytest(counts: str) -> Tally:
    found = {word: int(count) for count, word in (part.split() for part in counts.split(", "))}
    failed = sum(found.get(word, 0) for word in ("failed", "error", "errors"))
    return Tally(found.get("passed", 0), failed, found.get("skipped", 0))


def _minitest(runs: str, failures: str, errors: str, skips: str) -> Tally:
    failed, skipped = int(failures) + int(errors), int(skips)
    return Tally(int(runs) - failed - skipped, failed, skipped)


def _cmocka(word: str, count: str) -> Tally:
    return Tally(**{word.lower(): int(count)})


def tally(output: str) -> Tally:
    """The sum of all closing lines that begin a line of the output."""
    found = [Tally(*(int(count or 0) for count in counts)) for counts in PLAIN.findall(output)]
    found += [_pytest(counts) for counts in PYTEST.findall(output)]
    found += [_minitest(*counts) for counts in MINITEST.findall(output)]
    found += [_cmocka(*counts) for counts in CMOCKA.findall(output)]
    return sum(found, Tally())
