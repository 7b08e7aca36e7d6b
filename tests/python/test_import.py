"""`import privy` is cheap, and the extension keeps to the limited API."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from privy import _core

HEAVY = [
    "typing",
    "datetime",
    "decimal",
    "_decimal",
    "_datetime",
    "json",
    "http",
    "logging",
    "socket",
    "ssl",
    "asyncio",
]
HEAVY += ["dataclasses", "inspect", "collections", "enum", "re", "warnings", "threading", "urllib", "subprocess"]


def run(script):
    return subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{script}"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout


def test_nothing_heavy_is_imported():
    script = "before = set(sys.modules)\nimport privy\nprint(*sorted(set(sys.modules) - before))"
    new = {name.partition(".")[0] for name in run(script).split()}
    assert "privy" in new
    assert new.isdisjoint(HEAVY), sorted(new)


def test_values_import_what_they_need_when_they_are_read():
    script = """
import privy
record = privy._core._load("Order", b'{"total_amount":"1.50","placed_at":"2026-05-12T10:00:00Z"}')
print("decimal" in sys.modules, "datetime" in sys.modules)
record.total_amount, record.placed_at
print("decimal" in sys.modules, "datetime" in sys.modules)
"""
    assert run(script).split() == ["False", "False", "True", "True"]


def test_the_sandbox_is_found_without_importing_it():
    assert run("import privy\nprint(callable(privy.sandbox.app), privy.Sandbox.__name__)").split() == [
        "True",
        "Sandbox",
    ]


def test_the_extension_keeps_to_the_limited_api():
    """A free-threaded Python has none, and is given its GIL back by a module that does not do without."""
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    assert (".abi3." in Path(_core.__file__).name) is not free_threaded
    if free_threaded and "PYTHON_GIL" not in os.environ:
        assert sys._is_gil_enabled()
