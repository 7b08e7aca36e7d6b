"""Functions stay small: 40 lines at most, 9 on average over the core; files have 500 lines at most."""

import re
from pathlib import Path

import pytest
from tree import relative, sources, without_comments

C_FILES = sources("csrc", "python/ext", "ruby/ext", endings=(".c",))
# clang-format puts a function's closing brace, and nothing else but that of a table or type, at the start of a line.
FUNCTION = re.compile(r"^[A-Za-z][^\n;={}]*(?:\n[^\n;={}]+)*\) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)


def function_sizes(path: Path) -> list[int]:
    """The lines of each function, its head and its closing brace included."""
    return [match[0].count("\n") + 1 for match in FUNCTION.finditer(without_comments(path.read_text()))]


@pytest.mark.parametrize("path", C_FILES, ids=relative)
def test_no_function_is_long(path: Path) -> None:
    assert max(function_sizes(path), default=0) <= 40


def test_functions_of_the_core_are_short_on_average() -> None:
    sizes = [size for path in sources("csrc", endings=(".c",)) for size in function_sizes(path)]
    assert len(sizes) > 500
    assert sum(sizes) / len(sizes) <= 9


@pytest.mark.parametrize("path", C_FILES, ids=relative)
def test_no_file_is_long(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 500
