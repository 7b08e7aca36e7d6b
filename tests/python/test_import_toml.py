"""Maps in TOML: the core reads what Python's tomllib reads, and refuses what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import privy
import pytest
from privy import _core

tomllib = pytest.importorskip("tomllib")
EXAMPLES = Path(__file__).parents[2] / "examples"

VALID = [
    "",
    "# a comment\n\n",
    'a = "b" # c\n"d e" = 1\n\'f\' = true',
    "a.b.c = 1\na.b.d = 2\na.e = 'x'\n",
    "[a.b]\nc = 1\n[a]\nd = 2\n[a.b.e]\nf = 3\n",
    "[[skip]]\na = 1\n[[skip]]\na = 2\n[skip.sub]\nb = 3\n",
    "x = [1, 2,\n  # three\n  3, ]\ny = []\nz = [[1], ['a', \"b\"]]\n",
    "x = {a = 1, b.c = 'd', e = {f = []}}\ny = {}\n",
    "i = 1_000\nj = +5\nk = -0\nf = 1.5e3\ng = -0.25\nh = 6.0E-2\nt = false\n",
    r's = "\t\"\\ \u00e9\U0001F600"' + "\nl = 'C:\\x'\n",
    "m = \"\"\"\nline\nnext \\\n   joined\"\"\"\nn = '''\nraw\\n'''\n",
    "\r\na = 1\r\n[b]\r\nc = 2\r\n",
    '"" = 1\n"a.b" = 2\n',
    "[a]\n[a.b.c]\nd = 1\n[a.b]\ne = 2\n",
]
INVALID = [
    "a",
    "a =",
    "a = \n",
    "a = b",
    "= 1",
    "a = 1 b = 2",
    "a = 1\na = 2",
    "a = 1\na.b = 2",
    "[a]\n[a]",
    "[a\nb = 1",
    "[[a]\nb = 1",
    "a = {b = 1}\n[a.c]\nd = 2",
    "a = {b = 1}\na.c = 2",
    "a = [1\n",
    "a = [1 2]",
    "a = {b = 1",
    'a = "b',
    "a = 'b\n'",
    r'a = "\x"',
    r'a = "\u12"',
    r'a = "\ud800"',
    "a = 01",
    "a = 1.",
    "a b = 1",
    "[a]\nb = 1\n[[a]]\n",
    "a = " + "[" * 100,
]


@pytest.mark.parametrize("text", VALID)
def test_valid_texts_have_the_same_values(text: str) -> None:
    assert json.loads(_core.import_toml(text.encode())) == tomllib.loads(text.replace("\r\n", "\n"))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.name)
def test_the_maps_of_the_examples_have_the_same_values(path: Path) -> None:
    assert json.loads(_core.import_toml(path.read_bytes())) == tomllib.loads(path.read_text())


@pytest.mark.parametrize("text", INVALID)
def test_invalid_texts_are_refused(text: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads(text)
    with pytest.raises(privy.ValidationError, match=r"line \d+ of the TOML: \w"):
        _core.import_toml(text.encode())


def test_the_line_is_named() -> None:
    for text, line in (("a = 1\nb = x\nc = 2", 2), ("\n\n[a\n", 3), ('a = 1\nb = "x\n', 2), ("a = 1\na = 2", 2)):
        with pytest.raises(privy.ValidationError, match=f"line {line} of the TOML"):
            _core.import_toml(text.encode())


def test_times_are_texts() -> None:
    assert json.loads(_core.import_toml(b"a = 2026-01-02\nb = 2026-01-02T10:00:00Z")) == {
        "a": "2026-01-02",
        "b": "2026-01-02T10:00:00Z",
    }


def test_a_mark_and_bytes_that_are_not_utf_8() -> None:
    assert json.loads(_core.import_toml(b"\xef\xbb\xbfa = 1")) == {"a": 1}
    with pytest.raises(privy.ValidationError, match="not UTF-8"):
        _core.import_toml(b"a = '\xff'")


def test_memory_runs_out() -> None:
    text = VALID[4].encode() + EXAMPLES.joinpath("invoices.toml").read_bytes()
    for nth in range(1, 500):
        _core._fail_allocation(nth)
        try:
            read = _core.import_toml(text)
        except MemoryError:
            continue
        finally:
            failed = _core._allocation_failed()
            _core._fail_allocation(0)
        assert json.loads(read)["a"]["b"]["c"] == 1
        if not failed:
            return
    pytest.fail("no end")
