"""Another distribution that also installs a package named privy: with real ones, each in its own environment."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OTHER = {
    "privy/__init__.py": "from ._client import Client, omit\n",
    "privy/_client.py": "class Client: pass\nomit = object()\n",
    "privy/_types.py": "",
    "privy/_base_client.py": "",
    "privy/resources/__init__.py": "",
}
CLIENTS = """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import privy
    privy.Client("privy_" + "0" * 40)
    privy.AsyncClient("privy_" + "0" * 40)
for one in caught:
    print(one.category.__name__, one.filename, one.message)
"""


def run(*command, cwd, status=0):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600, check=False, env=environment)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """A wheel of what `make build-python` has built."""
    target = tmp_path_factory.mktemp("ours")
    run(
        *(sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(target)),
        *("build", "--build-base", str(target), "--build-lib", str(ROOT / "build/python")),
        *("bdist_wheel", "--skip-build", "--bdist-dir", str(target / "image"), "-d", str(target)),
        cwd=ROOT,
    )
    (wheel,) = target.glob("*.whl")
    return wheel


def built(target, name, files):
    """A wheel of another distribution, made offline by setuptools."""
    source = target / f"source-{name}"
    for path, text in files.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text)
    packages = sorted({str(Path(path).parent).replace("/", ".") for path in files} - {"."})
    modules = [path.removesuffix(".py") for path in files if "/" not in path]
    (source / "setup.py").write_text(
        f"from setuptools import setup\n"
        f"setup(name={name!r}, version='6.1', packages={packages!r}, py_modules={modules!r})\n"
    )
    run(sys.executable, "setup.py", "-q", "bdist_wheel", "-d", str(target), cwd=source)
    (wheel,) = target.glob(f"{name.replace('-', '_')}-*.whl")
    return wheel


class Environment:
    def __init__(self, folder):
        venv.create(folder, with_pip=False, symlinks=True)
        self.folder = folder
        self.python = folder / "bin" / "python"

    def install(self, *wheels):
        for wheel in wheels:
            options = ("-q", "--no-input", "--no-index", "--no-deps", "--force-reinstall")
            run(sys.executable, "-m", "pip", "--python", str(self.python), "install", *options, wheel, cwd=self.folder)

    def uninstall(self, name):
        run(sys.executable, "-m", "pip", "--python", str(self.python), "uninstall", "-q", "-y", name, cwd=self.folder)

    def __call__(self, *arguments, status=0):
        return run(str(self.python), *arguments, cwd=self.folder, status=status)

    def clients(self):
        return self("-c", CLIENTS).splitlines()


@pytest.fixture
def environment(tmp_path):
    return Environment(tmp_path / "environment")


def test_alone_it_says_nothing(environment, ours):
    environment.install(ours)
    assert environment.clients() == []
    environment("-W", "error", "-c", "import privy; privy.Sandbox().client()")


def test_a_distribution_installed_before_is_named_once(environment, ours, tmp_path):
    environment.install(built(tmp_path, "privy-client", OTHER), ours)
    (line,) = environment.clients()
    assert line.startswith("RuntimeWarning <string> privy-client 6.1 and privy-marketing both install a package named")
    assert "Uninstall both, then install the one" in line


def test_a_distribution_installed_afterwards_is_named_by_what_is_left_of_ours(environment, ours, tmp_path):
    environment.install(ours, built(tmp_path, "privy-client", OTHER))
    assert environment("-c", "import privy; print(hasattr(privy, 'ContactList'))") == "False\n"
    for arguments in (("-c", "from privy.sandbox import Sandbox"), ("-m", "privy.sandbox", "--port", "0")):
        said = environment(*arguments, status=1)
        assert "ImportError: privy-client 6.1 and privy-marketing both install a package named privy" in said


def test_one_that_only_had_the_same_files_is_known_by_its_name(environment, ours, tmp_path):
    environment.install(built(tmp_path, "privy", {"privy/__init__.py": ""}), ours)
    (line,) = environment.clients()
    assert "privy 6.1 and privy-marketing both install" in line


def test_one_of_another_name_is_known_by_its_files(environment, ours, tmp_path):
    environment.install(built(tmp_path, "wallets", OTHER), ours)
    (line,) = environment.clients()
    assert "wallets 6.1 and privy-marketing both install" in line


def test_a_module_named_privy_counts_too(environment, ours, tmp_path):
    environment.install(built(tmp_path, "privy", {"privy.py": ""}), ours)
    assert "privy 6.1 and privy-marketing both install" in environment.clients()[0]


def test_a_similar_name_without_such_a_package_does_not_count(environment, ours, tmp_path):
    environment.install(built(tmp_path, "privy-tools", {"privy_tools/__init__.py": ""}), ours)
    assert environment.clients() == []


def test_unrecorded_files_are_named(environment, ours):
    environment.install(ours)
    (package,) = environment.folder.glob("lib/python*/site-packages/privy")
    (package / "resources").mkdir()
    (package / "pagination.py").touch()
    (line,) = environment.clients()
    assert "holds files that are not of privy-marketing (pagination.py, resources)" in line
    assert "Uninstall both" in line


def test_the_advice_helps(environment, ours, tmp_path):
    environment.install(built(tmp_path, "privy-client", OTHER), ours)
    environment.uninstall("privy-client")
    environment("-c", "import privy; privy.Client", status=1)  # what both had installed is removed
    environment.uninstall("privy-marketing")
    environment.install(ours)
    assert environment.clients() == []
