"""Context variables: hooks see those of the place where their call was made, and no callback of a loop keeps any."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from contextvars import ContextVar

import privy
from support import TOKEN, Reply, eventually

NAME: ContextVar[object] = ContextVar("NAME")


class Thing:
    """Something that a context may keep alive."""


def test_no_callback_of_the_loop_keeps_the_context_of_a_call(recorder, run):
    """The timer that was set while one call went on serves another call when that one has ended."""
    answers = threading.Event()

    def answer(request):
        if request.target.endswith("/slow"):
            answers.wait(60)
        return Reply()

    async def call(client):
        thing = Thing()
        NAME.set(thing)
        await client.request("GET", "/any")
        return weakref.ref(thing)

    async def main():
        async with privy.AsyncClient(TOKEN, base_url=recorder.base_url) as client:
            slow = asyncio.create_task(client.request("GET", "/slow"))
            await eventually(lambda: recorder.requests)
            kept = await asyncio.create_task(call(client))
            for _ in range(20):
                await asyncio.sleep(0)
            gc.collect()
            assert kept() is None
            assert not slow.done()
            answers.set()
            await slow

    recorder.answer = answer
    try:
        run(main())
    finally:
        answers.set()
