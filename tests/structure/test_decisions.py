"""What the core decides stands in no binding: masks, secret headers, excerpts, waits, ends of bulk runs."""

import re
from pathlib import Path

import pytest
from tree import relative, sources, without_comments

BINDINGS = sources("python/privy", "python/ext", "ruby/lib", "ruby/ext", endings=(".py", ".c", ".h", ".rb"))
# What a binding would need to decide by itself, and the words by which it would show.
DECISIONS = {
    "masking": r"\*\*\*",
    "which headers are secret": r"(?i)^(?:(?:proxy-)?authorization|(?:set-)?cookie|x-privy-integration-token)$",
    "Retry-After": r"(?i)^retry-after$",
    "rate limit headers": r"(?i)^x-ratelimit",
    "HTTP dates": r"%a, %d %b %Y",
}
# Numbers that only the core knows: an hour's wait of a bulk run, its look-ahead, the beginning of a body, the default
# waits of a client.
NUMBERS = {"3600", "3600.0", "3_600", "1_000", "2048", "2_048", "90", "90.0"}
NUMBER = re.compile(r"(?<![\w.])\d[\d_]*(?:\.\d+)?(?![\w.])")


TEXT = re.compile(r'"((?:\\.|[^"\\\n])*)"|\'((?:\\.|[^\'\\\n])*)\'')


def without_remarks(path: Path) -> str:
    """The file without comments and documentation."""
    text = path.read_text()
    if path.suffix in {".c", ".h"}:
        return without_comments(text)
    if path.suffix == ".py":
        text = re.sub(r'""".*?"""', "", text, flags=re.DOTALL)
    return re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("path", BINDINGS, ids=relative)
def test_a_binding_decides_nothing(path: Path) -> None:
    for found in TEXT.findall(without_remarks(path)):
        literal = "".join(found)
        for decision, pattern in DECISIONS.items():
            assert not re.search(pattern, literal), f"{decision} is decided in the core, yet {literal!r} stands here"


def code_of(path: Path) -> str:
    """The file without comments, documentation and texts."""
    return TEXT.sub('""', without_remarks(path))


@pytest.mark.parametrize("path", BINDINGS, ids=relative)
def test_the_numbers_of_policies_stand_in_the_core(path: Path) -> None:
    found = set(NUMBER.findall(code_of(path))) & NUMBERS
    assert not found, f"{relative(path)} knows {sorted(found)}"


BULK = [path for path in BINDINGS if "bulk" in path.name]


def test_there_are_bulk_runs() -> None:
    assert {path.suffix for path in BULK} == {".py", ".c", ".h", ".rb"}


@pytest.mark.parametrize("path", BULK, ids=relative)
def test_the_core_forecasts_and_ends_bulk_runs(path: Path) -> None:
    code = code_of(path)
    for word in ("ceil", "fdiv", "rate_limits", "rate_limit.minute", "monotonic", "resets_at", "retry_after"):
        assert word not in code, f"{relative(path)} computes with {word}"
