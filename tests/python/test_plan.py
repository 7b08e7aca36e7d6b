"""Plans: what rows of contacts would change, and sending only that."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import privy
import pytest
from support import assert_ctrl_c_is_prompt

CONTACTS = 10_000


@pytest.fixture
def jane(client):
    return client.contacts.create(email="jane@example.com", first_name="Jane", tags=["a"], custom_fields={"n": 5})


def fill(client, count):
    rows = ({"email": f"p{i}@example.com", "first_name": f"N{i}", "custom_fields": {"n": i}} for i in range(count))
    assert client.contacts.upsert_many(rows).run().ok


# ---- the figure ----


def test_ten_thousand_contacts_of_which_one_in_twenty_differs_take_600_requests():
    sandbox = privy.Sandbox()
    client = sandbox.client()
    fill(client, CONTACTS)
    sandbox.advance(60)  # contacts of this second might have been created while the pages are read
    before = sandbox.snapshot()
    rows = [
        {"email": f"p{i}@example.com", "first_name": f"N{i}{'x' if i % 20 == 0 else ''}", "custom_fields": {"n": i}}
        for i in range(CONTACTS)
    ]
    start = sandbox.counts.requests
    plan = client.contacts.plan(rows)
    read = sandbox.counts.requests - start
    assert (len(plan), len(plan.update), len(plan.unchanged), plan.requests) == (10_000, 500, 9_500, 500)
    assert read == plan.requests_read == 100
    report = plan.apply()
    assert report.ok
    assert (report.total, report.updated, report.created) == (500, 500, 0)
    assert sandbox.counts.requests - start == 600

    sandbox.restore(before)
    start = sandbox.counts.requests
    assert client.contacts.upsert_many(rows).run().ok
    assert sandbox.counts.requests - start == 20_000


def test_contacts_written_just_before_cost_few_requests_more():
    sandbox = privy.Sandbox()
    client = sandbox.client()
    fill(client, CONTACTS)
    # By the date of a response it is open whether these changed before it or after it.
    for i in (0, 5_000, CONTACTS - 1):
        client.contacts.upsert(email=f"p{i}@example.com", last_name="Doe")
    rows = [{"email": f"p{i}@example.com", "first_name": f"N{i}{'x' if i % 20 == 0 else ''}"} for i in range(CONTACTS)]
    start = sandbox.counts.requests
    plan = client.contacts.plan(rows)
    assert (len(plan.update), len(plan.unchanged)) == (500, 9_500)
    assert sandbox.counts.requests - start == plan.requests_read <= 108
    assert plan.apply().ok
    assert sandbox.counts.requests - start <= 610


# ---- rows ----


def test_each_state_has_its_rows(client, jane):
    client.contacts.create(email="joe@example.com", email_consent="unsubscribed")
    plan = client.contacts.plan(
        [
            {"email": "jane@example.com", "first_name": "Janet"},
            {"email": "new@example.com", "tags": ["b"]},
            {"email": "jane@example.com", "custom_fields": {"n": Decimal("5.0")}},
            {"email": "joe@example.com", "email_consent": "subscribed"},
            {"email": "nobody", "tags": "x"},
        ]
    )
    assert [row.index for row in plan.update] == [0]
    assert plan.update[0].changes == {"first_name": privy.Change("Jane", "Janet")}
    assert plan.update[0].contact_id == jane.id
    assert plan.create[0].changes == {"email": (None, "new@example.com"), "tags": (None, ["b"])}
    assert plan.create[0].contact_id is None
    assert [row.key for row in plan.unchanged] == ["jane@example.com"]
    assert [(reason["field"], reason["code"]) for reason in plan.blocked[0].reasons] == [
        ("email_consent", "resubscribes")
    ]
    assert [(row.index, row.field, row.value) for row in plan.refused] == [(4, "email", "nobody"), (4, "tags", "x")]
    assert plan.refused == client.contacts.validate_many([{"email": "a@b.c"}] * 4 + [{"email": "nobody", "tags": "x"}])
    assert (plan.requests, plan.requests_read, plan.from_snapshot) == (2, 3, False)
    assert plan.duration == 0
    assert plan.read_at is not None
    assert plan


def test_nothing_is_sent_before_apply(sandbox, client, jane):
    client.contacts.plan([{"email": "jane@example.com", "first_name": "J"}, {"email": "new@example.com"}])
    assert {request.method for request in sandbox.requests[1:]} == {"GET"}
    assert sandbox.contacts["jane@example.com"].first_name == "Jane"


def test_merging(sandbox, client, jane):
    rows = [{"email": "jane@example.com", "tags": ["b"], "custom_fields": {"m": None}}]
    assert client.contacts.plan(rows, tags="merge", custom_fields="merge").apply().ok
    stored = sandbox.contacts["jane@example.com"]
    assert (stored.tags, dict(stored.custom_fields)) == (("a", "b"), {"n": 5, "m": None})
    assert client.contacts.plan(rows, tags="merge", custom_fields="merge").requests == 0
    assert client.contacts.plan(rows).apply().ok
    assert sandbox.contacts["jane@example.com"].tags == ("b",)


def test_resubscribe(sandbox, client):
    client.contacts.create(email="joe@example.com", email_consent="unsubscribed")
    rows = [{"email": "joe@example.com", "email_consent": "subscribed"}]
    assert client.contacts.plan(rows).requests == 0
    assert client.contacts.plan(rows, resubscribe=True).apply().updated == 1
    assert sandbox.contacts["joe@example.com"].email_consent == "subscribed"


@dataclass
class Person:
    email: str
    first_name: str | None = None


def test_rows_may_be_anything_that_bulk_runs_take(client, jane):
    import polars

    rows = [Person("jane@example.com", "J"), Person("jane@example.com")]
    assert client.contacts.plan(rows).update[0].changes == {"first_name": ("Jane", "J")}
    frame = polars.DataFrame({"email": ["jane@example.com", "x@example.com"], "first_name": ["Jane", None]})
    plan = client.contacts.plan(frame)
    assert (len(plan.unchanged), len(plan.create)) == (1, 1)
    assert client.contacts.plan(row for row in [{"email": "jane@example.com"}]).unchanged[0].key == "jane@example.com"
    with pytest.raises(privy.ValidationError, match="colour"):
        client.contacts.plan(polars.DataFrame({"email": ["a@b.c"], "colour": ["red"]}))
    with pytest.raises(TypeError, match="rows must be"):
        client.contacts.plan(5)


def test_a_row_that_is_no_row_is_refused(client):
    plan = client.contacts.plan([5, {"email": "a@example.com", "extra": {"company": "ACME"}}])
    assert [(row.index, row.field, row.code) for row in plan.refused] == [(0, "base", "wrong_type")]
    assert plan.create[0].changes["company"] == (None, "ACME")


# ---- shown ----


def test_text_and_repr_mask_addresses(client, jane):
    plan = client.contacts.plan([{"email": "jane@example.com", "first_name": "J"}])
    assert str(plan) == (
        "1 row: 0 create, 1 update, 0 unchanged, 0 blocked, 0 refused\n"
        "1 request to apply; 1 request was used to read\n\n"
        'update (1)\n  row 0 j***@example.com: first_name: "Jane" → "J"'
    )
    assert repr(plan) == "Plan(sandbox, 1 row: 0 create, 1 update, 0 unchanged, 0 blocked, 0 refused)"
    assert "jane@example.com" not in repr(list(plan.update)) + plan._repr_html_()
    assert "Jane → J" in plan._repr_html_()


def test_tables_have_a_line_for_each_field(client, jane):
    client.contacts.create(phone_number="+14155550101")
    rows = [
        {"email": "jane@example.com", "first_name": "J", "tags": ["b"]},
        {"email": "jane@example.com", "phone_number": "+14155550101"},
        {"email": "nobody"},
    ]
    plan = client.contacts.plan(rows)
    assert plan.update.to_arrow().to_pylist() == [
        {
            "index": 0,
            "key": "jane@example.com",
            "contact_id": jane.id,
            "field": "first_name",
            "old": "Jane",
            "new": "J",
        },
        {"index": 0, "key": "jane@example.com", "contact_id": jane.id, "field": "tags", "old": '["a"]', "new": '["b"]'},
    ]
    assert plan.blocked.to_pandas()["code"].tolist() == ["two_contacts"]
    assert plan.refused.to_polars()["index"].to_list() == [2]
    assert plan.unchanged.to_polars().height == 0
    assert plan.update[:1].to_polars().height == 2


# ---- settings ----


def test_settings_are_checked(client):
    with pytest.raises(privy.PrivyError, match='tags must be "replace" or "merge"'):
        client.contacts.plan([], tags="union")
    with pytest.raises(privy.PrivyError, match='custom_fields must be "replace" or "merge"'):
        client.contacts.plan([], custom_fields=None)
    with pytest.raises(privy.PrivyError, match="max_age needs a snapshot"):
        client.contacts.plan([], max_age=timedelta(hours=1))
    with pytest.raises(TypeError, match="max_age"):
        client.contacts.plan([], max_age="1h")
    with pytest.raises(privy.PrivyError, match="concurrency"):
        client.contacts.plan([], concurrency=0)
    with pytest.raises(ValueError, match="on_spent_day"):
        client.contacts.plan([], on_spent_day="never")
    with pytest.raises(TypeError, match="snapshot"):
        client.contacts.plan([], snapshot=5)


# ---- applying ----


def test_a_plan_is_applied_once(client, jane):
    plan = client.contacts.plan([{"email": "jane@example.com", "first_name": "J"}])
    assert plan.report is None
    report = plan.apply()
    assert plan.report.updated == report.updated == 1
    with pytest.raises(privy.PrivyError, match="was applied"):
        plan.apply()


def test_the_report_names_the_rows_of_the_plan(sandbox, client, jane):
    rows = [
        {"email": "jane@example.com", "first_name": "Jane"},
        {"email": "new@example.com"},
        {"email": "jane@example.com", "first_name": "J"},
    ]
    plan = client.contacts.plan(rows)
    client.contacts.create(email="new@example.com")
    sandbox.fail(status=500, count=4, skip=1)
    report = plan.apply(concurrency=1, max_retries=0)
    assert [(row.index, row.key) for row in report.refused] == [(1, "new@example.com"), (2, "jane@example.com")]
    assert (report.total, report.failed) == (2, 2)


def test_a_spent_budget_leaves_the_rest_unsent(sandbox, client, jane):
    plan = client.contacts.plan([{"email": f"n{i}@example.com"} for i in range(5)])
    sandbox.set_limits(per_minute=60, per_day=3)
    report = plan.apply(concurrency=1, max_wait=0)
    assert isinstance(report.stopped, privy.RateLimitError)
    assert report.created == 3
    assert [row[0] for row in report.unsent] == [3, 4]


def test_a_journal(tmp_path, sandbox, client, jane):
    rows = [{"email": "jane@example.com", "first_name": "J"}, {"email": "new@example.com"}]
    path = tmp_path / "sync.db"
    assert client.contacts.plan(rows).apply(journal=path).ok
    assert client.contacts.plan(rows).apply(journal=path).total == 0
    client.contacts.update(jane.id, first_name="Jane")
    assert client.contacts.plan(rows).apply(journal=path).updated == 1
    assert sandbox.contacts["jane@example.com"].first_name == "J"
    with pytest.raises(privy.JournalError) as caught:
        client.contacts.upsert_many(rows, journal=path)
    assert caught.value.code == "journal_operation"


# ---- snapshots ----


def test_a_snapshot_saves_the_reading(tmp_path):
    sandbox = privy.Sandbox()
    client = sandbox.client()
    fill(client, 250)
    sandbox.advance(60)
    rows = [{"email": f"p{i}@example.com", "first_name": "A"} for i in range(250)]
    path = tmp_path / "contacts.db"
    first = client.contacts.plan(rows, snapshot=path)
    assert (first.requests_read, first.from_snapshot) == (3, False)
    second = client.contacts.plan(rows, snapshot=str(path), max_age=timedelta(hours=1))
    assert (second.requests_read, second.from_snapshot, second.requests) == (0, True, 250)
    assert second.read_at == first.read_at
    assert second.apply().updated == 250
    assert client.contacts.plan(rows, snapshot=path, max_age=3600).requests == 0
    sandbox.advance(3600)
    assert client.contacts.plan(rows, snapshot=path, max_age=3600).requests_read == 3
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_plan_of_the_same_snapshot_continues_a_journal(tmp_path, sandbox, client):
    fill(client, 250)
    sandbox.advance(60)
    rows = [{"email": f"p{i}@example.com", "first_name": "A"} for i in range(250)]
    settings = {"snapshot": tmp_path / "contacts.db", "max_age": 3600}
    other = client.contacts.plan(rows, **settings)
    plan = client.contacts.plan(rows, **settings)  # as after a crash that lost what was written to the snapshot
    sandbox.fail(status=401, skip=100)
    stopped = other.apply(journal=tmp_path / "sync.db", concurrency=1)
    assert isinstance(stopped.stopped, privy.AuthenticationError)
    assert stopped.updated == 100
    report = plan.apply(journal=tmp_path / "sync.db")
    assert (report.skipped, report.updated, report.ok) == (100, 150, True)


def test_a_file_that_is_no_snapshot(tmp_path, client):
    path = tmp_path / "notes.txt"
    path.write_text("Call Jane.")
    with pytest.raises(privy.PrivyError) as caught:
        client.contacts.plan([{"email": "a@example.com"}], snapshot=path)
    assert caught.value.code == "not_a_snapshot"
    assert path.read_text() == "Call Jane."


# ---- while it reads ----


def test_a_bar(client, capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    plan = client.contacts.plan([{"email": "a@example.com"}], progress=True)
    assert plan.apply(progress=True).created == 1
    written = capsys.readouterr().err
    assert "contacts.plan" in written
    assert "contacts.apply" in written


def test_progress(client):
    fill(client, 250)
    seen = []
    client.contacts.plan([{"email": f"p{i}@example.com"} for i in range(250)], on_progress=seen.append)
    assert [(one.done, one.total) for one in seen][-1] == (3, 3)


def test_an_error_ends_it(sandbox, client):
    sandbox.fail(status=403)
    with pytest.raises(privy.PermissionDeniedError):
        client.contacts.plan([{"email": "a@example.com"}])


def test_ctrl_c_is_prompt():
    sandbox = privy.Sandbox()
    sandbox.fail(delay=300, count=1000)
    with sandbox.client() as client:
        assert_ctrl_c_is_prompt(lambda: client.contacts.plan([{"email": "a@example.com"}]))


def test_a_closed_client_keeps_its_plans(sandbox):
    client = sandbox.client()
    plan = client.contacts.plan([{"email": "a@example.com"}])
    client.close()
    assert "1 create" in str(plan)
    with pytest.raises(privy.PrivyError, match="closed"):
        plan.apply()


def test_a_plan_of_another_thread(client, jane):
    plans = []
    thread = threading.Thread(target=lambda: plans.append(client.contacts.plan([{"email": "new@example.com"}])))
    thread.start()
    thread.join()
    assert plans[0].apply().created == 1


# ---- asyncio ----


async def sync(client):
    async def rows():
        for number in range(250):
            await asyncio.sleep(0)
            yield {"email": f"p{number}@example.com", "first_name": f"N{number + number % 2}"}

    plan = await client.contacts.plan(rows())
    report = await plan.apply()
    return plan, report


def test_async(sandbox, client):
    fill(client, 240)
    start = sandbox.counts.requests

    async def main():
        async with sandbox.async_client() as other:
            return await sync(other)

    plan, report = asyncio.run(main())
    assert isinstance(plan, privy.AsyncPlan)
    assert (len(plan.update), len(plan.create), len(plan.unchanged)) == (120, 10, 120)
    assert report.ok
    assert plan.report.total == 130
    assert sandbox.counts.requests - start == 3 + 130


def test_a_cancelled_plan_sends_nothing_more(sandbox, client):
    fill(client, 250)
    sandbox.fail(delay=30.0)
    start = sandbox.counts.requests

    async def main():
        async with sandbox.async_client() as other:
            await asyncio.wait_for(other.contacts.plan([{"email": "a@example.com"}] * 200), 0.2)

    with pytest.raises((TimeoutError, asyncio.TimeoutError)):
        asyncio.run(main())
    assert sandbox.counts.requests - start <= 1
