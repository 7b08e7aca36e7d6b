"""What a journal costs. At 60 requests a minute a row takes a second, so 3 % of it are 30 ms."""

from __future__ import annotations

import time

import privy
from support import served

ROWS = 200
PAIRS = 5


def seconds(client, rows, **options):
    started = time.perf_counter()
    report = client.orders.upsert_many(rows, **options).run()
    assert report.ok
    return time.perf_counter() - started


def test_a_journal_costs_less_than_3_percent_of_a_row_at_60_a_minute(tmp_path):
    """Over real sockets, without a limit: all that the journal adds shows, as no wait hides it."""
    order = {"email": "a@example.com", "total": 5, "currency": "USD", "order_date": "2026-01-01T00:00:00Z"}
    rows = [{"order_id": number, **order} for number in range(1, ROWS + 1)]
    sandbox = privy.Sandbox()
    added = []
    with served(sandbox) as server, privy.Client(sandbox.token, base_url=server.base_url) as client:
        client.orders.upsert_many(rows).run()
        for n in range(PAIRS):
            without = seconds(client, rows)
            added.append((seconds(client, rows, journal=tmp_path / f"{n}.db") - without) / ROWS)
    print(f"a row takes {min(added) * 1000:.2f} to {max(added) * 1000:.2f} ms more with a journal")
    assert min(added) < 0.03
