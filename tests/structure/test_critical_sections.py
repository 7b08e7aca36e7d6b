"""Critical sections of the Python extension are used in pairs, and no jump leaves one."""

import re
from pathlib import Path

import pytest
from tree import relative, sources, without_comments

MACRO = re.compile(r"\bCRITICAL_SECTION_(BEGIN|END)\(")
FILES = [path for path in sources("python/ext", endings=(".c",)) if MACRO.search(path.read_text())]


def test_there_are_critical_sections() -> None:
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_each_begin_has_its_end(path: Path) -> None:
    for function in re.split(r"^}$", without_comments(path.read_text()), flags=re.MULTILINE):
        marks = [match[1] for match in MACRO.finditer(function)]
        assert marks == ["BEGIN", "END"] * (len(marks) // 2)


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_no_jump_leaves_a_critical_section(path: Path) -> None:
    for section in re.findall(r"CRITICAL_SECTION_BEGIN\((.*?)CRITICAL_SECTION_END\(", path.read_text(), re.DOTALL):
        assert not re.search(r"\b(return|goto|break|continue|Py_RETURN_\w+)\b", section), section
