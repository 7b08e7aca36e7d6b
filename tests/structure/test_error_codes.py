"""The codes of error details: the table of the core, the page and the locale of the Ruby gem hold the same ones."""

import re

from tree import ROOT


def rows() -> list[tuple[str, bool, str]]:
    """Code, whether its details have a count, and the rule, as the core's table has them."""
    header = (ROOT / "csrc/privy.h").read_text()
    table = re.split(r"^\s*$", header.split("#define PRIVY_DETAIL_CODES(X)")[1], maxsplit=1, flags=re.MULTILINE)[0]
    found = re.findall(r'X\(\w+, "(\w+)", (true|false),[\s\\]*"([^"]*)"\)', table)
    assert len(found) == table.count("X(")
    return [(code, counts == "true", rule) for code, counts, rule in found]


def test_codes_are_unique_words() -> None:
    codes = [code for code, _, _ in rows()]
    assert len(codes) > 30
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes)


def test_the_page_lists_every_code() -> None:
    table = (ROOT / "docs/calls.md").read_text().split("| code | rule |\n|---|---|\n")[1].split("\n\n")[0]
    shown = [line.strip("| ").split(" | ") for line in table.splitlines()]
    assert shown == [[f"`{code}`" + " (`count`)" * counts, rule] for code, counts, rule in rows()]
