"""Snapshots of a sandbox: what they hold, where they may be restored."""

from __future__ import annotations

import copy
import pickle
import threading
from datetime import datetime, timezone

import privy
import pytest
from privy.sandbox import SandboxSnapshot

AT = datetime(2026, 5, 12, 10, tzinfo=timezone.utc)
ORDER = {"total": "95.00", "currency": "USD", "order_date": "2026-05-12T10:00:00Z"}


def holdings(sandbox):
    return [*sandbox.contacts.values(), *sandbox.orders.values(), *sandbox.events, *sandbox.messages, *sandbox.requests]


@pytest.fixture
def shop(sandbox):
    sandbox.set_clock(AT)
    sandbox.seed("shop", contacts=50)
    client = sandbox.client()
    client.contacts.create(phone_number="+14155550101", sms_consent="subscribed")
    client.orders.upsert(order_id=1, email="jane@example.com", **ORDER)
    client.events.ingest("seen", email="jane@example.com", idempotency_key="k")
    return sandbox


def test_restore_goes_back_any_number_of_times(shop):
    client = shop.client()
    before = holdings(shop)
    counts = shop.counts
    snapshot = shop.snapshot()
    ids = set()
    for _ in range(3):
        ids.add(client.contacts.create(email="new@example.com").id)
        client.contacts.delete(next(iter(shop.contacts)))
        client.orders.upsert(order_id=1, email="jane@example.com", customer_id="c", **ORDER)
        assert not client.events.ingest("seen", email="jane@example.com", idempotency_key="k2").idempotent_replay
        assert holdings(shop) != before
        shop.restore(snapshot)
        assert holdings(shop) == before
        assert shop.counts == counts
    assert len(ids) == 1
    assert client.events.ingest("seen", email="jane@example.com", idempotency_key="k").idempotent_replay


def test_another_sandbox_may_restore_it(shop):
    before = holdings(shop)
    snapshot = shop.snapshot()
    del shop
    others = [privy.Sandbox(), privy.Sandbox()]
    others[0].client().contacts.create(email="other@example.com")
    for other in others:
        other.restore(snapshot)
        assert holdings(other) == before
    others[0].reset()
    assert holdings(others[1]) == before


def test_settings_do_not_belong_to_a_snapshot(shop):
    snapshot = shop.snapshot()
    shop.add_token("privy_other")
    shop.set_clock(AT.timestamp() + 60)
    shop.set_limits(per_minute=1)
    shop.fail(503, skip=2)
    shop.restore(snapshot)
    client = shop.client("privy_other", max_retries=0, max_wait=0)
    assert client.contacts.create(email="new@example.com").created_at.minute == 1
    with pytest.raises(privy.RateLimitError):
        shop.client(max_retries=0).contacts.create(email="second@example.com")
    shop.restore(snapshot)
    with pytest.raises(privy.ServerError):
        shop.client(max_retries=0).contacts.create(email="second@example.com")


def test_a_snapshot_is_opaque(shop):
    snapshot = shop.snapshot()
    assert repr(snapshot) == f"SandboxSnapshot({shop.counts!r})"
    shop.reset()
    assert "contacts=52" in repr(snapshot)
    for use in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            use(snapshot)
    for other in (None, shop, b""):
        with pytest.raises(TypeError, match="restore needs a SandboxSnapshot"):
            shop.restore(other)
    with pytest.raises((TypeError, ValueError)):
        shop.restore(SandboxSnapshot(object(), shop.counts))
    assert shop.counts.contacts == 0


def test_threads_share_a_snapshot(shop):
    snapshot = shop.snapshot()
    wrong = []

    def work():
        own = privy.Sandbox()
        for _ in range(20):
            own.restore(snapshot)
            own.client().contacts.create(email="new@example.com")
            if own.counts.contacts != 53:
                wrong.append(own.counts)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
