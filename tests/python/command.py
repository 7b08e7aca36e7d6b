"""Runs the command `privy` as a user does: in another process, against a sandbox that a third one serves."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PRIVY = [sys.executable, "-m", "privy"]


@dataclass
class Done:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Server:
    """A served sandbox."""

    url: str
    token: str
    process: subprocess.Popen[str] = field(repr=False)

    @property
    def env(self) -> dict[str, str]:
        return {"PRIVY_BASE_URL": self.url, "PRIVY_API_TOKEN": self.token}


def environment(**variables: str) -> dict[str, str]:
    """This environment without settings of privy and of a terminal."""
    left_out = ("PRIVY_", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {**kept, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **variables}


def privy(*arguments: str, env: dict[str, str] | None = None, input: str | bytes = "", cwd: Path | None = None) -> Done:
    """Runs the command to its end."""
    content = input.encode() if isinstance(input, str) else input
    done = subprocess.run(
        [*PRIVY, *arguments], input=content, capture_output=True, env=environment(**(env or {})), cwd=cwd, timeout=300
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


@contextlib.contextmanager
def serving(*options: str) -> Iterator[Server]:
    """Serves a sandbox with the options of `privy sandbox`."""
    command = [*PRIVY, "sandbox", "--port", "0", *options]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = process.stdout.readline() + process.stdout.readline()
        match = re.fullmatch(r"privy sandbox: (http://127\.0\.0\.1:\d+/v1)\ntoken: (privy_[0-9a-f]{40})\n", lines)
        assert match, lines
        try:
            yield Server(match[1], match[2], process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


class Terminal:
    """A command on a terminal of 80 columns."""

    def __init__(self, *arguments: str, env: dict[str, str] | None = None, columns: int = 80) -> None:
        import fcntl
        import struct
        import termios

        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        variables = environment(**(env or {}))
        self.process = subprocess.Popen(
            [*PRIVY, *arguments], stdin=slave, stdout=slave, stderr=slave, env=variables, start_new_session=True
        )
        os.close(slave)
        self.text = ""

    def read_until(self, pattern: str, seconds: float = 60.0) -> str:
        """Reads until the text matches."""
        ends = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            assert time.monotonic() < ends, f"{pattern!r} is not in {self.text!r}"
            if not self._read():
                break
        assert re.search(pattern, self.text), f"{pattern!r} is not in {self.text!r}"
        return self.text

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], 0.2)
        if not ready:
            return self.process.poll() is None
        try:
            chunk = os.read(self._master, 65536)
        except OSError:  # the other side is closed
            return False
        self.text += chunk.decode("utf-8", "replace")
        return bool(chunk)

    def write(self, text: str) -> None:
        os.write(self._master, text.encode())

    def end(self) -> tuple[int, str]:
        """Reads the rest. Returns the exit code and all text."""
        while self._read():
            pass
        code = self.process.wait(60)
        os.close(self._master)
        return code, self.text
