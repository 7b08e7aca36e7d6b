"""A short soak test: it runs, and it detects what it must detect."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parents[1] / "soak/soak.py"
SHORT = ("--asked", "10", "--calls", "600", "--every", "200")


def soak(*arguments):
    return subprocess.run([sys.executable, PROGRAM, *SHORT, *arguments], capture_output=True, text=True, timeout=600)


def test_a_short_soak_holds():
    done = soak()
    assert done.returncode == 0, done.stdout + done.stderr
    words = [line.split() for line in done.stdout.splitlines()]
    assert ["stall", "30"] in words and ["half_close", "90"] in words
    assert [row[0] for row in words if len(row) == 3 and row[0].isdigit()] == ["0", "200", "400", "600"]
    assert done.stdout.count("holds ") == 3


def test_a_response_to_another_request_is_noticed():
    done = soak("--mix-up", "50")
    assert done.returncode == 1
    assert "BROKEN wrong answers" in done.stdout
    assert "the answer to another question" in done.stdout
