"""Libraries that run coroutines or greenlets without asyncio: what works, and what is refused with which message."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import privy
import pytest
import trio
from support import served

# Counts the turns of a greenlet while three others make a call each that is answered late.
GREENLETS = """
import sys
import gevent
from gevent import monkey

if "patched" in sys.argv:
    monkey.patch_all()
import privy

client = privy.Client(privy.Sandbox.token, base_url=sys.argv[1])
turns = 0

def turn():
    global turns
    while True:
        gevent.sleep(0.001)
        turns += 1

def count():
    return client.contacts.list().total_count()

def call():
    return gevent.get_hub().threadpool.apply(count) if "threads" in sys.argv else count()

gevent.spawn(turn)
gevent.sleep(0.01)
before = turns
calls = [gevent.spawn(call) for _ in range(3)]
gevent.joinall(calls)
print(*[call.value for call in calls], turns - before)
"""


def turns_of_another_greenlet(*modes):
    sandbox = privy.Sandbox()
    sandbox.fail(delay=0.5, count=0)
    with served(sandbox) as server:
        done = subprocess.run(
            [sys.executable, "-c", GREENLETS, server.base_url, *modes],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    *answers, turns = done.stdout.split()
    assert answers == ["0", "0", "0"]
    assert sandbox.counts.requests == 3
    return int(turns)


@pytest.mark.parametrize("modes", [[], ["patched"]], ids=["plain", "patched"])
def test_a_call_blocks_the_hub_of_gevent(modes):
    """As the documentation says. Between two calls the other greenlet may have a turn."""
    assert turns_of_another_greenlet(*modes) <= 3


@pytest.mark.parametrize("modes", [["threads"], ["threads", "patched"]], ids=["plain", "patched"])
def test_a_call_in_the_thread_pool_of_gevent_blocks_no_greenlet(modes):
    assert turns_of_another_greenlet(*modes) > 10


# ---- trio ----


def test_trio_is_refused_and_named(sandbox):
    async def enter():
        async with privy.AsyncClient(sandbox=sandbox):
            raise AssertionError("the client was entered")

    async def call():
        await privy.AsyncClient(sandbox=sandbox).contacts.create(email="a@b.c")

    async def read():
        async for _ in privy.AsyncClient(sandbox=sandbox).contacts.list():
            raise AssertionError("there was a contact")

    async def request():
        await privy.AsyncClient(sandbox=sandbox).request("GET", "/contacts")

    async def close():
        await privy.AsyncClient(sandbox=sandbox).aclose()

    for use in (enter, call, read, request, close):
        with pytest.raises(RuntimeError) as caught:
            trio.run(use)
        assert str(caught.value) == (
            "AsyncClient needs a running event loop of asyncio, and this is trio: "
            "make the calls of a Client with trio.to_thread.run_sync"
        )
        assert caught.value.__cause__ is None
    assert sandbox.counts.requests == 0


def test_a_client_works_in_threads_of_trio(sandbox):
    async def create():
        client = sandbox.client()
        made = await trio.to_thread.run_sync(lambda: client.contacts.create(email="a@b.c"))
        return made.email

    assert trio.run(create) == "a@b.c"


def test_without_any_loop_the_error_names_asyncio(sandbox):
    create = privy.AsyncClient(sandbox=sandbox).contacts.create(email="a@b.c")
    with pytest.raises(RuntimeError, match="^AsyncClient needs a running event loop of asyncio$"):
        create.send(None)


def test_asyncio_continues_next_to_trio(sandbox):
    async def create():
        async with privy.AsyncClient(sandbox=sandbox) as client:
            return (await client.contacts.create(email="a@b.c")).email

    assert asyncio.run(create()) == "a@b.c"
