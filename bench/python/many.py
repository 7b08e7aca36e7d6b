"""A thousand calls, 64 at once: POST of an event. The peer's bodies are ready bytes, privy builds and checks each."""

import asyncio
import atexit
import json
from pathlib import Path

import request

AT_ONCE = 64


def case(post, events, loop):
    """`post` sends one event; 64 tasks share the events. The loop and its connections stay from run to run."""

    async def task(left):
        for event in left:
            await post(event)

    async def every():
        left = iter(events)
        await asyncio.gather(*(task(left) for _ in range(AT_ONCE)))

    async def first():
        return await post(events[0])

    return lambda: loop.run_until_complete(every()), lambda: loop.run_until_complete(first())


def read_events(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def receipt(record):
    return {"event_id": record.event_id, "status": record.status}


def new_loop(kind):
    if kind == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    return asyncio.new_event_loop()


def privy_async(kind, base_url, token, path):
    import privy

    ingest = privy.AsyncClient(base_url=base_url, token=token).events.ingest

    async def post(event):
        return receipt(await ingest(**event))

    return case(post, read_events(path), new_loop(kind))


def privy_many(base_url, token, path):
    """The same events through `ingest_many`, without asyncio."""
    import privy

    client = privy.Client(base_url=base_url, token=token)
    events = read_events(path)

    def every():
        for result in client.events.ingest_many(events, concurrency=AT_ONCE):
            receipt(result.value)

    return every, lambda: receipt(client.events.ingest(**events[0]))


def aiohttp(kind, path, events_path):
    import aiohttp

    url, headers, _ = request.read(path)
    bodies = [json.dumps(event, separators=(",", ":")).encode() for event in read_events(events_path)]
    loop = new_loop(kind)

    async def open_session():
        return aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=AT_ONCE))

    session = loop.run_until_complete(open_session())
    atexit.register(lambda: loop.run_until_complete(session.close()))

    async def post(body):
        async with session.post(url, data=body) as answer:
            return json.loads(await answer.read())

    return case(post, bodies, loop)
