"""The package as users get it: built, installed into an empty environment, used away from the source tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys, privy
from decimal import Decimal
assert not privy.__file__.startswith(sys.argv[1]), privy.__file__
client = privy.Sandbox().client()
jane = client.contacts.create(email="jane@example.com", tags=["a"])
assert client.contacts.get(jane.id) == jane
order = client.orders.upsert(order_id=1, email="jane@example.com", total=Decimal("95.00"), currency="USD",
                             order_date="2026-05-12T10:00:00Z")
assert order.created and order.total_amount == Decimal("95.00")
print(privy.__version__)
"""


def run(*command, cwd, **more):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=900, check=False, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def copy_of_the_source(target):
    """The files that a clean checkout has, so that a build leaves nothing behind here."""
    ignored = {".git", "build", "__pycache__", ".venv"}
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in ignored and not name.endswith(".egg-info")]
        if Path(folder) == ROOT:
            folders[:] = [name for name in folders if name in ("csrc", "python")]
            names = [name for name in names if name in FILES]
        for name in names:
            if not name.endswith((".so", ".o", ".pyc")):
                copy = target / Path(folder).relative_to(ROOT) / name
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes((Path(folder) / name).read_bytes())
    return target


FILES = ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return copy_of_the_source(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def sdist(source, tmp_path_factory):
    target = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "setup.py", "-q", "sdist", "-d", str(target), cwd=source)
    (archive,) = target.glob("*.tar.gz")
    return archive


@pytest.fixture
def empty(tmp_path):
    """Python of an environment that holds pip and nothing else."""
    venv.create(tmp_path / "venv", with_pip=True, symlinks=True)
    return tmp_path / "venv" / "bin" / "python"


def test_the_sdist_carries_every_source(source, sdist):
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    needed = set()
    for pattern in (
        "csrc/**/*.[ch]",
        "csrc/**/*.def",
        "python/ext/*.[ch]",
        "python/privy/**/*.py",
        "python/privy/*.pyi",
    ):
        needed |= {str(path.relative_to(source)) for path in source.glob(pattern)}
    needed |= {"python/privy/py.typed", "setup.py", "pyproject.toml"}
    needed |= {name for name in ("README.md", "LICENSE", "CHANGELOG.md") if (source / name).exists()}
    assert len(needed) > 40
    assert needed <= held, sorted(needed - held)


def test_install_from_the_sdist(sdist, empty, tmp_path):
    run(empty, "-m", "pip", "install", "-q", "--no-input", str(sdist), cwd=tmp_path)
    assert run(empty, "-c", SCRIPT, str(ROOT), cwd=tmp_path).strip() == version()
    shown = run(empty, "-m", "pip", "show", "-f", "privy-marketing", cwd=tmp_path)
    assert "privy/py.typed" in shown
    assert "privy/_core.pyi" in shown
    served(empty, tmp_path)


def served(python, where):
    command = [python, "-m", "privy.sandbox", "--port", "0"]
    with subprocess.Popen(command, cwd=where, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith("privy sandbox: http://127.0.0.1:")
        process.terminate()
        assert process.wait(120) == 0


def test_install_from_the_source(source, empty, tmp_path):
    run(empty, "-m", "pip", "install", "-q", "--no-input", ".", cwd=source)
    assert run(empty, "-c", SCRIPT, str(ROOT), cwd=tmp_path).strip() == version()


def wheel_of(source, target, **environment):
    shutil.rmtree(source / "build", ignore_errors=True)  # what another build has left would come along
    command = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-input", "-w", str(target), ".")
    run(*command, cwd=source, env={**os.environ, **environment})
    (wheel,) = target.glob("*.whl")
    return wheel


def test_the_wheel_is_for_one_python_and_holds_no_sources(source, tmp_path):
    wheel = wheel_of(source, tmp_path)
    version = f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert f"-{version}-{version}-" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (extension,) = [name for name in names if name.endswith(".so")]
        assert b".debug_info" not in archive.read(extension)
    assert not [name for name in names if name.endswith((".c", ".h", ".def"))]


def test_a_wheel_for_every_newer_python_can_be_had(source, tmp_path):
    wheel = wheel_of(source, tmp_path, PRIVY_LIMITED_API="1")
    assert "-cp310-abi3-" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        (extension,) = [name for name in archive.namelist() if name.endswith(".so")]
        assert extension.endswith(".abi3.so")
        archive.extractall(tmp_path / "unpacked")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "unpacked")}
    used = run(sys.executable, "-c", "from privy import _core; print(_core.__file__)", cwd=tmp_path, env=environment)
    assert used.strip() == str(tmp_path / "unpacked" / extension)
    suites = [str(ROOT / f"tests/python/test_{name}.py") for name in ("records", "values", "lists", "vectors")]
    run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *suites, cwd=tmp_path, env=environment)


def test_a_machine_without_libcurl_is_told(source, tmp_path):
    environment = {**os.environ, "PKG_CONFIG": "no-such-pkg-config", "CURL_CONFIG": "no-such-curl-config"}
    done = subprocess.run(
        [sys.executable, "setup.py", "build_ext", "--build-lib", str(tmp_path), "--build-temp", str(tmp_path)],
        cwd=source,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment,
    )
    assert done.returncode != 0
    assert "needs libcurl with its headers" in done.stderr
    assert "Traceback" not in done.stderr


def version():
    import privy

    return privy.__version__
