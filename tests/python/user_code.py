"""What a program may write. Type checkers accept every line in their strictest mode; the tests run it too."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import privy
from privy.types import ContactRow, EmailConsent, EventRow, LineItem, OrderRow

log = logging.getLogger(__name__)

# ---- calls ----


def consents_go_back(client: privy.Client) -> privy.Contact:
    jane = client.contacts.create(email="jane@example.com", email_consent="subscribed", tags=["vip"])
    again = client.contacts.update(jane.id, email_consent=jane.email_consent, sms_consent=jane.sms_consent)
    assert [one.id for one in client.contacts.list(email_consent=again.email_consent)] == [jane.id]
    row: ContactRow = {"email": again.email, "email_consent": again.email_consent, "sms_consent": again.sms_consent}
    assert client.contacts.upsert_many([row]).run().ok
    return again


def wanted(answer: bool) -> EmailConsent:
    return "subscribed" if answer else "unsubscribed"


def by_page(client: privy.Client) -> list[str]:
    addresses = [contact.email or "" for page in client.contacts.list(per_page=50).pages() for contact in page]
    first = client.contacts.list(limit=5).first(2)
    assert [contact.email for contact in first] == addresses[:2]
    return addresses


def no_longer_wanted(client: privy.Client, contact: privy.Contact) -> str:
    changed = client.contacts.update(contact.id, email_consent=wanted(False), first_name=None)
    deleted = client.contacts.delete(contact.id, timeout=3)
    assert deleted is None or deleted.id == changed.id
    return changed.email_consent.upper()


def spent(client: privy.Client) -> str:
    minute = client.rate_limit.minute
    at: datetime | None = minute.resets_at
    return f"{minute.remaining} of {minute.limit}, until {at:%H:%M}" if at else f"{minute.limit}"


def raw(client: privy.Client) -> int:
    response = client.request("GET", "/contacts", params={"per_page": 1}, headers={"X-Trace": "1"})
    assert response.headers["Content-Type"].startswith("application/json")
    return response.status


# ---- rows, results, errors ----


def orders() -> Iterator[OrderRow]:
    items: list[LineItem] = [{"sku": "a-1", "quantity": 2, "price": Decimal("4.75")}]
    for number in range(1, 4):
        yield {
            "order_id": number,
            "total": Decimal("9.50"),
            "currency": "USD",
            "order_date": datetime(2026, 5, 12, number, tzinfo=timezone.utc),
            "email": f"jane{number}@example.com" if number < 3 else "nobody",
            "line_items": [*items, {"sku": "b", "colour": "red"}],
            "billing_address": {"city": "Boston", "country_code": "US"},
        }


def by_error(client: privy.Client) -> tuple[list[privy.Order], list[Exception]]:
    stored: list[privy.Order] = []
    failed: list[Exception] = []
    for result in client.orders.upsert_many(orders(), on_progress=report_progress):
        if result.error is None:
            stored.append(result.value)
        else:
            failed.append(result.error)
    return stored, failed


def by_class(client: privy.Client) -> list[str]:
    lines: list[str] = []
    for result in client.orders.upsert_many(list(orders())):
        match result:
            case privy.Success(index=index, value=order):
                lines.append(f"{index}: {order.total_amount:.2f} {order.currency_code}")
            case privy.Failure(index=index, error=error):
                lines.append(f"{index}: {type(error).__name__}")
    return lines


def by_ok(client: privy.Client) -> list[privy.EventReceipt]:
    rows: list[EventRow] = [{"event_type": "seen", "email": "jane@example.com", "event_data": {"path": ["/", 1]}}]
    return [result.value for result in client.events.ingest_many(rows) if result.ok is True]


def report_progress(progress: privy.Progress) -> None:
    log.debug("%d of %s, %s s left", progress.done, progress.total, progress.eta)


def with_journal(client: privy.Client, path: Path) -> int:
    until = datetime.now(timezone.utc) + timedelta(hours=1)
    try:
        run = client.orders.upsert_many(
            orders(), journal=path, resume="auto", on_spent_day="wait", until=until, on_progress=report_progress
        ).run()
    except privy.JournalError as error:
        assert error.code == "journal_locked"
        return 0
    assert not isinstance(run.stopped, privy.DeadlineError)
    return run.skipped - run.skipped_refused


def what_differs(client: privy.Client, folder: Path) -> list[str]:
    rows: list[ContactRow] = [{"email": "jane@example.com", "tags": ["new"]}, {"email": "jane1@example.com"}]
    plan = client.contacts.plan(rows, tags="merge", snapshot=folder / "contacts.db", max_age=timedelta(hours=1))
    lines = [f"{name}: {change.old} -> {change.new}" for row in plan.update for name, change in row.changes.items()]
    lines += [reason["message"] for row in plan.blocked for reason in row.reasons]
    due: float = plan.duration or 0.0
    report = plan.apply(journal=folder / "plan.db", on_progress=report_progress)
    assert report.ok and plan.requests == report.succeeded and due >= 0
    return lines


def exported(client: privy.Client, path: Path) -> int:
    try:
        report = client.contacts.export(path, format="jsonl", email_consent="subscribed", resume="restart")
    except privy.SnapshotError as error:
        raise SystemExit(error.code) from error
    began: datetime | None = report.began_at
    assert began is not None and path.exists()
    return report.contacts


def of_the_journal(path: Path) -> list[str]:
    with privy.Journal(path) as journal:
        for entry in journal.in_doubt:
            if entry.too_old:
                journal.decide(entry, "skip")
        counts: dict[str, int] = journal.counts
        assert sum(counts.values()) >= len(journal)
        journal.rejects_csv(path.with_suffix(".csv"))
        return [f"{entry.key} {entry.field}: {entry.message}" for entry in journal.refused]


def refused(client: privy.Client) -> list[str]:
    run = client.orders.upsert_many(list(orders())).run()
    assert run.failed == len({entry.index for entry in run.refused})
    return [f"{entry.key} {entry.field}: {entry.message}" for entry in run.refused]


def caught(client: privy.Client) -> str:
    try:
        client.contacts.create(email="jane", tags=["vip"])
    except privy.ValidationError as error:
        return "; ".join(f"{detail['field']}: {detail['message']}" for detail in error.details)
    except privy.ConflictError as error:
        return error.contact_id or ""
    except privy.RateLimitError as error:
        return str(error.retry_at)
    except privy.APIStatusError as error:
        return f"{error.status}"
    except privy.PrivyError as error:
        return str(error)
    return ""


# ---- JSON, frames, the sandbox ----


def as_json(contact: privy.Contact) -> tuple[str, dict[str, object]]:
    fields: dict[str, object] = dict(contact)
    assert fields["email"] == contact.to_dict()["email"] == contact["email"]
    match contact:
        case privy.Contact(email=str(address)):
            log.debug("%d characters", len(address))
        case _:
            log.debug("no address")
    return contact.to_json(), contact.to_dict(json=True)


def size_of_frame(client: privy.Client) -> tuple[int, int]:
    frame = client.contacts.list().to_pandas()
    rows, columns = frame.shape
    return int(rows), int(columns)


def watched() -> list[str]:
    names: list[str] = []

    def keep(event: privy.CallEvent) -> None:
        names.append(event.kind)

    sandbox = privy.Sandbox()
    sandbox.fail(status=503, count=1)
    client = sandbox.client(on_event=keep, max_wait=5).with_options(max_retries=1)
    client.contacts.create(email="jane@example.com")
    requests: Sequence[privy.sandbox.SandboxRequest] = sandbox.requests
    events: Sequence[privy.sandbox.SandboxEvent] = sandbox.events
    receipt = client.events.ingest("seen", email="jane@example.com")
    newest: privy.sandbox.SandboxEvent = sandbox.events[-1]
    assert sandbox.events[receipt.event_id] == newest == sandbox.events[:1][0] == events[0]
    message: privy.sandbox.SandboxMessage | None = sandbox.messages.get("+14155550101")
    assert message is None
    assert [request.status for request in requests] == [503, 201]
    assert sandbox.counts.contacts == len(sandbox.contacts) == 1
    return names


# ---- asyncio ----


async def concurrently(client: privy.AsyncClient) -> list[str]:
    contacts = await asyncio.gather(*(client.contacts.upsert(email=f"a{n}@example.com") for n in range(3)))
    async for contact in client.contacts.list(email_consent=contacts[0].email_consent):
        await client.contacts.update(contact.id, email_consent=contact.email_consent, tags=[*contact.tags, "seen"])
    async for page in client.contacts.list().pages():
        assert page.total_count == len(page)
    async for result in client.orders.upsert_many(orders()):
        if isinstance(result, privy.Failure):
            log.debug("row %d: %s", result.index, result.error)
    receipt = await client.events.ingest("seen", email="a1@example.com")
    plan = await client.contacts.plan([{"email": "a0@example.com", "first_name": "Ann"}])
    assert [row.state for row in plan.update] == ["update"]
    assert (await plan.apply()).succeeded == plan.requests == 1
    response = await client.request("GET", "/contacts")
    return [*(contact.id for contact in contacts), receipt.event_id, f"{response.status}"]


def main() -> None:
    with privy.Sandbox().client() as client:
        jane = consents_go_back(client)
        assert by_page(client) == ["jane@example.com"]
        stored, failed = by_error(client)
        assert len(stored) == 2
        assert isinstance(failed[0], privy.ValidationError)
        assert sorted(by_class(client)) == ["0: 9.50 USD", "1: 9.50 USD", "2: ValidationError"]
        with TemporaryDirectory() as folder:
            assert with_journal(client, Path(folder) / "orders.db") == 0
            assert of_the_journal(Path(folder) / "orders.db")
            assert what_differs(client, Path(folder)) == ["tags: ['vip'] -> ['vip', 'new']"]
            assert exported(client, Path(folder) / "contacts.jsonl") == 1
        assert by_ok(client)[0].status == "accepted"
        assert refused(client)
        assert "email" in caught(client)
        assert as_json(jane)[1]["tags"] == ["vip"]
        assert size_of_frame(client)[0] == 3
        assert raw(client) == 200
        assert spent(client)
        assert no_longer_wanted(client, jane) == "UNSUBSCRIBED"
    assert watched()

    async def asynchronous() -> None:
        async with privy.Sandbox().async_client() as client:
            assert (await concurrently(client))[-1] == "200"

    asyncio.run(asynchronous())


if __name__ == "__main__":
    main()
