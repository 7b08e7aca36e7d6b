"""Processes that do the measured work, and servers for them.

Every case is a process, in any language, that reads lines: `answer` asks for the result of the work as one line of
JSON; `run N` does it N times and reports `wall cpu` in nanoseconds, by the clocks of that process.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BUILT = ROOT / "build/bench"
INPUT = BUILT / "input"
PYTHON = str(BUILT / "venv/bin/python")
RUBY = [(ROOT / "build/ruby-path").read_text().strip(), f"-I{ROOT}/ruby/lib"]
PATIENCE = 300  # seconds that any single step may take
# Freed memory stays with the process. Else a worker that does one thing only gives it back and asks for it again each
# time, which programs with anything else on their heap do not, and which costs a third of yyjson's time for a page.
KEEP_FREED = {
    "MALLOC_TRIM_THRESHOLD_": str(1 << 28),
    "MALLOC_MMAP_THRESHOLD_": str(1 << 25),
    "MALLOC_TOP_PAD_": str(1 << 22),
}


# Servers have a core, what is measured has the others: a call costs more when both happen to share one.
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORES, WORKER_CORES = set(CORES[:1]), set(CORES[1:] or CORES)


@dataclass(frozen=True)
class Sample:
    """Time of one piece of work, in nanoseconds."""

    wall: float
    cpu: float


def environment(**more: str) -> dict[str, str]:
    """The caller's, without what would send a client elsewhere or make an interpreter do more than it must."""
    unwanted = ("PRIVY_", "PYTHON", "RUBY", "GEM_", "BUNDLE_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(unwanted) and not name.lower().endswith("_proxy")
    }
    return {**kept, "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1", **more}


def python(theme: str, *arguments: str) -> list[str]:
    """Command of a case in Python: a function of bench/python/<theme>.py."""
    return [PYTHON, "bench/python/worker.py", theme, *arguments]


def ruby(theme: str, *arguments: str) -> list[str]:
    """Command of a case in Ruby: a method of bench/ruby/<theme>.rb."""
    return [*RUBY, f"-I{built_ruby(theme)}", "bench/ruby/worker.rb", theme, *arguments]


def built_ruby(theme: str) -> Path:
    return BUILT / "probe/ruby" if theme in PROBED else ROOT / "build/ruby/lib"


def program(name: str, *arguments: str) -> list[str]:
    """Command of a case in C: a program of bench/c."""
    return [str(BUILT / "c" / name), *arguments]


# Themes that look at one half of a call: the extension with the probe next to it, else the same as what users install.
PROBED = ("decode", "encode")


class Worker:
    """A process that does one case on demand."""

    def __init__(self, command: Sequence[str]) -> None:
        probed = any(theme in command for theme in PROBED)
        more = KEEP_FREED | ({"PYTHONPATH": str(BUILT / "probe/python")} if probed else {})
        self.command = list(command)
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=environment(**more),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        os.sched_setaffinity(self.process.pid, WORKER_CORES)

    def ask(self, line: str) -> str:
        assert self.process.stdin and self.process.stdout
        print(line, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{' '.join(self.command)} ended at {line!r}, with {self.process.wait(PATIENCE)}")
        return answer

    def answer(self) -> Any:
        return json.loads(self.ask("answer"))

    def run(self, times: int) -> Sample:
        """The time of one of `times` repetitions."""
        wall, cpu = self.ask(f"run {times}").split()
        return Sample(int(wall) / times, int(cpu) / times)

    def close(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


@contextlib.contextmanager
def served(delay: float = 0.0, pages: int = 1) -> Iterator[str]:
    """A server for as long as the block runs; gives the address of its API."""
    command = [sys.executable, "-m", "bench.server", str(INPUT), "--delay", str(delay), "--pages", str(pages)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True)
    os.sched_setaffinity(process.pid, SERVER_CORES)
    try:
        assert process.stdout
        port = process.stdout.readline().strip()
        if not port:
            raise RuntimeError("the server did not start")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(PATIENCE)
        if process.stdout:
            process.stdout.close()


def last_request(api: str) -> dict[str, Any]:
    """The request that the server met last."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(api.removesuffix("/v1") + "/last", timeout=PATIENCE) as answer:
        result: dict[str, Any] = json.load(answer)
        return result


def output(command: Sequence[str], **more: str) -> str:
    """What a command prints."""
    done = subprocess.run(
        command, cwd=ROOT, env=environment(**more), capture_output=True, text=True, encoding="utf-8", timeout=PATIENCE
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout
