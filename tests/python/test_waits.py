"""What calls wait for, and for how long: windows, answers of their own, tokens."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from email.utils import formatdate

import privy
import pytest
from support import Reply

NOON = 1_800_000_000.5


def limits(remaining: int, at: float, reset: float) -> dict[str, str]:
    """Headers of a server whose clock shows ``at``."""
    return {
        "Date": formatdate(at, usegmt=True),
        "X-RateLimit-Limit-Minute": "60",
        "X-RateLimit-Remaining-Minute": str(remaining),
        "X-RateLimit-Reset-Minute": str(int(at + reset)),
    }


def spend_the_minute(sandbox: privy.Sandbox, client: privy.Client) -> None:
    sandbox.set_limits(per_minute=60)
    sandbox.set_clock(NOON)
    for _ in range(60):
        client.request("GET", "/contacts")


# ---- windows ----


def test_a_clock_set_back_does_not_lengthen_a_window(sandbox):
    client = sandbox.client(max_wait=0)
    spend_the_minute(sandbox, client)
    sandbox.set_clock(NOON - 7200)
    assert client.request("GET", "/contacts").status == 200


@pytest.mark.parametrize("ahead", [-7200, 7200])
def test_a_wall_clock_that_differs_from_the_server_s(recorder, ahead):
    recorder.answer = lambda request: Reply(200, limits(0, time.time() + ahead, 30), "{}")
    client = recorder.client(max_wait=0)
    client.request("GET", "/x")
    with pytest.raises(privy.RateLimitError) as caught:
        client.request("GET", "/x")
    assert 20 < caught.value.retry_after <= 30
    soon = datetime.now(timezone.utc) + timedelta(seconds=31)
    assert soon - timedelta(seconds=11) < caught.value.resets_at < soon
    assert soon - timedelta(seconds=11) < client.rate_limit.minute.resets_at < soon


@pytest.mark.parametrize("remaining", [-9_223_372_036_854_775_808, -1, 61])
def test_limits_that_cannot_be_true_are_not_believed(recorder, remaining):
    recorder.answer = lambda request: Reply(200, limits(remaining, time.time(), 30), "{}")
    client = recorder.client(max_wait=0)
    for _ in range(3):
        assert client.request("GET", "/x").status == 200
    assert not client.rate_limit.minute.known


def test_the_default_of_max_wait_covers_a_window(sandbox):
    waits = threading.Event()
    client = sandbox.client(on_event=lambda event: waits.set() if event.kind == "wait" else None)
    spend_the_minute(sandbox, client)
    with ThreadPoolExecutor(1) as pool:
        last = pool.submit(client.request, "GET", "/contacts")
        assert waits.wait(30)
        sandbox.advance(61)
        assert last.result(30).status == 200
    assert sandbox.counts.requests == 61


# ---- answers of their own ----


def test_first_calls_that_may_not_wait(sandbox):
    sandbox.fail(delay=0.2, count=12)
    client = sandbox.client(max_wait=0)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: client.request("GET", "/contacts").status, range(12)))
    assert answers == [200] * 12
