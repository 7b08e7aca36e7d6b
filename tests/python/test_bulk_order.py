"""Bulk runs: rows of one key keep their order, and at any time each row is reported, unsent or in doubt."""

from __future__ import annotations

import asyncio
import json
import threading

import privy
import pytest
from support import TOKEN, served, until
from test_bulk import advancing, event, order


@pytest.fixture
def stopped(sandbox):
    """The sandbox with a clock that only tests move."""
    sandbox.set_clock(1_800_000_000)
    return sandbox


def stored_status(client, number):
    """The stored financial_status: an upsert without it keeps it."""
    return client.orders.upsert(**order(number)).financial_status


# ---- rows of one key ----


@pytest.mark.parametrize("concurrency", [1, 2, 8])
def test_a_retried_row_is_not_overtaken(stopped, concurrency):
    client = stopped.client()
    stopped.fail(status=503, retry_after=20)
    rows = [order(1, financial_status="pending"), order(1, financial_status="paid"), order(2)]
    run = client.orders.upsert_many(rows, concurrency=concurrency, on_progress=advancing(stopped, []))
    results = list(run)
    assert [result.index for result in results if result.index < 2] == [0, 1]
    assert results[0].index == 2  # the row of another order does not wait
    assert stored_status(client, 1) == "paid"


def test_many_states_of_one_order(sandbox):
    with served(sandbox) as server, privy.Client(TOKEN, base_url=server.base_url) as client:
        for number in range(1, 11):
            rows = [order(number, financial_status=f"state {i}") for i in range(8)]
            results = list(client.orders.upsert_many(rows))
            assert [result.index for result in results] == list(range(8))
            assert stored_status(client, number) == "state 7"


@pytest.mark.parametrize("same", [{"email": "JANE@example.com"}, {"phone_number": "+14155550171"}])
def test_contacts_wait_for_both_of_their_keys(stopped, same):
    stopped.fail(status=503, retry_after=20)
    rows = [
        {"email": "jane@example.com", "phone_number": "+14155550171", "first_name": "one"},
        {**same, "first_name": "two"},
        {"email": "joe@example.com", "first_name": "other"},
    ]
    run = stopped.client().contacts.upsert_many(rows, on_progress=advancing(stopped, []))
    assert [result.index for result in run] == [2, 0, 1]


def test_events_wait_for_their_key_only_when_they_have_one(stopped):
    stopped.fail(status=503, retry_after=20)
    rows = [{**event(), "idempotency_key": "k"}, event(), {**event(), "idempotency_key": "k"}]
    run = stopped.client().events.ingest_many(rows, on_progress=advancing(stopped, []))
    results = list(run)
    assert [result.index for result in results] == [1, 0, 2]
    assert results[2].value.idempotent_replay
    assert stopped.counts.events == 2


def test_a_row_that_waits_holds_its_key_and_not_the_run(stopped):
    stopped.fail(status=503, retry_after=20)
    rows = [order(1), *(order(1) for _ in range(20)), *(order(number) for number in range(2, 42))]
    results = list(stopped.client().orders.upsert_many(rows, concurrency=2, on_progress=advancing(stopped, [])))
    assert [result.index for result in results] == [*range(21, 61), *range(21)]


def test_look_ahead_is_bounded(stopped):
    stopped.fail(status=503, retry_after=20)
    run = stopped.client().orders.upsert_many((order(1) for _ in range(3000)), concurrency=2)
    reader = threading.Thread(target=lambda: next(run), daemon=True)
    reader.start()
    until(lambda: run.taken == 1000 or not reader.is_alive())
    assert run.taken == 1000
    stopped.advance(30)
    reader.join(60)
    run.close()


# ---- what ends a run ----


@pytest.mark.parametrize("max_retries, failures", [(0, 4), (3, 1)])
def test_a_429_is_the_result_of_its_row(stopped, max_retries, failures):
    stopped.fail(status=429, retry_after=0, count=4, skip=3)
    run = stopped.client().events.ingest_many(
        [event(i) for i in range(20)], concurrency=1, max_retries=max_retries, on_progress=advancing(stopped, [])
    )
    results = list(run)
    assert [type(result.error) for result in results if not result.ok] == [privy.RateLimitError] * failures
    assert (len(results), run.report.stopped, run.unsent) == (20, None, [])


def test_one_429_of_four_rows(stopped):
    stopped.fail(status=429, retry_after=30)
    rows = [{"email": f"c{i}@example.com"} for i in range(4)]
    report = stopped.client().contacts.upsert_many(rows, max_wait=5, max_retries=0).run()
    assert (report.succeeded, report.created, report.failed, report.stopped) == (3, 3, 1, None)


def test_a_spent_minute_with_no_wait_is_unsent(sandbox):
    sandbox.set_limits(per_minute=4)
    report = sandbox.client().events.ingest_many([event(i) for i in range(30)], max_wait=0).run()
    assert (report.total, report.succeeded, report.failed) == (30, 4, 0)
    assert [index for index, _ in report.unsent] == list(range(4, 30))
    assert isinstance(report.stopped, privy.RateLimitError)
    assert report.stopped.unsent == report.unsent
    assert not report.ok
    assert "26 unsent" in str(report)


def test_a_second_pass_raises(client):
    run = client.events.ingest_many([event(i) for i in range(3)])
    assert len(list(run)) == 3
    with pytest.raises(RuntimeError, match="is over"):
        list(run)
    with pytest.raises(RuntimeError, match="is over"):
        run.run()


# ---- the report ----


def test_the_report_counts_what_happened(client):
    client.contacts.create(email="c1@example.com")
    rows = [
        {"email": "c0@example.com"},
        {"email": "c1@example.com", "first_name": "C"},
        {"email": "no address", "tags": 5},
        {"email": "c3@example.com", "custom_fields": {"a": {"b": 1}}},
    ]
    run = client.contacts.upsert_many(rows)
    report = run.run()
    assert (report.total, report.succeeded, report.created, report.updated, report.failed) == (4, 2, 1, 1, 2)
    assert (report.requests, report.unsent, report.in_doubt, report.stopped) == (3, [], [], None)
    assert report.seconds >= report.waited >= 0
    found = {(entry.index, entry.key, entry.field): entry.value for entry in report.refused}
    assert found == {
        (2, "no address", "email"): "no address",
        (2, "no address", "tags"): 5,
        (3, "c3@example.com", "custom_fields.a"): {"b": 1},
    }
    assert report == run.report
    written = json.loads(json.dumps(report.to_dict()))
    assert (written["total"], written["succeeded"], written["failed"], written["ok"]) == (4, 2, 2, False)
    assert written["refused"][0]["key"] == "no address"
    assert {(row["index"], row["field"]) for row in written["refused"]} == {entry[::2] for entry in found}
    assert (written["unsent"], written["in_doubt"], written["stopped"]) == ([], [], None)
    assert written["sandbox"] is True


def test_a_report_of_a_run_that_ended_early_as_a_dict(client):
    def rows():
        yield {"email": "c0@example.com"}
        raise LookupError("the file is torn")

    run = client.contacts.upsert_many(rows())
    with pytest.raises(LookupError):
        run.run()
    written = run.report.to_dict()
    assert written["stopped"] == "LookupError: the file is torn"
    assert (written["total"], written["succeeded"]) == (1, 1)


def test_no_repr_shows_a_row(client):
    run = client.contacts.upsert_many([{"email": "jane@example.com", "phone_number": "+1 415"}, {"email": "joe@x.io"}])
    assert "jane" not in repr(run)
    report = run.run()
    assert "jane" not in repr(report) + str(report) + repr(report.refused) + repr(run)
    assert repr(run).startswith("Bulk(sandbox, total=2, taken=2, done=2, failed=1)")


def test_the_value_of_a_nested_detail(client):
    rows = [order(7, line_items=[{"sku": "a", "price": "1.00"}, {"sku": "b", "price": "much"}])]
    (entry,) = client.orders.upsert_many(rows).run().refused
    assert (entry.key, entry.field, entry.value) == (7, "line_items[1].price", "much")


def test_a_row_that_fails_without_details_has_a_message(stopped):
    stopped.fail(status=500, count=0)
    (entry,) = stopped.client(max_retries=0).events.ingest_many([{**event(), "idempotency_key": "k1"}]).run().refused
    assert (entry.key, entry.field, entry.value) == ("k1", "base", None)
    assert "500" in entry.message


def test_a_failing_iterable_leaves_a_report(client):
    def rows():
        yield from (event(i) for i in range(5))
        raise LookupError("the file is torn")

    run = client.events.ingest_many(rows())
    with pytest.raises(LookupError, match="torn"):
        run.run()
    assert (run.report.succeeded, run.report.total) == (5, 5)
    assert isinstance(run.report.stopped, LookupError)


# ---- checks without a request ----

WRONG = [
    {"email": "a@example.com"},
    {"email": "no address", "first_name": "X"},
    "text",
    {"email": "b@example.com", "emial": "c@example.com", "extra": {"any": 1}},
]


def test_all_rows_are_checked_without_a_request(client, sandbox):
    faults = client.contacts.validate_many(iter(WRONG))
    assert [(fault.index, fault.key, fault.field) for fault in faults] == [
        (1, "no address", "email"),
        (2, None, "base"),
        (3, "b@example.com", "emial"),
    ]
    assert "email" in faults[2].message
    assert faults == client.contacts.upsert_many(WRONG).run().refused
    assert client.orders.validate_many([order(1), order(2)]) == []
    assert [fault.field for fault in client.events.validate_many([event(), {"event_type": "!"}])] == [
        "event_type",
        "base",
    ]
    assert sandbox.counts.requests == 1


def test_a_run_may_be_refused_as_one(client, sandbox):
    with pytest.raises(
        privy.ValidationError, match=r"^3 of 4 rows are invalid, nothing was sent: row 1: email "
    ) as caught:
        client.contacts.upsert_many(iter(WRONG), check_first=True)
    assert [detail["field"] for detail in caught.value.details] == ["[1].email", "[2].base", "[3].emial"]
    assert sandbox.counts.requests == 0
    report = client.contacts.upsert_many(iter([WRONG[0], WRONG[0]]), check_first=True).run()
    assert (report.total, report.succeeded) == (2, 2)


def test_an_async_run_may_be_refused_as_one(sandbox):
    async def main():
        async with privy.AsyncClient(sandbox=sandbox) as client:
            assert len(client.contacts.validate_many(WRONG)) == 3
            with pytest.raises(privy.ValidationError, match="3 of 4 rows"):
                client.contacts.upsert_many(WRONG, check_first=True)

    asyncio.run(main())
