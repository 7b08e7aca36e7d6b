"""The rows of test_journal_kills.py: keys that come twice, equal events, rows that the client refuses and rows that the
server refuses. The same number gives the same rows."""

from __future__ import annotations

import privy

METHODS = {
    "orders.upsert": "upsert_many",
    "contacts.upsert": "upsert_many",
    "events.ingest": "ingest_many",
}
CONCURRENCY = 8
NOBODY = "cus_0000000000000000"


def make(operation: str, count: int) -> list[dict[str, object]]:
    return [MAKERS[operation](number) for number in range(count)]


def refused(count: int) -> list[int]:
    """Indexes of the rows that the client or the server refuses."""
    return [number for number in range(count) if number % 20 in (7, 9)]


def sent(count: int) -> list[int]:
    """Indexes of the rows that the client sends."""
    return [number for number in range(count) if number % 20 != 7]


def _order(number: int) -> dict[str, object]:
    """Of ten orders one is a later state of the one before."""
    row = number - 1 if number % 10 == 5 else number
    order = {
        "order_id": row + 1,
        "email": f"c{row}@example.com",
        "total": f"{row}.50",
        "currency": "USD",
        "order_date": "2026-05-12T10:00:00Z",
        "financial_status": "pending" if number == row else "paid",
    }
    if number % 20 == 7:
        order["total"] = "much"
    if number % 20 == 9:
        order["integration_token"] = "00000000-0000-4000-8000-000000000000"
    return order


def _contact(number: int) -> dict[str, object]:
    row = number - 1 if number % 10 == 5 else number
    contact: dict[str, object] = {"email": f"c{row}@example.com", "first_name": f"N{number}"}
    if number % 3 == 0:
        contact["email_consent"] = "subscribed"
    if number % 20 == 7:
        contact["email"] = "no address"
    if number % 20 == 9:  # of a country without SMS
        contact |= {"phone_number": f"+493012345{number:03}", "sms_consent": "subscribed"}
    return contact


def _event(number: int) -> dict[str, object]:
    """Of ten events one is equal to the one before."""
    row = number - 1 if number % 10 == 5 else number
    event: dict[str, object] = {"event_type": "Viewed", "email": f"c{row % 3}@example.com", "event_data": {"n": row}}
    if number % 20 == 7:
        event["event_type"] = "no type"
    if number % 20 == 9:
        del event["email"]
        event["privy_id"] = NOBODY
    return event


MAKERS = {"orders.upsert": _order, "contacts.upsert": _contact, "events.ingest": _event}


def bulk_run(client: privy.Client, operation: str, count: int, journal: str) -> privy.Bulk[object]:
    resource = getattr(client, operation.partition(".")[0])
    run: privy.Bulk[object] = getattr(resource, METHODS[operation])(
        make(operation, count), journal=journal, concurrency=CONCURRENCY
    )
    return run
