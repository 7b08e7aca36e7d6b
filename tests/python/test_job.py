"""Calls inside a job of a queue do not wait, and each error has an instant of its own for the next run."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import threading

import privy
import pytest


@pytest.fixture
def spent(sandbox):
    """A sandbox whose minute is spent, and a client that knows it."""
    sandbox.set_clock(1_800_000_000)
    sandbox.set_limits(1, 0)
    with sandbox.client(max_wait=90, max_retries=3) as client:
        client.contacts.list().total_count()
        yield client


def refusal(call):
    with pytest.raises(privy.RateLimitError) as caught:
        call()
    return caught.value


def count(client, **options):
    return client.contacts.list(**options).total_count()


def test_a_call_in_a_job_does_not_wait(spent):
    with privy.job():
        error = refusal(lambda: count(spent))
    assert error.waited == 0
    assert error.attempts == 0
    assert error.retryable


def test_each_job_gets_an_instant_of_its_own(spent):
    with privy.job():
        errors = [refusal(lambda: count(spent)) for _ in range(10)]
    times = [error.retry_at for error in errors]
    assert times == sorted(set(times))
    assert all(error.resets_at <= error.retry_at for error in errors)
    assert len({error.resets_at for error in errors}) == 1
    assert (times[-1] - errors[0].resets_at).total_seconds() > 60  # one request a window, and two to spare


def test_outside_of_a_job_all_errors_name_the_beginning_of_the_window(spent):
    with privy.job():
        refusal(lambda: count(spent))
    errors = [refusal(lambda: count(spent, max_wait=0)) for _ in range(3)]
    assert {error.retry_at for error in errors} == {errors[0].resets_at}


def test_a_429_and_a_503_name_an_instant_of_their_own_too(sandbox):
    sandbox.set_clock(1_800_000_000)
    client = sandbox.client()
    for status in (429, 503):
        sandbox.fail(status=status, retry_after=20, count=5)
        with privy.job():
            times = []
            for _ in range(5):
                with pytest.raises(privy.APIStatusError) as caught:
                    count(client)
                assert caught.value.attempts == 1
                times.append(caught.value.retry_after)
        assert times == sorted(set(times))
        assert 20 <= times[0] < times[-1] < 40


def test_an_error_without_a_time_has_none(sandbox):
    sandbox.fail(status=500, count=1)
    with privy.job(), pytest.raises(privy.ServerError) as caught:
        count(sandbox.client())
    assert caught.value.retry_after is None
    assert caught.value.attempts == 1


def test_only_the_call_itself_can_wait(sandbox):
    client = sandbox.client(max_wait=90)
    for waiting in (client, client.with_options(max_wait=90)):
        sandbox.fail(status=429, retry_after=0.05)
        with privy.job(), pytest.raises(privy.RateLimitError):
            count(waiting)
        sandbox.fail(status=429, retry_after=0.05)
        with privy.job():
            assert count(waiting, max_wait=30) == 0


def test_bulk_runs_wait(sandbox):
    sandbox.fail(status=429, retry_after=0.05)
    with privy.job():
        report = sandbox.client(max_wait=0).contacts.upsert_many([{"email": "jane@example.com"}]).run()
    assert report.ok


def test_jobs_nest_and_end_with_an_exception(spent):
    one = privy.job()
    with one, one, pytest.raises(ValueError, match="stop"), one:
        raise ValueError("stop")
    before = refusal(lambda: count(spent, max_wait=0)).retry_at
    with privy.job(), privy.job():
        pass
    assert refusal(lambda: count(spent, max_wait=0)).retry_at == before


def test_a_job_holds_for_its_thread_and_its_task(sandbox):
    inside = []

    def look():
        sandbox.fail(status=429, retry_after=0.05)
        try:
            count(sandbox.client(max_wait=30))
        except privy.RateLimitError:
            inside.append(True)
        else:
            inside.append(False)

    async def job():
        with privy.job():
            await asyncio.sleep(0)
            look()

    async def both():
        task = asyncio.create_task(job())
        await asyncio.sleep(0)
        look()
        await task

    with privy.job():
        thread = threading.Thread(target=contextvars.Context().run, args=(look,))
        thread.start()
        thread.join()
    asyncio.run(both())
    assert inside == [False, False, True]


def test_a_call_of_an_async_client_does_not_wait(sandbox):
    async def calls():
        async with sandbox.async_client(max_wait=90) as client:
            sandbox.fail(status=429, retry_after=20)
            with privy.job():
                return await client.contacts.list().total_count()

    with pytest.raises(privy.RateLimitError) as caught:
        asyncio.run(calls())
    assert caught.value.waited == 0


def test_the_backoff_grows():
    from privy._core import job_backoff

    assert [job_backoff(0.0, failure) for failure in (1, 2, 3, 10, 10**6)] == [1, 2, 4, 300, 300]
    assert job_backoff(0.5, 1) == 1.5


def test_the_block_leaves_nothing(spent, monkeypatch):
    monkeypatch.setattr(logging.getLogger("privy"), "disabled", True)  # pytest keeps what is logged
    with privy.job():
        refusal(lambda: count(spent))
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(50):
        with privy.job():
            refusal(lambda: count(spent))
    gc.collect()
    assert len(gc.get_objects()) - before < 40
