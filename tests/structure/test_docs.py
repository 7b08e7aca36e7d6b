"""The documentation names files, functions and pages that exist, in plain English and in lines that fit."""

import re
from pathlib import Path

import pytest
from tree import PUBLIC, ROOT, relative

INTERNALS = ROOT / "docs/internals"
INDEX = INTERNALS / "README.md"
PAGES = sorted(path for path in INTERNALS.glob("*.md") if path != INDEX)
ALL = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md"), *ROOT.glob("tests/**/*.md")])
# Words that CONTRIBUTING.md bans: quaint, or with a second meaning.
BANNED = re.compile(
    r"\b(?:tells?|told|whoever|whom|anew|parted|lent|beside|as ever|(?:is|are) none|given out|hand(?:s|ed) out"
    r"|what stands|taken for|goes on|(?:the|an|no|its|each) answers?|house|floors?)\b"
)
QUESTIONS = ["409", "field", "Retry-After", "Ctrl-C", "Python object"]


def ids(path: Path) -> str:
    return relative(path)


def without_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def locations(page: Path) -> dict[str, str]:
    """The files under "Source locations", each with what is said of it."""
    section = page.read_text().split("\n## ")[1]
    entries = re.findall(r"^- `([^`]+)`:? ?(.*(?:\n  .*)*)", section, re.MULTILINE)
    assert entries, f"{relative(page)} lists no source locations"
    return dict(entries)


def functions(text: str) -> set[str]:
    """Names in backticks: `name()`, `Class.name()`, `privy_name`, `CONSTANT`."""
    spans = re.findall(r"`([^`\n]+)`", text)
    called = {match[1] for span in spans if (match := re.fullmatch(r"(?:\w+[.#])*(\w+)\(\)", span))}
    return called | {span for span in spans if re.fullmatch(r"(?:privy|bulk)_\w+|PRIVY_[A-Z_]+", span)}


def names(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", without_blocks(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_a_page_starts_with_source_locations(page: Path) -> None:
    headings = re.findall(r"^#+ .+$", page.read_text(), re.MULTILINE)
    assert headings[0].startswith("# ")
    assert headings[1] == "## Source locations", f"{relative(page)} must begin with its source locations"


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_source_locations_exist(page: Path) -> None:
    for name, words in locations(page).items():
        assert (ROOT / name).is_file(), f"{relative(page)} lists {name}, which does not exist"
        text = (ROOT / name).read_text()
        for function in functions(words):
            assert names(text, function), f"{relative(page)}: {name} does not contain {function}: correct the page"


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_functions_are_in_the_files_that_a_page_lists(page: Path) -> None:
    listed = [ROOT / name for name in [*locations(page), *(f"csrc/{header}" for header in PUBLIC)]]
    sources = [path.read_text() for path in listed if path.is_file()]
    for function in functions(without_blocks(page.read_text())):
        assert any(names(text, function) for text in sources), (
            f"{relative(page)} names {function}, which no file under its source locations contains: correct the page"
        )


@pytest.mark.parametrize("page", ALL, ids=ids)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?![a-z]+:)([^)#\s]*)(?:#([^)\s]+))?\)", without_blocks(page.read_text())):
        file = (page.parent / target) if target else page
        assert file.exists(), f"{relative(page)} links to {target}, which does not exist"
        if anchor:
            assert anchor in anchors(file), f"{relative(page)} links to {target}#{anchor}: there is no such heading"


@pytest.mark.parametrize("page", ALL, ids=ids)
def test_a_page_is_in_plain_english(page: Path) -> None:
    if page.name == "RESULTS.md":  # `make bench` writes it
        return
    text = without_blocks(page.read_text())
    table = r"^\| not \| but \|\n(?:\|.*\n)+"  # the banned words themselves
    for number, line in enumerate(
        re.sub(table, lambda rows: "\n" * rows[0].count("\n"), text, flags=re.MULTILINE).split("\n")
    ):
        found = BANNED.search(line)
        assert not found, f"{relative(page)}, line {number + 1} or later: {found and found[0]}"


def long_lines(text: str) -> list[str]:
    """Lines of more than 120 columns; not rows of tables and lines of code blocks, which cannot be wrapped."""
    return [line for line in without_blocks(text).split("\n") if len(line) > 120 and not line.lstrip().startswith("|")]


@pytest.mark.parametrize("page", ALL, ids=ids)
def test_a_line_has_120_columns_at_most(page: Path) -> None:
    if page.name == "RESULTS.md":  # `make bench` writes it
        return
    assert not long_lines(page.read_text())


def test_the_index_lists_every_page() -> None:
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", INDEX.read_text()))
    assert linked == {page.name for page in PAGES}


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_index_answers_a_question_in_one_hop(question: str) -> None:
    section = INDEX.read_text().split("## Questions")[1]
    rows = [row for row in section.splitlines() if question in row.split("|")[1 if "|" in row else 0]]
    assert any(re.search(r"\]\([\w./-]+\.md#[\w-]+\)", row) for row in rows), f"no link answers: {question}"


def test_the_checks_see_what_is_wrong(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A\n\n## Source locations\n- `csrc/a.c`: `one()`,\n  `privy_two()`\n\n## B c: `d`\nbody\n")
    assert locations(page) == {"csrc/a.c": "`one()`,\n  `privy_two()`"}
    assert functions(locations(page)["csrc/a.c"]) == {"one", "privy_two"}
    assert functions("`Driver._await()` `privy_call` `PRIVY_WATCH` `fork` `max_wait`") == {
        "_await",
        "privy_call",
        "PRIVY_WATCH",
    }
    long = "x" * 121
    assert long_lines(f"{long[1:]}\n| {long} |\n```\n{long}\n```\n- {long}\n") == [f"- {long}"]
    assert anchors(page) == {"a", "source-locations", "b-c-d"}
    assert names("x privy_two(", "privy_two")
    assert not names("privy_two_more(", "privy_two")
