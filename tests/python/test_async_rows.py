"""Rows of bulk runs that come from an asynchronous iterable."""

from __future__ import annotations

import asyncio
import contextlib

import pandas
import privy
import pytest


def row(number):
    return {"event_type": "seen", "email": f"c{number}@example.com"}


async def slow_rows(count, closed=None):
    try:
        for number in range(count):
            await asyncio.sleep(0)
            yield row(number)
    finally:
        if closed is not None:
            closed.append(asyncio.current_task())


@pytest.fixture
def run_with(sandbox):
    """Runs a coroutine function with a client of the sandbox."""

    def run(action):
        async def main():
            async with privy.AsyncClient(sandbox=sandbox) as client:
                return await action(client)

        return asyncio.run(main())

    return run


def test_all_rows_are_sent_in_their_order(run_with, sandbox):
    async def action(client):
        run = client.events.ingest_many(slow_rows(30))
        assert run.total is None
        results = [result async for result in run]
        assert sorted(result.index for result in results) == list(range(30))
        assert all(result.row == row(result.index) for result in results)
        return run.report

    report = run_with(action)
    assert (report.total, report.succeeded, report.ok) == (30, 30, True)
    assert sandbox.counts.events == 30


def test_a_source_that_waits_holds_up_no_result(run_with):
    """The second row comes only when the result of the first one was read."""

    async def action(client):
        read = asyncio.Event()

        async def rows():
            yield row(0)
            await read.wait()
            yield row(1)

        run = client.events.ingest_many(rows())
        first = await anext(run)
        read.set()
        return [first.index, *[result.index async for result in run]]

    assert run_with(action) == [0, 1]


def test_no_row_is_taken_ahead_of_need(run_with):
    async def action(client):
        taken = []

        async def rows():
            for number in range(100):
                taken.append(number)
                yield row(number)

        async with client.events.ingest_many(rows(), concurrency=2) as run:
            assert taken == []
            await anext(run)
            return len(taken), run.taken

    taken, counted = run_with(action)
    assert taken <= counted + 1 <= 5


def test_one_task_reads_the_source(run_with):
    """A task group, or a timeout, that the source holds open between two rows must end in the task that began it."""

    async def action(client):
        tasks = set()

        async def rows():
            async with asyncio.timeout(60) if hasattr(asyncio, "timeout") else contextlib.nullcontext():
                for number in range(20):
                    tasks.add(asyncio.current_task())
                    yield row(number)

        report = await client.events.ingest_many(rows()).run()
        return report.ok, len(tasks)

    assert run_with(action) == (True, 1)


def test_the_exception_of_a_source_ends_the_run_after_all_results(run_with):
    async def action(client):
        async def rows():
            yield row(0)
            yield row(1)
            raise LookupError("no more pages")

        run = client.events.ingest_many(rows())
        seen = []
        with pytest.raises(LookupError, match="no more pages"):
            async for result in run:
                seen.append(result.index)
        assert isinstance(run.report.stopped, LookupError)
        return sorted(seen)

    assert run_with(action) == [0, 1]


def test_a_cancelled_step_loses_no_row(run_with, sandbox):
    async def action(client):
        gate = asyncio.Event()

        async def rows():
            for number in range(10):
                if number == 5:
                    await gate.wait()
                yield row(number)

        run = client.events.ingest_many(rows())
        indexes = []
        for _ in range(5):
            indexes.append((await anext(run)).index)
        step = asyncio.ensure_future(anext(run))
        for _ in range(3):
            await asyncio.sleep(0)
        step.cancel()
        with pytest.raises(asyncio.CancelledError):
            await step
        gate.set()
        indexes += [result.index async for result in run]
        return sorted(indexes), run.report.ok

    assert run_with(action) == (list(range(10)), True)
    assert sandbox.counts.events == 10


def test_closing_a_run_ends_the_source_and_lists_its_rows(run_with):
    async def action(client):
        closed, received = [], []

        async def rows():
            async for given in slow_rows(100, closed):
                received.append(given)
                yield given

        source = rows()
        run = client.events.ingest_many(source, concurrency=1)
        results = [await anext(run), await anext(run)]
        await run.aclose()
        await source.aclose()
        counted = len(results) + len(run.unsent) + len(run.in_doubt)
        return len(received), counted, [index for index, _ in run.unsent]

    received, counted, unsent = run_with(action)
    assert received == counted
    assert unsent == sorted(unsent)


def test_closing_a_run_that_waits_for_its_source(run_with):
    async def action(client):
        cancelled = []

        async def rows():
            yield row(0)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(True)
                raise
            yield row(1)

        run = client.events.ingest_many(rows())
        await anext(run)
        step = asyncio.ensure_future(anext(run))
        while not step.done() and not run._rows.source._task:
            await asyncio.sleep(0)
        for _ in range(3):
            await asyncio.sleep(0)
        await run.aclose()
        with pytest.raises(StopAsyncIteration):
            await step
        return cancelled

    assert run_with(action) == [True]


def test_a_source_that_is_cancelled_from_elsewhere_ends_the_run_with_an_error(run_with):
    async def action(client):
        async def rows():
            yield row(0)
            raise asyncio.CancelledError

        run = client.events.ingest_many(rows())
        with pytest.raises(RuntimeError, match="the source of the rows was cancelled"):
            async for _ in run:
                pass
        return run.report.succeeded

    assert run_with(action) == 1


def test_an_asynchronous_iterable_that_is_no_generator(run_with):
    class Cursor:
        def __init__(self):
            self.left = 3

        def __aiter__(self):
            return self

        async def __anext__(self):
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return row(self.left)

    async def action(client):
        return await client.events.ingest_many(Cursor()).run()

    report = run_with(action)
    assert (report.succeeded, report.ok) == (3, True)


def test_frames_and_nulls(run_with, sandbox):
    async def action(client):
        frame = pandas.DataFrame({"event_type": ["seen"], "email": ["a@example.com"], "phone": [None]})
        reports = [await client.events.ingest_many(frame).run()]

        async def rows():
            yield {"event_type": "seen", "email": "a@example.com", "phone": None}

        reports.append(await client.events.ingest_many(rows(), nulls="omit").run())
        with pytest.raises(privy.ValidationError, match="did you mean email"):
            client.events.ingest_many(frame.rename(columns={"email": "mail"}))
        with pytest.raises(ValueError, match="nulls must be"):
            client.events.ingest_many(rows(), nulls="drop")
        return reports

    assert all(report.ok for report in run_with(action))
    assert [request.json for request in sandbox.requests] == [{"event_type": "seen", "email": "a@example.com"}] * 2


def test_what_needs_all_rows_names_how_to_collect_them(run_with):
    async def action(client):
        for method in (
            lambda rows: client.events.ingest_many(rows, check_first=True),
            client.events.validate_many,
            privy.Sandbox().client().events.ingest_many,
        ):
            with pytest.raises(TypeError, match=r"\[row async for row in rows\]"):
                method(slow_rows(1))

    run_with(action)
