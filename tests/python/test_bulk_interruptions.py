"""Interruptions of bulk runs lose no result."""

from __future__ import annotations

import asyncio
import collections
import itertools
import os
import signal
import sys
import threading

import pandas
import polars
import privy
import pyarrow
import pytest
from support import DEEP, TOKEN, Reply, served, until
from test_bulk import advancing, event


@pytest.fixture(autouse=True)
def without_spans(monkeypatch):
    """While spans are made, the exception of a signal handler goes to sys.unraisablehook."""
    monkeypatch.setenv("PRIVY_OTEL", "0")


class InterruptError(Exception):
    """What a signal handler raises."""


class Interrupts:
    """A timer whose signal raises InterruptError, in `with interrupts.allowed()` only, and once in each."""

    def __init__(self, first, interval):
        self.first, self.interval = first, interval
        self.armed = False
        self.raised = 0

    def __enter__(self):
        self.before = signal.signal(signal.SIGALRM, self.handle)
        signal.setitimer(signal.ITIMER_REAL, self.first, self.interval)
        return self

    def __exit__(self, *_):
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.before)

    def handle(self, *_):
        if self.armed:
            self.armed = False
            self.raised += 1
            raise InterruptError


def test_ctrl_c_leaves_rows_in_doubt_with_their_keys(large_delay):
    client, sandbox = large_delay
    run = client.events.ingest_many([event(i) for i in range(20)], concurrency=4, timeout=60)
    threading.Thread(
        target=lambda: (until(lambda: sandbox.counts.requests >= 4), os.kill(os.getpid(), signal.SIGINT))
    ).start()
    with pytest.raises(KeyboardInterrupt):
        for _ in run:
            pass
    in_doubt = run.in_doubt
    assert [index for index, _, _ in in_doubt] == [0, 1, 2, 3]
    assert all(len(key) == 32 for _, _, key in in_doubt)
    assert [index for index, _ in run.unsent] == list(range(4, 20))
    run.close()
    assert run.in_doubt == in_doubt
    sandbox.clear_faults()
    again = [{**row, "idempotency_key": key} for _, row, key in in_doubt] + [row for _, row in run.unsent]
    assert client.events.ingest_many(again).run().ok
    assert sandbox.counts.events == 20


@pytest.fixture
def large_delay(sandbox):
    """A client of a served sandbox that answers late."""
    sandbox.fail(delay=30, count=0)
    with served(sandbox) as server, privy.Client(TOKEN, base_url=server.base_url) as client:
        yield client, sandbox


def read_all(run, results, interrupts, leave_after=None):
    """Reads a run to its end, or closes it after `leave_after` results, and continues after each interrupt."""

    def read():
        # A function of its own: what a signal raises at the end of a loop's turn, Python 3.13 does not take for a part
        # of the `try` around the loop.
        interrupts.armed = True
        for result in run:
            results.append(result)
            if len(results) == leave_after:
                break

    while not run.over:
        try:
            read()
        except InterruptError:
            continue
        interrupts.armed = False
        run.close()


def test_a_loop_continues_after_an_exception_from_a_signal(sandbox):
    """Interrupts at random moments between two bytecodes and within calls lose no outcome."""
    raised = 0
    for round_ in range(30):
        run = sandbox.client().events.ingest_many([event(i) for i in range(200)], concurrency=3)
        results = []
        with Interrupts(0.0001 * (round_ + 1), 0.0003) as interrupts:
            read_all(run, results, interrupts)
        raised += interrupts.raised
        assert sorted(result.index for result in results) == list(range(200))
        assert run.report.succeeded == 200
    assert raised
    assert sandbox.counts.events == 30 * 200


def test_the_result_that_next_was_returning(sandbox):
    """An exception between two bytecodes can hide what next has returned."""
    run = sandbox.client().events.ingest_many([event(i) for i in range(3)], concurrency=1)
    assert run.last_result is None

    def interrupt(frame, kind, function):
        if kind == "c_return" and function is next:
            sys.setprofile(None)
            raise InterruptError

    sys.setprofile(interrupt)
    with pytest.raises(InterruptError):
        next(run)
    assert run.last_result.index == 0
    assert [result.index for result in run] == [1, 2]
    assert run.last_result.index == 2


def test_the_last_result_of_an_asynchronous_run(sandbox):
    async def main():
        async with sandbox.async_client() as client:
            run = client.events.ingest_many([event(i) for i in range(2)])
            before = run.last_result
            return before, [result async for result in run], run.last_result

    before, results, last = asyncio.run(main())
    assert before is None
    assert last is results[-1]


Named = collections.namedtuple("Named", "event_type email")
SOURCES = {
    "pandas": pandas.DataFrame,
    "polars": polars.DataFrame,
    "stream": lambda rows: pyarrow.Table.from_pylist(rows).to_reader(max_chunksize=7),
    "named tuples": lambda rows: [Named(**row) for row in rows],
}


@pytest.mark.parametrize("source", SOURCES)
def test_exceptions_from_signals_lose_no_row_of_a_frame(sandbox, source):
    raised = 0
    for round_ in range(8):
        rows = SOURCES[source]([{"event_type": "seen", "email": f"c{i}@example.com"} for i in range(2100)])
        run = sandbox.client().events.ingest_many(rows, concurrency=3)
        results = []
        with Interrupts(0.001 * (round_ + 1), 0.017) as interrupts:  # a slice is converted between two of them
            read_all(run, results, interrupts)
        raised += interrupts.raised
        assert sorted(result.index for result in results) == list(range(2100))
        assert all(result.row["email"] == f"c{result.index}@example.com" for result in results)
        assert run.report.succeeded == 2100
    assert raised
    assert sandbox.counts.events == 8 * 2100


def test_a_row_that_is_built_when_the_exception_comes_is_sent_later(client, sandbox):
    class Row(dict):
        def items(self):
            if self.pop("raise", None):
                raise KeyboardInterrupt
            return super().items()

    run = client.events.ingest_many([event(0), Row({**event(1), "raise": 1, "extra": None}), event(2)])
    results = []
    with pytest.raises(KeyboardInterrupt):
        for result in run:
            results.append(result)
    for result in run:
        results.append(result)
    assert sorted(result.index for result in results) == [0, 1, 2]
    assert sandbox.counts.events == 3


def test_a_callback_may_close_its_run(client):
    run = client.events.ingest_many([event(i) for i in range(30)], on_progress=lambda progress: run.close())
    assert list(run) == []
    assert len(run.in_doubt) + len(run.unsent) == 30


# ---- asyncio ----


def test_a_step_that_times_out_can_be_repeated(sandbox):
    sandbox.fail(delay=0.2, count=8)

    async def main(base_url):
        async with privy.AsyncClient(TOKEN, base_url=base_url) as client:
            run = client.events.ingest_many([event(i) for i in range(30)])
            results, timeouts = [], 0
            while True:
                try:
                    results.append(await asyncio.wait_for(run.__anext__(), 0.05))
                except asyncio.TimeoutError:
                    timeouts += 1
                    assert len(run.in_doubt) + len(results) <= run.taken
                except StopAsyncIteration:
                    break
            assert timeouts
            assert sorted(result.index for result in results) == list(range(30))

    with served(sandbox) as server:
        asyncio.run(asyncio.wait_for(main(server.base_url), 60))
    assert sandbox.counts.events == 30


def test_two_tasks_share_a_run(sandbox):
    async def main(base_url):
        async with privy.AsyncClient(TOKEN, base_url=base_url) as client:
            run = client.events.ingest_many((event(i) for i in range(60)), concurrency=4)

            async def consume():
                return [result.index async for result in run]

            parts = await asyncio.gather(consume(), consume(), consume())
            assert sorted(itertools.chain(*parts)) == list(range(60))

    with served(sandbox) as server:
        asyncio.run(asyncio.wait_for(main(server.base_url), 60))


def test_leaving_an_async_run_says_what_is_in_doubt(sandbox):
    sandbox.fail(delay=30, count=0)

    async def main(base_url):
        async with privy.AsyncClient(TOKEN, base_url=base_url) as client:
            run = client.events.ingest_many([event(i) for i in range(30)], concurrency=3)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(run.run(), 0.5)
            await run.aclose()
            assert [index for index, _, _ in run.in_doubt] == [0, 1, 2]
            assert [index for index, _ in run.unsent] == list(range(3, 30))
            with pytest.raises(RuntimeError, match="is over"):
                async for _ in run:
                    pass

    with served(sandbox) as server:
        asyncio.run(asyncio.wait_for(main(server.base_url), 60))


def test_a_waiting_task_ends_when_another_closes_the_run(sandbox):
    sandbox.fail(delay=30, count=0)

    async def main(base_url):
        async with privy.AsyncClient(TOKEN, base_url=base_url) as client:
            run = client.events.ingest_many([event(i) for i in range(3)])
            waiting = asyncio.ensure_future(run.run())
            await asyncio.sleep(0.2)
            await run.aclose()
            report = await waiting
            assert len(report.in_doubt) == 3

    with served(sandbox) as server:
        asyncio.run(asyncio.wait_for(main(server.base_url), 60))


# ---- any rows, any faults, any interruption ----

FAULTS = [
    {"status": 500},
    {"status": 503},
    {"status": 503, "retry_after": 1},
    {"status": 429, "retry_after": 1},
    {"status": 422},
    {"delay": 0.01},
    {"drop": True},
    {"truncate": True},
]


def random_scene(random, sandbox):
    """A sandbox with faults to come, and rows of few keys; row i gives its contact the first name i."""
    sandbox.set_clock(1_800_000_000)
    for _ in range(random.randrange(8)):
        sandbox.fail(**random.choice(FAULTS), count=random.randrange(1, 5), skip=random.randrange(6))
    kind = random.choice(["contacts", "events"])
    count = random.randrange(1, 60)
    if kind == "contacts":
        return kind, [{"email": f"c{random.randrange(6)}@example.com", "first_name": str(i)} for i in range(count)]
    return kind, [event(random.randrange(6)) if random.random() < 0.9 else {"event_type": "!"} for _ in range(count)]


def check(sandbox, kind, rows, run, results, ordered=True):
    """Each row is in one place, and the server holds what the run says that it holds."""
    sandbox.clear_faults()
    in_doubt, unsent = run.in_doubt, run.unsent
    places = [result.index for result in results] + [i for i, _, _ in in_doubt] + [i for i, _ in unsent]
    assert sorted(places) == list(range(len(rows)))
    assert run.report.succeeded + run.report.failed == len(results)
    client = sandbox.client()
    lost = [result for result in results if not result.ok and result.error.attempts]
    if kind == "events":
        succeeded = sum(result.ok for result in results)
        assert succeeded <= sandbox.counts.events <= succeeded + len(lost) + len(in_doubt)
        again = [{**result.row, "idempotency_key": result.error.idempotency_key} for result in lost]
        again += [{**row, "idempotency_key": key} for _, row, key in in_doubt] + [row for _, row in unsent]
        client.events.ingest_many(again).run()
        assert sandbox.counts.events == sum(row["event_type"] == "seen" for row in rows)
        return
    open_rows = [i for i, _, _ in in_doubt] + [result.index for result in lost]
    for contact in client.contacts.list():
        known = [result.index for result in results if result.ok and result.row["email"] == contact.email]
        last = max(known, default=-1)
        later = [i for i in open_rows if i > last and rows[i]["email"] == contact.email]
        assert int(contact.first_name) in {last, *later}
        order_of = [result.index for result in results if result.row["email"] == contact.email]
        assert order_of == sorted(order_of) or not ordered


@pytest.mark.random
@pytest.mark.parametrize("seed", range(250 if DEEP else 25))
def test_any_run_accounts_for_every_row(sandbox, seed):
    import random

    rng = random.Random(seed)
    kind, rows = random_scene(rng, sandbox)
    options = {"concurrency": rng.randrange(1, 9), "on_progress": advancing(sandbox, []), "timeout": 5}
    client = sandbox.client(max_retries=rng.randrange(4))
    run = (
        client.contacts.upsert_many(rows, **options)
        if kind == "contacts"
        else client.events.ingest_many(rows, **options)
    )
    leave_after = rng.choice([None, rng.randrange(len(rows) + 1)])
    results = []
    first = rng.choice([0, 0.0005])  # 0: no interrupts
    with Interrupts(first, rng.choice([0.0004, 0.002])) as interrupts:
        read_all(run, results, interrupts, leave_after)
    check(sandbox, kind, rows, run, results)


@pytest.mark.random
@pytest.mark.parametrize("seed", range(250 if DEEP else 25))
def test_any_async_run_accounts_for_every_row(sandbox, seed):
    import random

    rng = random.Random(1000 + seed)
    kind, rows = random_scene(rng, sandbox)
    results = []

    async def main():
        async with privy.AsyncClient(sandbox=sandbox, max_retries=rng.randrange(4)) as client:
            options = {"concurrency": rng.randrange(1, 9), "on_progress": advancing(sandbox, []), "timeout": 5}
            many = client.contacts.upsert_many if kind == "contacts" else client.events.ingest_many
            run = many(rows, **options)
            leave_after = rng.choice([None, rng.randrange(len(rows) + 1)])

            async def consume():
                while True:
                    try:
                        results.append(await asyncio.wait_for(run.__anext__(), rng.choice([0.001, 0.02, 60])))
                    except asyncio.TimeoutError:
                        continue
                    except StopAsyncIteration:
                        return
                    if len(results) == leave_after:
                        await run.aclose()

            consumers = rng.randrange(1, 4)
            await asyncio.gather(*(consume() for _ in range(consumers)))
            return run, consumers

    run, consumers = asyncio.run(asyncio.wait_for(main(), 60))
    # A time limit that passes while a result arrives resumes its task later than the task that takes the next result.
    check(sandbox, kind, rows, run, results, ordered=consumers == 1)


def test_a_served_run_accounts_for_what_the_server_holds(recorder):
    """Whatever request the server saw belongs to a row that is reported or in doubt."""
    seen = []

    def answer(request):
        seen.append(request.header("Idempotency-Key"))
        if len(seen) % 3 == 0:
            return Reply(503, {"Retry-After": "0"}, "")
        return Reply(body='{"event_id": "evt_1", "status": "accepted"}')

    recorder.answer = answer
    run = recorder.client().events.ingest_many([event(i) for i in range(20)], concurrency=3)
    for number, _ in enumerate(run, 1):
        if number == 5:
            break
    run.close()
    assert len(set(seen) - {key for _, _, key in run.in_doubt}) == run.done == 5
    assert run.done + len(run.in_doubt) + len(run.unsent) == 20
