"""After many threads have used a client, it keeps few connections open, and none that the server has closed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import privy
import pytest
from support import TOKEN, Reply, recording

CONTACT = "cus_0123456789abcdef"
CROWD = 200
KEPT = 16
A_CALL = 3
"""Descriptors that a call of ours may keep: its connection, and two to be woken by."""

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="only Linux lists a process's descriptors")


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def falls_to(most: int, ask=lambda: None) -> int:
    """Waits until at most `most` descriptors are open, and calls `ask` meanwhile. The number of open descriptors."""
    until = time.monotonic() + 60
    while descriptors() > most and time.monotonic() < until:
        ask()
        time.sleep(0.05)
    return descriptors()


@contextlib.contextmanager
def crowd(count: int, **reply):
    """A client that `count` threads have used at one moment, and the descriptors open before and then."""
    open_then = []
    together = threading.Barrier(count, action=lambda: open_then.append(descriptors()))

    def answer(request):
        if not 1 < len(recorder.requests) <= count + 1:
            return Reply()
        together.wait(300)
        return Reply(**reply)

    with recording(answer) as recorder, recorder.client(timeout=300, connect_timeout=300) as client:
        client.contacts.get(CONTACT)  # only few calls are in flight before the first response
        before = descriptors()
        with ThreadPoolExecutor(count) as pool:
            for each in [pool.submit(client.contacts.get, CONTACT) for _ in range(count)]:
                each.result(300)
        yield client, before, open_then[0]


def alone(check):
    """Runs a function of this module in its own process, where nothing else opens or closes descriptors."""
    script = f"import sys\nsys.path[:] = {sys.path!r}\nimport test_descriptors\ntest_descriptors.{check.__name__}()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr


def crowd_leaves_few_connections():
    with crowd(CROWD) as (client, before, then):
        assert then - before >= 2 * CROWD  # a connection has two ends here; some versions of libcurl need one more
        assert falls_to(before + KEPT * (A_CALL + 1)) <= before + KEPT * (A_CALL + 1)
        assert client.contacts.get(CONTACT) is not None


def later_calls_close_what_the_server_has_closed():
    with crowd(KEPT, close=True) as (client, before, _):
        most = before + 2 * (A_CALL + 1)
        assert falls_to(most, lambda: client.contacts.get(CONTACT)) <= most


@pytest.mark.parametrize(
    "check",
    [crowd_leaves_few_connections, later_calls_close_what_the_server_has_closed],
    ids=lambda check: check.__name__,
)
def test_few_descriptors_stay_open(check):
    alone(check)


def test_a_loop_that_has_ended_leaves_its_connection_to_the_next():
    with recording() as recorder:
        client = privy.AsyncClient(TOKEN, base_url=recorder.base_url)
        for _ in range(3):
            asyncio.run(client.contacts.get(CONTACT))
        assert (recorder.connections, len(recorder.requests)) == (1, 3)
        asyncio.run(client.aclose())
