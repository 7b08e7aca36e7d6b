"""The package as users get it: built, installed into an empty environment, used outside the source tree."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
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
    """The files of a clean checkout, so that a build creates no files here."""
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


SUITE = """
import privy
import pytest

def test_the_plugin_is_there(privy_sandbox, privy_client):
    privy.Client().contacts.create(email="jane@example.com")
    privy_sandbox.assert_contact("jane@example.com")
    assert privy_client.contacts.list().total_count() == 1

@pytest.mark.privy(limits="60/10000", seed="shop:5")
def test_the_marker_is_registered(privy_sandbox):
    assert len(privy_sandbox.contacts) == 5
"""


def test_pytest_finds_the_plugin_of_an_installed_wheel(source, empty, tmp_path):
    wheel = wheel_of(source, tmp_path / "wheels")
    run(empty, "-m", "pip", "install", "-q", "--no-input", "--no-index", str(wheel), cwd=tmp_path)
    own = Path(run(empty, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip())
    (own / "tools_of_the_tests.pth").write_text(str(Path(pytest.__file__).parents[1]))
    suite = tmp_path / "suite"
    suite.mkdir()
    (suite / "test_shop.py").write_text(SUITE)
    command = [empty, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--strict-markers", "--trace-config"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHONPATH"))}
    shown = run(*command, cwd=suite, env=environment)
    assert "2 passed" in shown
    assert "2 passed" in run(
        *command, "-p", "privy", cwd=suite, env=environment | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    )
    assert str(own / "privy" / "_pytest.py") in shown


def test_the_command_of_an_installed_wheel(source, empty, tmp_path):
    wheel = wheel_of(source, tmp_path / "wheels")
    run(empty, "-m", "pip", "install", "-q", "--no-input", "--no-index", str(wheel), cwd=tmp_path)
    command = empty.with_name("privy")
    assert run(command, "--version", cwd=tmp_path).strip() == f"privy {version()}"
    bare_command = subprocess.run([command, "whoami"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (bare_command.returncode, bare_command.stdout) == (2, "")
    assert bare_command.stderr.count("\n") == 1 and "privy-marketing[cli]" in bare_command.stderr
    own = Path(run(empty, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip())
    (own / "extra_of_the_tests.pth").write_text(str(Path(pytest.__file__).parents[1]))
    orders = tmp_path / "orders.csv"
    orders.write_text("order_id,email,total,currency,order_date\n1,a@example.com,1.50,USD,2026-01-15T12:00:00Z\n")
    assert "sent: 1 order " in run(command, "--sandbox", "import", "orders", "orders.csv", cwd=tmp_path)
    assert "access  accepted" in run(empty, "-m", "privy", "--sandbox", "whoami", cwd=tmp_path)


# ---- a user with the extras, who follows the pages ----


@pytest.fixture(scope="module")
def user(sdist, tmp_path_factory):
    """The folder of the programs of an environment with extras and what the pages say to install with them."""
    home = tmp_path_factory.mktemp("user")
    venv.create(home / "venv", with_pip=True, symlinks=True)
    extras = f"{sdist}[notebook,pandas,pydantic,test]"
    others = ("nbclient", "ipykernel", "fastapi", "uvicorn", "pytest-xdist")
    quick = ("-q", "--no-input", "--no-compile")  # compiling takes longer than all else
    run(home / "venv/bin/python", "-m", "pip", "install", *quick, extras, *others, cwd=home)
    return home / "venv/bin"


def bare(home):
    """Variables without those that would let a program find this build or settings of this user."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PRIVY_", "PYT", "JUPYTER_"))}
    return kept | {name: str(home) for name in ("HOME", "IPYTHONDIR", "MPLCONFIGDIR", "JUPYTER_RUNTIME_DIR")}


EXECUTE = """
import sys, nbclient, nbformat
from jupyter_client.manager import AsyncKernelManager
notebook = nbformat.read(sys.argv[1], 4)
manager = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=sys.argv[2])
nbclient.NotebookClient(notebook, manager, timeout=600).execute(cleanup_kc=True)
for cell in notebook.cells:
    for output in cell.get("outputs", []):
        print(*output.get("data", [output.get("text")]))
"""


def test_the_notebook_runs(user, tmp_path):
    shutil.copy(ROOT / "examples/notebooks/explore.ipynb", tmp_path)
    with tempfile.TemporaryDirectory(prefix="k", dir="/tmp") as sockets:  # their paths must be short
        command = (user / "python", "-c", EXECUTE, "explore.ipynb", f"{sockets}/k")
        shown = run(*command, cwd=tmp_path, env=bare(tmp_path))
    kinds = shown.split()
    assert kinds.count("text/html") >= 10
    assert kinds.count("image/png") == 2
    assert kinds.count("application/vnd.jupyter.widget-view+json") == 1
    assert set(kinds) == {"text/plain", "text/html", "image/png", "application/vnd.jupyter.widget-view+json"}, shown


def test_the_application_of_fastapi_answers(user, tmp_path):
    shutil.copy(ROOT / "examples/fastapi_app.py", tmp_path)
    command = [user / "uvicorn", "fastapi_app:app", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, env=bare(tmp_path), stderr=subprocess.PIPE, text=True) as process:
        try:
            found = (re.search(r"running on (http://\S+)", line) for line in process.stderr)
            url = next(match[1] for match in found if match)
            body = b'{"email": "jane@example.com", "tags": ["vip"]}'
            with post(f"{url}/contacts", body) as response:
                assert (response.status, json.load(response)["tags"]) == (201, ["vip"])
            with pytest.raises(urllib.error.HTTPError, match="409"):
                post(f"{url}/contacts", body)
        finally:
            process.terminate()


def post(url, body):
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    return urllib.request.urlopen(request, timeout=300)


def test_the_tests_of_the_page_pass_without_a_conftest(user, tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/testing.md").read_text(), re.DOTALL | re.MULTILINE)
    for number, block in enumerate(blocks):
        (tmp_path / f"test_page_{number}.py").write_text(block)
    expected = len(re.findall(r"def test_\w+\(", "".join(blocks)))
    assert expected >= 5
    for workers in ((), ("-n", "2")):
        shown = run(user / "python", "-m", "pytest", "-q", *workers, cwd=tmp_path, env=bare(tmp_path))
        assert f"{expected} passed" in shown, shown


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


def test_nothing_of_an_earlier_build_is_installed(tmp_path):
    source = copy_of_the_source(tmp_path / "source")
    extra = source / "python/privy/_earlier.py"
    extra.write_text("")
    with zipfile.ZipFile(wheel_of(source, tmp_path / "first")) as archive:
        assert "privy/_earlier.py" in archive.namelist()
    assert not (source / "build").exists()
    extra.unlink()
    with zipfile.ZipFile(wheel_of(source, tmp_path / "second")) as archive:
        assert "privy/_earlier.py" not in archive.namelist()
    (source / "csrc/privy.h").write_text("#error broken\n")
    done = attempt(source, "-m", "pip", "wheel", "--no-deps", "--no-input", "-w", str(tmp_path / "third"), ".")
    assert done.returncode != 0


def test_the_same_sources_give_the_same_sdist(tmp_path):
    archives = []
    for number, name in enumerate(("one", "other")):
        source = copy_of_the_source(tmp_path / name)
        for path in source.rglob("*"):
            os.utime(path, (10**9 + number, 10**9 + number))
        (source / "setup.py").chmod(0o600 if number else 0o664)
        environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
        run(
            sys.executable, "setup.py", "-q", "sdist", "-d", str(tmp_path / f"dist-{name}"), cwd=source, env=environment
        )
        archives += (tmp_path / f"dist-{name}").glob("*.tar.gz")
    one, other = archives
    assert one.name == other.name
    assert one.read_bytes() == other.read_bytes()
    with tarfile.open(one) as archive:
        assert {member.mtime for member in archive.getmembers()} == {1700000000}
        assert len(archive.getnames()) > 100


# ---- machines that lack something ----


def attempt(source, *arguments, **environment):
    command = [sys.executable, *arguments]
    settings = {**os.environ, **environment}
    return subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=600, check=False, env=settings)


LACKING = {
    "libcurl": ({"PKG_CONFIG": "no-such-pkg-config", "CURL_CONFIG": "no-such-curl-config"}, "libcurl4-openssl-dev"),
    "compiler": (
        {"CC": "no-such-compiler"},
        "there is no no-such-compiler.\nInstall one (Debian, Ubuntu: build-essential",
    ),
}


@pytest.mark.parametrize("what", LACKING)
def test_a_machine_that_lacks_something_says_what_to_install(source, tmp_path, what):
    environment, message = LACKING[what]
    folders = ("--build-lib", str(tmp_path), "--build-temp", str(tmp_path))
    done = attempt(source, "setup.py", "build_ext", *folders, **environment)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_python_without_headers_says_what_to_install(source, tmp_path):
    script = (
        "import sysconfig; sysconfig.get_path = lambda name, *more: '/no/such/folder'; exec(open('setup.py').read())"
    )
    folders = ("--build-lib", str(tmp_path), "--build-temp", str(tmp_path))
    done = attempt(source, "-c", f"__file__ = 'setup.py'; {script}", "build_ext", *folders)
    assert done.returncode != 0
    assert "there is no Python.h.\nInstall them (Debian, Ubuntu, Alpine: python3-dev" in done.stderr


def version():
    import privy

    return privy.__version__
