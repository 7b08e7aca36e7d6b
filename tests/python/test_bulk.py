"""Bulk runs: a result for every row, few calls at a time, within the rate limit, and nothing lost at the end."""

from __future__ import annotations

import gc
import itertools
import pickle
import sys
import threading
import time
from datetime import datetime, timezone

import privy
import pytest
from support import PROMPT, TOKEN, Reply, assert_ctrl_c_is_prompt, recording, served, until
from test_processes import ended, in_child

ACCEPTED = Reply(body='{"event_id": "evt_1", "status": "accepted"}')


def order(number, **more):
    return {
        "order_id": number,
        "email": f"o{number % 7}@example.com",
        "total": "95.00",
        "currency": "USD",
        "order_date": "2026-05-12T10:00:00Z",
        **more,
    }


def event(number=0):
    return {"event_type": "seen", "email": f"e{number}@example.com"}


@pytest.fixture
def large(sandbox):
    """The sandbox of an account with limits that are never reached."""
    sandbox.set_limits(per_minute=1_000_000, per_day=1_000_000)
    return sandbox


# ---- rows and results ----


def test_every_row_has_its_result(large, client):
    rows = [order(number) for number in range(1, 101)]
    results = list(client.orders.upsert_many(rows))
    assert sorted(result.index for result in results) == list(range(100))
    for result in results:
        assert result.ok
        assert result.row is rows[result.index]
        assert str(result.value.order_id) == str(result.row["order_id"])
        assert (result.value.created, result.error) == (True, None)
    assert large.counts.orders == 100


def test_contacts_and_events(large, client):
    client.contacts.create(email="c1@example.com")
    contacts = list(client.contacts.upsert_many({"email": f"c{i}@example.com", "first_name": "C"} for i in range(5)))
    assert {result.value.first_name for result in contacts} == {"C"}
    assert large.counts.contacts == 5
    events = list(client.events.ingest_many(event(i) for i in range(12)))
    assert {result.value.status for result in events} == {"accepted"}
    assert large.counts.events == 12


def test_a_run_without_rows_sends_nothing(client):
    run = client.orders.upsert_many([])
    assert list(run) == []
    assert (run.taken, run.done, run.failed, run.unsent) == (0, 0, 0, [])


def test_bad_rows_stop_nothing(large, client):
    rows = [order(i + 1) for i in range(30)]
    rows[3]["currency"] = "usd"
    rows[7] = {"order_id": 8}
    rows[11] = "no dict"
    rows[13]["colour"] = "red"
    rows[17]["email"] = object()
    rows[19]["extra"] = 5
    results = {result.index: result for result in client.orders.upsert_many(rows)}
    assert {index for index in results if not results[index].ok} == {3, 7, 11, 13, 17, 19}
    assert len(results) == 30
    for index in (3, 7, 11, 13, 17):
        assert isinstance(results[index].error, privy.ValidationError), index
        assert results[index].error.attempts == 0
    assert [fault["field"] for fault in results[3].error.details] == ["currency"]
    assert results[11].error.details == [{"field": "base", "message": "must be a dict, not str", "code": "wrong_type"}]
    assert isinstance(results[19].error, TypeError)
    assert large.counts.orders == large.counts.requests == 24


def test_a_row_that_the_server_refuses_stops_nothing(large, client):
    large.fail(422, skip=4)
    large.fail(500, skip=4)
    results = list(client.events.ingest_many((event(i) for i in range(20)), max_retries=0))
    errors = [type(result.error) for result in results if not result.ok]
    assert sorted(errors, key=str) == sorted([privy.ValidationError, privy.ServerError], key=str)
    assert len(results) == 20
    assert all(result.value is None for result in results if not result.ok)


def test_failures_that_pass_are_retried(large, client):
    large.fail(503, skip=2)
    large.fail(drop=True, skip=2)
    assert all(result.ok for result in client.events.ingest_many(event(i) for i in range(12)))
    assert large.counts.events == 12


def test_further_fields_of_a_row(recorder):
    recorder.answer = lambda request: ACCEPTED
    row = {**event(), "extra": {"campaign": 7}}
    (result,) = recorder.client().events.ingest_many([row])
    assert result.ok
    assert recorder.requests[0].body == b'{"event_type":"seen","email":"e0@example.com","campaign":7}'
    assert row["extra"] == {"campaign": 7}


def test_a_key_of_its_own_for_every_event(recorder):
    recorder.answer = lambda request: ACCEPTED
    assert len(list(recorder.client().events.ingest_many(event() for _ in range(20)))) == 20
    assert len({request.header("Idempotency-Key") for request in recorder.requests}) == 20


def test_results_are_values(large, client):
    result = next(client.events.ingest_many([event(5)]))
    with pytest.raises(AttributeError):
        result.index = 5
    assert "e5@" not in repr(result)
    assert pickle.loads(pickle.dumps(result)) == result


def test_a_result_is_a_success_or_a_failure(client):
    good, bad = sorted(client.events.ingest_many([event(5), {"event_type": "seen"}]), key=lambda result: result.index)
    assert (type(good), good.ok, good.error, good.value.status) == (privy.Success, True, None, "accepted")
    assert (type(bad), bad.ok, bad.value, type(bad.error)) == (privy.Failure, False, None, privy.ValidationError)
    assert isinstance(bad.row, dict)
    match bad:
        case privy.Failure(index=index, error=error):
            assert (index, error) == (1, bad.error)
    assert privy.Result[privy.EventReceipt]  # annotations that are evaluated need it to take its type


# ---- laziness and bounds ----


def test_nothing_happens_before_the_first_step(client, sandbox):
    taken = []
    run = client.events.ingest_many(taken.append(i) or event(i) for i in range(9))
    assert (taken, sandbox.counts.requests) == ([], 0)
    next(run)
    assert taken


@pytest.mark.parametrize("concurrency", [1, 3, 8])
def test_rows_are_taken_as_places_free_up(large, client, concurrency):
    taken = 0

    def rows():
        nonlocal taken
        for number in range(60):
            taken += 1
            yield event(number) if number % 5 else {"event_type": "!"}

    seen = 0
    for _ in client.events.ingest_many(rows(), concurrency=concurrency):
        seen += 1
        assert taken <= seen + concurrency
    assert seen == taken == 60


def test_concurrency_is_what_was_requested():
    lock, now, most = threading.Lock(), 0, 0

    def answer(request):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1
        return ACCEPTED

    with recording(answer) as recorder:
        results = list(recorder.client().events.ingest_many((event(i) for i in range(60)), concurrency=5))
        assert all(result.ok for result in results)
        assert (most, len(recorder.requests)) == (5, 60)
        assert recorder.connections <= 5


def test_memory_is_bounded(large):
    client = large.client()

    def run(count):
        for result in client.events.ingest_many(event() for _ in range(count)):
            assert result.ok

    run(300)
    gc.collect()
    before = sys.getallocatedblocks()
    peak = 0
    for number, result in enumerate(client.events.ingest_many(event() for _ in range(4000))):
        assert result.ok
        if number % 500 == 0:
            peak = max(peak, sys.getallocatedblocks() - before)
    assert peak < 2000


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, "eight", True, []])
def test_a_concurrency_that_cannot_be(client, concurrency):
    with pytest.raises(privy.PrivyError, match="concurrency must be a whole number, 1 or more"):
        client.events.ingest_many([], concurrency=concurrency)


def test_invalid_options_raise_before_any_row_is_taken(client):
    with pytest.raises(privy.PrivyError, match="timeout"):
        client.events.ingest_many([event()], timeout=-1)
    with pytest.raises(privy.PrivyError, match="timeout"):
        client.events.ingest_many([event()], timeout=0)


# ---- leaving early ----


def test_leaving_a_loop_cancels_the_calls_in_flight():
    arrived, release = itertools.count(), threading.Event()

    def answer(request):
        if next(arrived) > 0:
            release.wait(300)
        return ACCEPTED

    with recording(answer) as recorder:
        started = time.monotonic()
        for _ in recorder.client().events.ingest_many((event(i) for i in range(50)), concurrency=4):
            break
        assert time.monotonic() - started < PROMPT
        release.set()
        time.sleep(0.3)
        assert len(recorder.requests) <= 6


def test_close_and_with(large, client):
    with client.events.ingest_many(event(i) for i in range(50)) as run:
        next(run)
    requests = large.counts.requests
    with pytest.raises(StopIteration):
        next(run)
    run.close()
    assert large.counts.requests == requests <= 16


def test_a_run_that_finishes_early_leaves_nothing_in_doubt(large, client):
    rows = [event(i) for i in range(50)]
    run = client.events.ingest_many(rows)
    results = [next(run)]
    run.finish()
    results += run
    report = run.report
    assert large.counts.requests == len(results) == report.succeeded < 50
    assert len(report.unsent) == 50 - len(results)
    assert (list(report.in_doubt), report.stopped) == ([], None)
    run.finish()


def test_ctrl_c_while_waiting_for_responses(large, client):
    large.fail(delay=300, count=0)
    assert_ctrl_c_is_prompt(lambda: list(client.events.ingest_many((event(i) for i in range(50)), timeout=300)))
    large.clear_faults()
    assert all(result.ok for result in client.events.ingest_many(event(i) for i in range(5)))


def test_a_client_closed_meanwhile(large, client):
    run = client.events.ingest_many(event(i) for i in range(50))
    next(run)
    client.close()
    with pytest.raises(privy.PrivyError, match="closed"):
        list(run)
    assert run.done + len(run.unsent) == run.taken


def test_a_failing_iterable_raises_after_all_results(large, client):
    def rows():
        yield from (event(i) for i in range(20))
        raise LookupError("the file is torn")

    run, seen = client.events.ingest_many(rows()), []
    with pytest.raises(LookupError, match="torn"):
        for result in run:
            seen.append(result)
    assert len(seen) == 20


def test_a_fork_leaves_the_run_to_the_parent(large):
    with served(large) as server, privy.Client(TOKEN, base_url=server.base_url) as client:
        run = client.events.ingest_many((event(i) for i in range(30)), concurrency=4)
        next(run)

        def in_the_child():
            with pytest.raises(privy.PrivyError, match="parent"):
                list(run)
            assert all(result.ok for result in client.events.ingest_many(event(i) for i in range(3)))

        assert ended(in_child(in_the_child)) == 0
        assert len(list(run)) == 29
        assert large.counts.events == 33


def test_one_thread_at_a_time(large):
    large.fail(delay=2)
    run = large.client().events.ingest_many([event()])
    outcome = []
    thread = threading.Thread(target=lambda: outcome.extend(run))
    thread.start()
    until(lambda: large.counts.requests == 1)
    with pytest.raises(RuntimeError, match="one thread"):
        next(run)
    assert (run.taken, run.done) == (1, 0)
    thread.join(60)
    assert len(outcome) == 1


# ---- budget and progress ----


def advancing(sandbox, reports):
    """A progress callback that lets time pass whenever calls wait."""

    def on_progress(progress):
        reports.append(progress)
        if progress.waiting_until is not None:
            seconds = progress.waiting_until.timestamp() - sandbox.now
            if seconds > 0:
                sandbox.advance(seconds)

    return on_progress


def test_a_run_keeps_to_the_minute(sandbox):
    sandbox.set_limits(per_minute=60)
    sandbox.set_clock(1_800_000_000)
    reports = []
    client = sandbox.client(max_wait=0)
    rows = [order(number) for number in range(1, 301)]
    results = list(client.orders.upsert_many(rows, on_progress=advancing(sandbox, reports)))
    assert all(result.ok for result in results)
    assert sandbox.counts.requests == sandbox.counts.orders == 300
    assert 240 <= sandbox.now - 1_800_000_000 <= 310
    assert [progress.done for progress in reports] == sorted(progress.done for progress in reports)
    assert (reports[-1].done, reports[-1].failed, reports[-1].total) == (300, 0, 300)
    assert reports[-1].eta == 0
    early = next(progress for progress in reports if progress.done == 10)
    assert 180 <= early.eta <= 300
    assert sum(progress.waiting_until is not None for progress in reports) >= 4


def test_a_reserve_is_left_by_a_run(sandbox):
    sandbox.set_limits(per_minute=60)
    sandbox.set_clock(1_800_000_000)
    client = sandbox.client(reserve=30)
    reports = []
    list(client.orders.upsert_many([order(n) for n in range(1, 91)], on_progress=advancing(sandbox, reports)))
    assert sandbox.counts.orders == 90
    assert 120 <= sandbox.now - 1_800_000_000 <= 190


@pytest.mark.parametrize("lazy", [False, True])
def test_a_spent_day_stops_the_run_and_loses_no_row(sandbox, lazy):
    sandbox.set_limits(per_day=10)
    sandbox.set_clock(1_800_000_000)
    client = sandbox.client()
    rows = [order(number) for number in range(1, 26)]
    given = iter(rows) if lazy else rows
    run = client.orders.upsert_many(given)
    results = []
    with pytest.raises(privy.RateLimitError) as caught:
        for result in run:
            results.append(result)
    assert [result.ok for result in results] == [True] * 10
    assert sandbox.counts.orders == 10
    assert caught.value.resets_at > datetime.fromtimestamp(1_800_000_000, timezone.utc)
    assert caught.value.unsent == run.unsent
    assert all(rows[index] is row for index, row in run.unsent)
    assert run.in_doubt == []
    every = range(run.taken) if lazy else range(25)
    assert sorted([result.index for result in results] + [index for index, _ in run.unsent]) == list(every)
    assert pickle.loads(pickle.dumps(caught.value)).unsent == run.unsent
    sandbox.advance(86_401)
    sandbox.set_limits(per_day=100)
    rest = list(given) if lazy else []
    again = list(client.orders.upsert_many([*(row for _, row in run.unsent), *rest]))
    assert all(result.ok for result in again)
    assert sandbox.counts.orders == 25


def test_a_spent_day_over_a_socket(sandbox):
    sandbox.set_limits(per_day=6)
    with served(sandbox) as server, privy.Client(TOKEN, base_url=server.base_url) as client:
        run = client.events.ingest_many((event(i) for i in range(20)), concurrency=3)
        results = []
        started = time.monotonic()
        with pytest.raises(privy.RateLimitError):
            for result in run:
                results.append(result)
        assert time.monotonic() - started < PROMPT
    assert [result.ok for result in results] == [True] * 6
    assert sandbox.counts.events == 6
    assert len(results) + len(run.unsent) == run.taken <= 12


def test_max_wait_of_a_run(sandbox):
    sandbox.set_limits(per_minute=4)
    run = sandbox.client().events.ingest_many((event(i) for i in range(10)), max_wait=0, concurrency=2)
    results = []
    with pytest.raises(privy.RateLimitError) as caught:
        for result in run:
            results.append(result)
    assert len(results) == 4
    assert len(run.unsent) == run.taken - 4 > 0
    assert caught.value.attempts == 0


def test_progress_counts_failures_and_does_without_a_length(large, client):
    reports = []
    rows = (event(i) if i % 2 else {} for i in range(10))
    list(client.events.ingest_many(rows, on_progress=reports.append))
    assert (reports[-1].done, reports[-1].failed, reports[-1].total, reports[-1].eta) == (10, 5, None, None)
    assert len(reports) >= 10
    with pytest.raises(AttributeError):
        reports[0].done = 5


def test_an_eta_beyond_the_day_is_none(sandbox):
    sandbox.set_limits(per_day=50)
    reports = []
    run = sandbox.client().events.ingest_many([event(i) for i in range(200)], on_progress=reports.append)
    for _ in range(3):
        next(run)
    assert reports[2].eta is None
    run.close()


def test_a_callback_that_raises_loses_no_result(large, client):
    def on_progress(progress):
        if progress.done == 3:
            raise LookupError("no more")

    run = client.events.ingest_many((event(i) for i in range(10)), on_progress=on_progress)
    results = []
    with pytest.raises(LookupError, match="no more"):
        for result in run:
            results.append(result)
    results += list(run)
    assert sorted(result.index for result in results) == list(range(10))


class Windows:
    """A server that allows few requests a window, says so in its headers, and answers 429 to what comes too early."""

    def __init__(self, limit, seconds):
        self.limit, self.seconds = limit, seconds
        self.lock, self.used, self.ends_at = threading.Lock(), 0, 0
        self.accepted = self.refused = 0

    def __call__(self, request):
        with self.lock:
            now = time.time()
            if now >= self.ends_at:
                self.used, self.ends_at = 0, int(now) + self.seconds
            fits = self.used < self.limit
            self.used += fits
            self.accepted += fits
            self.refused += not fits
            headers = {
                "X-RateLimit-Limit-Minute": str(self.limit),
                "X-RateLimit-Remaining-Minute": str(self.limit - self.used),
                "X-RateLimit-Reset-Minute": str(self.ends_at),
            }
        return Reply(200, headers, ACCEPTED.body) if fits else Reply(429, {**headers, "Retry-After": "1"}, "")


def test_windows_are_waited_for_over_a_socket():
    server, reports = Windows(limit=10, seconds=2), []
    with recording(server) as recorder:
        run = recorder.client().events.ingest_many([event(i) for i in range(30)], on_progress=reports.append)
        assert all(result.ok for result in run)
    assert (server.accepted, server.refused) == (30, 0)
    waits = [progress for progress in reports if progress.waiting_until is not None]
    assert waits
    assert all(0 < progress.eta < 120 for progress in waits)


def test_a_slow_reader_causes_no_timeout(recorder):
    recorder.answer = lambda request: time.sleep(0.1) or ACCEPTED
    run = recorder.client(timeout=2).events.ingest_many([event(i) for i in range(4)], concurrency=2)
    for result in run:
        assert result.ok, result.error
        time.sleep(2.5 if run.done == 1 else 0)
    assert len(recorder.requests) == 4
