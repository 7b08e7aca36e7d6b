"""What the README shows, works."""

import re
from pathlib import Path

import pytest
from tree import INTERPRETERS, ROOT, run

README = (ROOT / "README.md").read_text()
PAGES = ["README.md", "docs/tuning.md", "docs/bulk-runs.md"]
OF_ONE_LANGUAGE = ["docs/python.md"]
BLOCKS = [
    (page, *block)
    for page in [*PAGES, *OF_ONE_LANGUAGE]
    for block in re.findall(r"^```(python|ruby)\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
]


def test_both_languages_are_shown() -> None:
    for page in PAGES:
        assert {language for shown, language, _ in BLOCKS if shown == page} == {"python", "ruby"}


@pytest.mark.parametrize(
    ("language", "code"),
    [block[1:] for block in BLOCKS],
    ids=[f"{n}-{page}-{language}" for n, (page, language, _) in enumerate(BLOCKS)],
)
def test_a_code_block_runs(language: str, code: str, tmp_path: Path) -> None:
    file = tmp_path / ("test_block.py" if language == "python" else "block.rb")
    file.write_text(code)
    command = [*INTERPRETERS[language], str(file)]
    if "def test_" in code and language == "python":
        command = [*INTERPRETERS[language], "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
    run(command)


def test_the_targets_it_names_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"\bmake ([a-z][a-z-]+)\b", re.sub(r"(?<!`)make (?=sure)", "", README)))
    assert {"demo", "test"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"no make {target}"


@pytest.mark.parametrize("page", [*PAGES, *OF_ONE_LANGUAGE, "docs/architecture.md", "CONTRIBUTING.md"])
def test_the_files_it_names_exist(page: str) -> None:
    text = (ROOT / page).read_text()
    folders = "bench|csrc|python|ruby|tests|examples|docs|tools"
    named = set(re.findall(rf"(?<![\w/.-])(?:{folders})/[\w./-]*[\w/]", text)) | set(
        re.findall(r"\]\(([\w./-]+)\)", text)
    )
    assert named
    for name in named:
        assert (ROOT / name).exists() or ((ROOT / page).parent / name).exists(), f"{page} names {name}"
