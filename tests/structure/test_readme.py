"""What the README shows, works."""

import json
import re
from pathlib import Path

import pytest
from tree import INTERPRETERS, ROOT, environment, run

PAGES = ["README.md", "docs/calls.md", "docs/sandbox.md", "docs/tuning.md", "docs/bulk-runs.md"]
OF_ONE_LANGUAGE = [
    "docs/apps.md",
    "docs/python.md",
    "docs/frames.md",
    "docs/testing.md",
    "docs/rails.md",
    "docs/plan.md",
]
# An installed package has an entry point for the plugin; here the package is only a folder in the path.
PLUGIN = ["-p", "privy._pytest"]
BLOCKS = [
    (page, *block)
    for page in [*PAGES, *OF_ONE_LANGUAGE]
    for block in re.findall(r"^```(python|ruby)\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    if "< ApplicationJob" not in block[1]  # tests/rails runs it in an application
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
        command = [*INTERPRETERS[language], "-m", "pytest", "-q", "-p", "no:cacheprovider", *PLUGIN, str(file)]
    run(command)


def test_the_number_of_faults_is_current() -> None:
    rows = json.loads((ROOT / "tests/faults/faults.json").read_text())["faults"]
    assert f"for {len(rows)} faults" in " ".join((ROOT / "README.md").read_text().split())


def test_the_readme_lists_every_extra() -> None:
    section = (ROOT / "pyproject.toml").read_text().split("[project.optional-dependencies]\n")[1].split("\n\n")[0]
    extras = {line.split(" = ")[0]: set(re.findall(r'"([\w-]+)', line)) for line in section.splitlines()}
    del extras["dev"]
    table = (ROOT / "README.md").read_text().split("| extra | installs | for |\n|---|---|---|\n")[1].split("\n\n")[0]
    listed = {row.split("|")[1].strip(" `"): row.split("|")[2].lower() for row in table.splitlines()}
    assert listed.keys() == extras.keys()
    for name, packages in extras.items():
        for package in packages:
            assert package.partition("-")[0] in listed[name], f"the README does not say that {name} installs {package}"


def targets() -> set[str]:
    """The targets of the Makefile, those that a macro defines included."""
    database = run(["bash", "-c", "make -npq help || true"], env=environment(PRIVY_SETUP_DONE="1", MAKEFLAGS=""))
    return set(re.findall(r"^([a-z][\w.-]+):", database, re.MULTILINE))


def named_targets(page: str) -> set[str]:
    text = (ROOT / page).read_text()
    return set(re.findall(r"(?:^\$ |`)make (?:V=1 )?([a-z][a-z-]+)(?=[`\s])", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("page", "shown"), [("README.md", {"demo", "test", "check"}), ("CONTRIBUTING.md", {"setup", "check", "test-deep"})]
)
def test_the_targets_it_names_exist(page: str, shown: set[str]) -> None:
    assert shown <= named_targets(page)
    assert named_targets(page) <= targets()


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
