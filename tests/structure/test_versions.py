"""One version, said in five places."""

import re

from tree import INTERPRETERS, ROOT, run


def search(pattern: str, path: str) -> str:
    match = re.search(pattern, (ROOT / path).read_text(), re.MULTILINE)
    assert match, f"{path} reports no version"
    return match[1]


def test_the_versions_agree() -> None:
    version = search(r'^#define PRIVY_VERSION "([^"]+)"', "csrc/privy.h")
    assert search(r'^version = "([^"]+)"', "pyproject.toml") == version
    assert search(r"VERSION = [\"']([^\"']+)", "ruby/lib/privy/version.rb") == version
    assert search(r"^## (\d[^\s]*)", "CHANGELOG.md") == version


def test_the_built_packages_tell_it() -> None:
    version = search(r'^#define PRIVY_VERSION "([^"]+)"', "csrc/privy.h")
    assert run([*INTERPRETERS["python"], "-c", "import privy; print(privy.__version__)"]).strip() == version
    assert run([*INTERPRETERS["ruby"], "-e", 'require "privy"; puts Privy::VERSION']).strip() == version


def test_the_oldest_consumers_are_those_that_the_package_names() -> None:
    """`make test-consumers` runs with the least versions of the extras, on the oldest interpreters."""
    pinned = (ROOT / "tests/consumers/oldest.txt").read_text()
    extras = re.findall(r'"(pandas|pyarrow|polars)>=([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert sorted(name for name, _ in extras) == ["pandas", "polars", "pyarrow"]
    for name, least in extras:
        first = re.search(rf"^{name}==([\d.]+)", pinned, re.MULTILINE)
        assert first and f"{first[1]}.".startswith(f"{least}."), f"{name}: {least} in pyproject.toml"
