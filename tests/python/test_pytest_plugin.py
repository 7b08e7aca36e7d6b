"""The pytest plugin, in pytest runs of its own on the suites of users."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

APP = '''
"""What a user tests: it makes its own clients."""
import functools
import privy

@functools.lru_cache(maxsize=None)
def client():
    return privy.Client()

def subscribe(email):
    client().contacts.create(email=email, email_consent="subscribed")

def order(number):
    with privy.Client("token-of-the-shop") as own:
        return own.orders.upsert(
            order_id=number, email="jane@example.com", total="95.00", currency="USD", order_date="2026-05-12T10:00:00Z"
        )
'''
SUITE = """
import shop
import privy

def test_a_subscriber_is_stored(privy_sandbox: privy.Sandbox) -> None:
    shop.subscribe("jane@example.com")
    privy_sandbox.assert_contact("jane@example.com", email_consent="subscribed")

def test_an_order_is_sent(privy_sandbox: privy.Sandbox, privy_client: privy.Client) -> None:
    shop.order(1001)
    privy_sandbox.assert_order(1001, total="95.00")
    assert privy_client.contacts.list().total_count() == 1
"""


class Suite:
    """The folder of a suite, and pytest runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Otherwise a setup.py or an ini file of a folder above decides about settings, and what tests are called.
        self.add("pytest.ini", "[pytest]\n")
        self.add("shop.py", APP)

    def add(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def run(self, *arguments: str, status: int = 0, **environment: str) -> str:
        command = [sys.executable, "-m", "pytest", "-p", "privy._pytest", "-p", "no:cacheprovider", "--strict-markers"]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PRIVY_", "PYTEST_"))}
        kept["PYTHONPATH"] = os.pathsep.join([str(self.folder), *sys.path])
        done = subprocess.run(
            [*command, "-W", "error", *arguments],
            cwd=self.folder,
            env=kept | environment,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def suite(tmp_path):
    return Suite(tmp_path)


def outcomes(output: str) -> dict[str, int]:
    """The counts of the last line: {"passed": 2}."""
    last = output.strip().splitlines()[-1]
    return {word.rstrip("s"): int(count) for count, word in re.findall(r"(\d+) (passed|failed|errors?|skipped)", last)}


# ---- a suite of ten lines ----


@pytest.mark.parametrize("arguments", [(), ("-n", "2"), ("-p", "no:xdist")], ids=["alone", "xdist", "without xdist"])
def test_a_suite_of_ten_lines(suite, arguments):
    suite.add("test_shop.py", SUITE)
    assert outcomes(suite.run("-q", *arguments)) == {"passed": 2}


def test_the_environment_of_the_user_is_not_used(suite):
    suite.add("test_shop.py", SUITE)
    output = suite.run("-q", PRIVY_API_TOKEN="real", PRIVY_BASE_URL="http://127.0.0.1:9/v1", PRIVY_SCOPES="nonsense")
    assert outcomes(output) == {"passed": 2}


def test_mypy_accepts_the_suite(suite):
    pytest.importorskip("mypy")
    text = (
        SUITE
        + """
import asyncio
import pytest

@pytest.mark.privy(limits="60/10000")
def test_all(privy_server: str, privy_async_client: privy.AsyncClient, privy_sandbox: privy.Sandbox) -> None:
    async def count() -> int | None:
        return await privy_async_client.contacts.list().total_count()

    assert asyncio.run(count()) == 0
    assert privy_server.startswith("http")
    with privy_sandbox.activate() as active:
        active.assert_contact("jane@example.com")

@privy.Sandbox().activate()
def add(one: int, two: int) -> int:
    return one + two

total: int = add(1, two=2)
"""
    )
    suite.add("test_shop.py", text.replace("import shop\n", "").replace("    shop.", "    # shop."))
    package = Path(sys.modules["privy"].__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", os.devnull, "test_shop.py"],
        cwd=suite.folder,
        env=os.environ | {"MYPYPATH": str(package)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout


def test_the_fixtures_and_the_marker_are_documented(suite):
    output = suite.run("--fixtures", "-q")
    for name in ("privy_sandbox", "privy_client", "privy_async_client", "privy_server"):
        assert re.search(rf"^{name} -- .*\n    \w", output, re.MULTILINE)
    assert "@pytest.mark.privy(limits=None, window=None, seed=None)" in suite.run("--markers")


def test_files_of_folders_above_have_no_effect(tmp_path):
    (tmp_path / "setup.py").touch()
    (tmp_path / "suite").mkdir()
    suite = Suite(tmp_path / "suite")
    suite.add("test_name.py", "def test_name(request): assert request.node.nodeid == 'test_name.py::test_name'")
    assert outcomes(suite.run("-q")) == {"passed": 1}


# ---- the marker ----

LIMITS = """
import time
import privy, pytest

@pytest.mark.privy(limits="7/9")
def test_text(privy_sandbox, privy_client):
    privy_client.contacts.list().total_count()
    assert (privy_client.rate_limit.minute.limit, privy_client.rate_limit.day.limit) == (7, 9)

@pytest.mark.privy(limits=(7, 9))
class TestMany:
    def test_pair(self, privy_client):
        privy_client.contacts.list().total_count()
        assert (privy_client.rate_limit.minute.limit, privy_client.rate_limit.day.limit) == (7, 9)

    @pytest.mark.privy(limits=3)
    def test_the_closest_marker_counts(self, privy_client):
        privy_client.contacts.list().total_count()
        assert (privy_client.rate_limit.minute.limit, privy_client.rate_limit.day.known) == (3, False)

    @pytest.mark.privy(window=2)
    def test_the_rest_comes_from_the_class(self, privy_client):
        privy_client.contacts.list().total_count()
        assert privy_client.rate_limit.minute.limit == 7
        assert privy_client.rate_limit.minute.resets_at.timestamp() - time.time() < 3

@pytest.mark.privy(limits="on")
def test_on(privy_client):
    privy_client.contacts.list().total_count()
    assert (privy_client.rate_limit.minute.limit, privy_client.rate_limit.day.limit) == (60, 10000)

@pytest.mark.privy
def test_a_marker_alone_activates_a_sandbox():
    assert "sandbox" in repr(privy.Client())

@pytest.fixture(scope="session", autouse=True)
def shared():
    with pytest.raises(privy.PrivyError, match="no credentials"):
        privy.Client()

@pytest.fixture(autouse=True)
def of_each_test(request):
    marked = request.node.get_closest_marker("privy") is not None
    assert marked == ("sandbox" in repr(privy.Client("token")))

def test_nothing_is_active_without_it():
    assert "sandbox" not in repr(privy.Client("token"))

@pytest.mark.privy(seed="shop:20")
def test_seed(privy_sandbox):
    assert len(privy_sandbox.contacts) == 20
    assert not privy_sandbox.requests

@pytest.mark.privy(seed={"kind": "shop", "contacts": 10, "days": 5})
def test_seed_of_a_dict(privy_sandbox):
    assert len(privy_sandbox.contacts) == 10

def test_limits_are_off(privy_client):
    privy_client.contacts.list().total_count()
    assert not privy_client.rate_limit.minute.known
"""


def test_the_marker_prepares_the_sandbox(suite):
    suite.add("test_limits.py", LIMITS)
    assert outcomes(suite.run("-q")) == {"passed": 10}


def test_the_marker_serves_test_cases_of_unittest(suite):
    suite.add(
        "test_unit.py",
        """
import unittest
import privy, pytest, shop

@pytest.mark.privy
class Tests(unittest.TestCase):
    def test_one(self):
        shop.subscribe("jane@example.com")
    def test_two(self):
        shop.subscribe("jane@example.com")
""",
    )
    assert outcomes(suite.run("-q")) == {"passed": 2}


WRONG = {
    "limits='60/x'": "@pytest.mark.privy: limits must be on, off or PER_MINUTE[/PER_DAY[/WINDOW]], such as 60/10000/60",
    "limits=(60, 10, 99)": 'not "60/10/99"',
    "limits='60', window=61": 'not "60/0/61"',
    "window=5": "@pytest.mark.privy: window= needs limits=, such as '60/10000'",
    "'60/10000'": "@pytest.mark.privy takes limits=, window=, seed=, not '60/10000'",
    "limit=5, sed=3": "@pytest.mark.privy takes limits=, window=, seed=, not limit=, sed=",
    "seed='shop:x'": '@pytest.mark.privy: seed must be KIND[:CONTACTS[:SEED]], such as shop:5000:7, not "shop:x"',
    "seed={'kind': 'shoe'}": "@pytest.mark.privy: seed: there is no data set shoe",
    "seed={'contact': 5}": "@pytest.mark.privy: seed: Sandbox.seed() ",
}


def test_wrong_arguments_of_the_marker_fail_the_test(suite):
    tests = [f"@pytest.mark.privy({marker})\ndef test_{n}(privy_server): pass" for n, marker in enumerate(WRONG)]
    suite.add("test_wrong.py", "\n".join(["import pytest", *tests, "def test_right(privy_sandbox): pass"]))
    output = suite.run("-q", "-n", "2", status=1)
    assert outcomes(output) == {"passed": 1, "error": len(WRONG)}
    for number, message in enumerate(WRONG.values()):
        assert f"UsageError: test_wrong.py::test_{number}: @pytest.mark.privy" in output
        assert message in output


# ---- what a failure shows ----


def test_a_failed_assertion_shows_the_test_and_the_difference(suite):
    suite.add(
        "test_shop.py",
        """
import shop
def test_an_order(privy_sandbox):
    shop.order(1001)
    privy_sandbox.assert_order(1001, total="99.00")
""",
    )
    output = suite.run("-q", status=1)
    assert ">       privy_sandbox.assert_order(1001, total=" not in output.split("Error")[1]
    assert ">   " in output
    assert "E       AssertionError: order 1001 differs:" in output
    assert "E         total: expected '99.00', stored '95.00'" in output
    assert "_sandbox.py" not in output
    assert "_differences.py" not in output


# ---- nothing is left for the next test ----

LEAKS = """
import threading
import privy, pytest, shop

def nothing_is_active():
    with pytest.raises(privy.PrivyError, match="no credentials"):
        privy.Client()

@pytest.fixture
def broken(privy_sandbox):
    shop.subscribe("before@example.com")
    raise RuntimeError("a fixture fails")

@pytest.fixture
def broken_later(privy_sandbox):
    yield
    raise RuntimeError("a fixture fails at its end")

@pytest.fixture
def own(privy_sandbox):
    with privy.Sandbox().activate() as sandbox:
        yield sandbox

def test_01(privy_sandbox):
    shop.subscribe("jane@example.com")

def test_02(broken): pass
def test_03(): nothing_is_active()
def test_04(privy_sandbox):
    shop.subscribe("jane@example.com")
    assert len(privy_sandbox.contacts) == 1
def test_05(broken_later): pass
def test_06(): nothing_is_active()
def test_07(privy_sandbox):
    assert 1 == 2
def test_08(): nothing_is_active()
def test_09(own, privy_sandbox):
    shop.subscribe("jane@example.com")
    assert (len(own.contacts), len(privy_sandbox.contacts)) == (1, 0)
def test_10():
    nothing_is_active()
    with pytest.raises(privy.PrivyError, match="no longer active|no credentials"):
        shop.subscribe("jane@example.com")
def test_11(privy_sandbox):
    raise SystemExit(3)
def test_12(): nothing_is_active()
def test_13(privy_sandbox):
    pytest.skip("late")
def test_14(): nothing_is_active()
"""


@pytest.mark.parametrize("arguments", [(), ("-n", "2", "--dist", "load")], ids=["alone", "xdist"])
def test_a_sandbox_receives_no_call_of_the_next_test(suite, arguments):
    suite.add("test_leaks.py", LEAKS)
    output = suite.run("-q", *arguments, status=1)
    assert outcomes(output) == {"failed": 2, "passed": 10, "skipped": 1, "error": 2}


def test_every_order_of_tests_is_right(suite):
    suite.add("test_leaks.py", LEAKS)
    suite.add("conftest.py", "def pytest_collection_modifyitems(items): items.reverse()")
    assert outcomes(suite.run("-q", status=1)) == {"failed": 2, "passed": 10, "skipped": 1, "error": 2}


# ---- the served sandbox ----

SERVED = """
import os, subprocess, sys
import privy, pytest

PROGRAM = "import privy; privy.Client().contacts.create(email='jane@example.com')"

def test_a_program_uses_it(privy_server, privy_sandbox):
    assert os.environ["PRIVY_BASE_URL"] == privy_server
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)
    privy_sandbox.assert_contact("jane@example.com")
    assert "PRIVY_CLIENT_ID" not in os.environ

def test_it_has_the_limits_of_privy(privy_server, privy_client):
    privy_client.contacts.list().total_count()
    assert privy_client.rate_limit.minute.limit == 60

@pytest.mark.privy(limits="off")
def test_the_marker_turns_them_off(privy_server, privy_client):
    privy_client.contacts.list().total_count()
    assert not privy_client.rate_limit.minute.known

def test_it_ends_with_the_test():
    assert os.environ.get("PRIVY_BASE_URL") == "http://127.0.0.1:9/v1"
    assert os.environ["PRIVY_CLIENT_ID"] == "real"
"""


def test_the_server_is_for_other_processes(suite):
    suite.add("test_served.py", SERVED)
    output = suite.run("-q", PRIVY_BASE_URL="http://127.0.0.1:9/v1", PRIVY_CLIENT_ID="real")
    assert outcomes(output) == {"passed": 4}


ASYNC = """
import asyncio
import privy, pytest

def test_with_a_loop_of_its_own(privy_async_client, privy_sandbox):
    async def run():
        await privy_async_client.contacts.create(email="jane@example.com")
    asyncio.run(run())
    privy_sandbox.assert_contact("jane@example.com")

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_with_anyio(privy_async_client, privy_sandbox):
    async with privy.AsyncClient() as own:
        await own.contacts.create(email="jane@example.com")
    assert await privy_async_client.contacts.list().total_count() == 1
"""


def test_async_clients(suite):
    suite.add("test_async.py", ASYNC)
    assert outcomes(suite.run("-q")) == {"passed": 2}


# ---- its cost in suites that do not use it ----


def test_a_run_without_its_fixtures_imports_little(suite):
    suite.add(
        "test_other.py",
        """
import sys
def test_nothing():
    assert "privy" in sys.modules
    assert [name for name in sys.modules if name.startswith("privy.sandbox") or name == "privy._async"] == []
""",
    )
    assert outcomes(suite.run("-q")) == {"passed": 1}
