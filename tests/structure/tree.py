"""The source tree, for the tests beside this file: where things are, and how to run what was built."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = ["privy.h", "privy_imports.h", "privy_jobs.h", "privy_sandbox.h"]
"""The headers of csrc that the bindings include."""
NOT_OURS = {
    "build",
    "compile_commands.json",
    "dist",
    "pkg",
    ".git",
    "__pycache__",
    ".hypothesis",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
}
RUBY = [(ROOT / "build/ruby-path").read_text().strip(), "-W:deprecated", "-Ibuild/ruby/lib", "-Iruby/lib"]
INTERPRETERS = {"python": [sys.executable], "ruby": RUBY}
SERVERS = {
    "python": [sys.executable, "-m", "privy.sandbox", "--port", "0"],
    "ruby": [*RUBY, "ruby/exe/privy-sandbox", "--port", "0"],
}


def sources(*folders: str, endings: tuple[str, ...]) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in endings]
    assert found, f"no {endings} in {folders}: has the folder moved?"
    return sorted(found)


def all_files() -> Iterator[Path]:
    for folder, subfolders, names in os.walk(ROOT):
        subfolders[:] = sorted(set(subfolders) - NOT_OURS)
        subfolders[:] = [name for name in subfolders if not name.endswith(".egg-info")]
        for name in sorted(set(names) - NOT_OURS):  # .git is a file in a worktree
            path = Path(folder, name)
            if path.suffix not in {".so", ".gem", ".pyc"}:
                yield path


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def without_comments(text: str) -> str:
    """C without its comments; strings stay, lines keep their number."""
    pattern = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', re.DOTALL)
    return pattern.sub(lambda match: match[0] if match[0][0] in "\"'" else "\n" * match[0].count("\n"), text)


def string_literals(text: str) -> list[str]:
    code = re.sub(r"^\s*#\s*include.*$", "", without_comments(text), flags=re.MULTILINE)
    return re.findall(r'"((?:\\.|[^"\\\n])*)"', code)


def environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PRIVY_")}
    return kept | {"RUBYOPT": "", **variables}


def run(command: list[str], **options: object) -> str:
    settings = {"cwd": ROOT, "env": environment(), "timeout": 600} | options
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", **settings)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return str(done.stdout)


@contextmanager
def served(language: str) -> Iterator[dict[str, str]]:
    """Serves a fresh sandbox on loopback; gives the variables by which a client finds it."""
    process = subprocess.Popen(
        SERVERS[language], cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    watchdog = Timer(300, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        lines = process.stdout.readline() + process.stdout.readline()
        match = re.fullmatch(r"privy sandbox: (http://127\.0\.0\.1:\d+/v1)\ntoken: (privy_[0-9a-f]{40})\n", lines)
        assert match, f"the server said {lines!r}"
        watchdog.cancel()
        yield environment(PRIVY_BASE_URL=match[1], PRIVY_API_TOKEN=match[2])
    finally:
        watchdog.cancel()
        process.terminate()
        try:
            process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
    assert process.returncode == 0, f"the {language} server ended with {process.returncode} at SIGTERM"
