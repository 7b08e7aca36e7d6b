"""tools/suites.py: a failure ends no other suite; an interrupt ends all, with the processes that they have started."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tree import ROOT, environment

# A suite that says "running" holds the pipe open as long as one of its processes runs. The one in the background
# ignores SIGTERM.
MAKEFILE = r"""
holds := exec 3>pipe; echo running >&3
build:
broken:
	false
fails:
	@echo '1 passed, 1 failed'; false
passes:
	@while ! [ -e released ]; do sleep 0.05; done; echo '2 passed, 0 failed'
leaves:
	@$(holds); sleep 600 & echo '1 passed, 0 failed'
runs-%:
	@$(holds); (trap '' TERM; sleep 600) & sleep 600; touch next
next:
	@touch next; echo '1 passed, 0 failed'
"""
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
AT_ONCE = [f"runs-{number}" for number in range(CORES)]


class Suites:
    """A run of tools/suites.py in a folder with targets of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        (folder / "Makefile").write_text(MAKEFILE)
        os.mkfifo(folder / "pipe")
        self.folder = folder
        self.pipe = os.open(folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tools/suites.py"), "make -k", *arguments],
            cwd=folder,
            env=environment(MAKEFLAGS="", MAKELEVEL=""),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read(self) -> str:
        """The next text in the pipe; empty when all processes that held it have ended."""
        assert select.select([self.pipe], [], [], 120)[0], "the processes of a suite still run"
        return os.read(self.pipe, 100).decode()

    def end(self) -> str:
        return self.process.communicate(timeout=120)[0]

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        os.close(self.pipe)


@pytest.fixture
def begun(tmp_path: Path) -> Iterator:
    # A shell starts background jobs with SIGINT ignored, and nohup ignores SIGHUP: a suite would inherit both.
    handlers = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    made: list[Suites] = []

    def begin(*arguments: str) -> Suites:
        made.append(Suites(tmp_path, *arguments))
        return made[-1]

    yield begin
    for each in made:
        each.close()
    for number, handler in before.items():
        signal.signal(number, handler)


def test_other_suites_run_to_their_end_after_a_failure(begun) -> None:
    suites = begun("--build", "build", "--test", "fails", "passes")
    assert suites.process.stdout is not None
    lines = iter(suites.process.stdout.readline, "")
    assert any(line.startswith("fails ") and line.endswith("  FAILED\n") for line in lines)
    (suites.folder / "released").touch()
    printed = suites.end()
    assert printed.splitlines()[-1] == "3 passed, 1 failed"
    assert "\nfailed: fails; " in printed
    assert suites.process.returncode == 1


def test_nothing_is_tested_after_a_failed_build(begun) -> None:
    suites = begun("--build", "broken", "--test", "next")
    assert suites.end().splitlines()[-1] == "0 passed, 1 failed"
    assert suites.process.returncode == 1
    assert not (suites.folder / "next").exists()


def test_processes_that_a_suite_leaves_end_with_it(begun) -> None:
    suites = begun("--build", "build", "--test", "leaves")
    assert suites.end().splitlines()[-1] == "1 passed, 0 failed"
    assert suites.process.returncode == 0
    assert suites.read() == "running\n"
    assert suites.read() == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
@pytest.mark.parametrize(
    "arguments",
    [["--build", "runs-0", "--test", "next"], ["--build", "build", "--test", *AT_ONCE, "next"]],
    ids=["build", "test"],
)
def test_an_interrupt_ends_all_that_runs_and_starts_nothing(begun, number: signal.Signals, arguments) -> None:
    suites = begun(*arguments)
    awaited = sum(each in AT_ONCE for each in arguments)
    while awaited > 0:
        awaited -= suites.read().count("running\n")
    suites.process.send_signal(number)
    assert suites.end().endswith(f"stopped by {number.name}\n")
    assert suites.process.returncode == 1
    assert suites.read() == ""
    assert not (suites.folder / "next").exists()
