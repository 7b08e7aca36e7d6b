"""`import privy` is cheap."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig

import pytest

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
        timeout=120,
        check=True,
    ).stdout


def test_nothing_heavy_is_imported():
    script = "before = set(sys.modules)\nimport privy\nprint(*sorted(set(sys.modules) - before))"
    new = {name.partition(".")[0] for name in run(script).split()}
    assert "privy" in new
    assert new.isdisjoint(HEAVY), sorted(new)


def test_values_import_what_they_need_when_they_are_made():
    script = """
import privy
privy._core._load("Order", b'{"total_amount":null,"source":"api"}')
print("decimal" in sys.modules, "datetime" in sys.modules)
privy._core._load("Order", b'{"total_amount":"1.50","placed_at":"2026-05-12T10:00:00Z"}')
print("decimal" in sys.modules, "datetime" in sys.modules)
"""
    assert run(script).split() == ["False", "False", "True", "True"]


def test_the_sandbox_is_found_without_importing_it():
    assert run("import privy\nprint(callable(privy.sandbox.app), privy.Sandbox.__name__)").split() == [
        "True",
        "Sandbox",
    ]


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has a GIL anyway")
@pytest.mark.skipif("PYTHON_GIL" in os.environ, reason="the environment decides")
def test_a_free_threaded_python_stays_without_a_gil():
    script = """
import sys, warnings
warnings.simplefilter("error")
import privy._core
print(sys._is_gil_enabled())
"""
    assert run(script).split() == ["False"]
