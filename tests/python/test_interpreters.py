"""Subinterpreters: each has its own module, clients and records, next to others and after others have ended."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support import TOKEN, served

IN_EACH = """
import sys
sys.path[:] = {path!r}
from datetime import datetime
from decimal import Decimal
"""

WITH_PRIVY = """
import privy
with privy.Client({token!r}, base_url={base_url!r}) as client:
    jane = client.contacts.create(email="{name}@example.com", custom_fields={{"ratio": Decimal("1.10")}})
    assert client.contacts.get(jane.id) == jane
    assert isinstance(jane, privy.Contact) and isinstance(jane.created_at, datetime)
    assert jane.custom_fields["ratio"] == Decimal("1.10")
    try:
        client.contacts.get("cus_0000000000000000")
    except privy.NotFoundError as error:
        assert error.status == 404
    else:
        raise AssertionError("found")
    rows = [{{"event_type": "seen", "email": f"{name}-{{n}}@example.com"}} for n in range(3)]
    assert all(result.ok for result in client.events.ingest_many(rows))
"""

MAIN = """
import sys, threading

try:
    import _interpreters as interpreters  # 3.13 and newer

    def create():
        return interpreters.create("isolated")

    def run(one, script):
        failure = interpreters.exec(one, script)
        if failure is not None:
            raise RuntimeError(failure.formatted)
except ImportError:
    import _xxsubinterpreters as interpreters
    create, run = interpreters.create, interpreters.run_string

script, base_url, token, rounds, side_by_side = *sys.argv[1:4], *map(int, sys.argv[4:6])
failures = []

def work(number):
    try:
        for turn in range(rounds):
            one = create()
            run(one, script.format(path=sys.path, token=token, base_url=base_url, name=f"i{number}-{turn}"))
            interpreters.destroy(one)
    except BaseException as error:
        failures.append(error)

threads = [threading.Thread(target=work, args=(number,)) for number in range(side_by_side)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for failure in failures:
    raise failure
if "import privy" in script:
    import privy  # the main interpreter's own
    privy.Client(token, base_url=base_url).contacts.create(email="main@example.com")
"""


def run(script, base_url, rounds, side_by_side):
    """In its own process, so that a crash is reported."""
    command = [sys.executable, "-c", MAIN, script, base_url, TOKEN, str(rounds), str(side_by_side)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize(("rounds", "side_by_side"), [(6, 1), (2, 3)], ids=["one after the other", "side by side"])
def test_interpreters_have_privy_to_themselves(sandbox, rounds, side_by_side):
    """From Python 3.12 on each has a GIL of its own, too; the first of those crash all by themselves."""
    without = run(IN_EACH, "", rounds, side_by_side)
    if without.returncode < 0:
        pytest.skip(f"without privy this Python ends with {without.returncode} already: {without.stderr.strip()}")
    assert without.returncode == 0, without.stderr
    with served(sandbox) as server:
        done = run(IN_EACH + WITH_PRIVY, server.base_url, rounds, side_by_side)
    assert done.returncode == 0, done.stderr
    interpreters = rounds * side_by_side
    assert sandbox.counts.contacts == 4 * interpreters + 1
    assert sandbox.counts.events == 3 * interpreters
