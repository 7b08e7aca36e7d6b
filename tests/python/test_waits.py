"""What calls wait for and for how long: windows, tokens, responses."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from email.utils import formatdate

import privy
import pytest
from support import Reply, Request, recording

NOON = 1_800_000_000.5
CONTACT = "cus_0123456789abcdef"


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


@pytest.mark.parametrize("offset", [-7200, 7200])
def test_a_wall_clock_that_differs_from_the_server_s(recorder, offset):
    recorder.answer = lambda request: Reply(200, limits(0, time.time() + offset, 30), "{}")
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


# ---- tokens ----


class TokenServer:
    """Pages of 20 contacts, orders, and tokens: the first one is to be renewed after a second."""

    def __init__(self) -> None:
        self.fetched = 0
        self.pages: list[int] = []
        self.second_asked = threading.Event()
        self.second_given = threading.Event()

    def __call__(self, request: Request) -> Reply:
        if request.target == "/oauth/token":
            self.fetched += 1
            number = self.fetched
            if number == 2:
                self.second_asked.set()
                self.second_given.wait(60)
            life = 31 if number == 1 else 7200
            return Reply(body=json.dumps({"access_token": f"token-{number}", "expires_in": life}))
        if request.method == "GET" and request.target.startswith("/contacts?"):
            return self._page(int(re.search(r"[?&]page=(\d+)", request.target + "&page=1")[1]))
        if re.search(rb'"order_id":"?2\b', request.body):
            self.second_asked.wait(60)
        return Reply(body=json.dumps({"data": {"id": CONTACT, "order_id": "1"}}))

    def _page(self, number: int) -> Reply:
        self.pages.append(number)
        data = [{"id": f"cus_{number * 1000 + n:016d}"} for n in range(20)]
        return Reply(body=json.dumps({"data": data, "pagination": {"page": number, "per_page": 20, "total_pages": 3}}))


@contextlib.contextmanager
def tokens(hold: bool = False):
    server = TokenServer()
    if not hold:
        server.second_given.set()
    with recording(server) as recorder:
        yield server, {"base_url": recorder.base_url, "client_id": "id", "client_secret": "very-secret"}


def in_time(action):
    """What the action returns, unless it hangs."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(action).result(60)


def wait_until_it_expires():
    time.sleep(1.2)


def test_a_loop_body_does_not_wait_for_the_token_of_its_own_list():
    def read(client):
        seen = 0
        for contact in client.contacts.list(per_page=20):
            if seen == 1:
                wait_until_it_expires()
            client.contacts.update(contact.id, first_name="A")
            seen += 1
        return seen

    with tokens() as (server, settings), privy.Client(**settings) as client:
        assert in_time(lambda: read(client)) == 60
        assert (server.fetched, server.pages) == (2, [1, 2, 3])


def test_a_prefetch_requests_no_token():
    with tokens() as (server, settings), privy.Client(**settings) as client:
        contacts = iter(client.contacts.list(per_page=20))
        next(contacts)
        wait_until_it_expires()
        for _ in range(19):
            next(contacts)
        assert (server.fetched, server.pages) == (1, [1])
        next(contacts)
        assert (server.fetched, server.pages[:2]) == (2, [1, 2])


def test_an_asynchronous_prefetch_requests_no_token():
    async def read(settings, server):
        async with privy.AsyncClient(**settings) as client:
            contacts = aiter(client.contacts.list(per_page=20))
            await anext(contacts)
            wait_until_it_expires()
            for _ in range(19):
                await anext(contacts)
                await asyncio.sleep(0)
            assert (server.fetched, server.pages) == (1, [1])
            await anext(contacts)
            assert (server.fetched, server.pages[:2]) == (2, [1, 2])
            await contacts.aclose()

    with tokens() as (server, settings):
        asyncio.run(read(settings, server))


def test_a_token_request_of_a_bulk_run_blocks_no_other_call():
    order = {"total": 1, "currency": "USD", "order_date": "2026-05-12T10:00:00Z"}
    rows = ({"order_id": number, "email": f"a{number}@b.c", **order} for number in range(1, 6))
    with tokens(hold=True) as (server, settings), privy.Client(**settings) as client:
        client.contacts.get(CONTACT)
        run = client.orders.upsert_many(rows, concurrency=2)
        next(run)
        wait_until_it_expires()
        next(run)  # the third row has requested a token, which does not arrive, and the reader stops
        assert in_time(lambda: client.contacts.get(CONTACT)).id == CONTACT
        assert server.fetched == 3
        server.second_given.set()
        assert len([result for result in run if result.ok]) == 3


def test_the_wait_for_another_s_token_ends(recorder):
    stalled = threading.Event()

    def answer(request):
        stalled.wait(60)
        return Reply(500)

    recorder.answer = answer
    settings = {"base_url": recorder.base_url, "client_id": "id", "client_secret": "very-secret", "max_retries": 0}
    with privy.Client(**settings) as client, ThreadPoolExecutor(1) as pool:
        owner = pool.submit(client.contacts.get, CONTACT, timeout=60)
        while not recorder.requests:
            time.sleep(0.01)
        with pytest.raises(privy.APITimeoutError, match="token") as caught:
            in_time(lambda: client.contacts.get(CONTACT, timeout=0.2, max_wait=0.2))
        assert (caught.value.path, caught.value.attempts) == ("/oauth/token", 0)
        assert len(recorder.requests) == 1
        stalled.set()
        with pytest.raises(privy.ServerError):
            owner.result(60)
