"""The server of many calls, as the Python programs and tests see it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PROGRAM = Path(__file__).parents[1] / "soak/server.py"
TOKEN = "privy_" + "7" * 40


class Server:
    """Started with `arguments`; `http` and `https` are base URLs, `ca` the file to trust."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        report = json.loads(self._line())
        self.http, self.https, self.ca = report["http"], report["https"], report["ca"]
        self.ways: dict[str, int] = report["ways"]

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def contact(self, place: int, way: str = "well") -> str:
        """The id that asks for this place, to be answered in this way."""
        return contact(place, self.ways[way])

    def asked(self) -> list[list[int]]:
        """The places that were asked for over TLS, by connection, in the order in which those were made."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        report: list[list[int]] = json.loads(self._line())
        return report

    def close(self) -> None:
        self.process.communicate(timeout=120)


def contact(place: int, way: int = 0) -> str:
    return f"cus_{way:04d}{place:012d}"


@contextlib.contextmanager
def serving(*arguments: str) -> Iterator[Server]:
    server = Server(*arguments)
    try:
        yield server
    finally:
        server.close()
