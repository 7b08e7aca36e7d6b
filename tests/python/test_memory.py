"""Nothing leaks, and any single allocation of the core may fail."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import subprocess
import sys
import textwrap
from datetime import datetime, timezone

import privy
import pytest
from privy import _core
from support import served

NOW = datetime(2026, 5, 12, 10, tzinfo=timezone.utc)
RECORD = (
    b'{"id":"cus_0123456789abcdef","email":"j\\u00e4ne@example.com","tags":["a","b"],"custom_fields":{"n":1.5},'
    b'"created_at":"2026-05-12T10:00:00Z","new":{"a":[1,{"b":"c"}],"long":"' + b"x" * 300 + b'\\n"}}'
)


def use_a_record():
    record = _core._load("Contact", RECORD)
    for name in ("id", "email", "tags", "custom_fields", "created_at", "updated_at", "extra"):
        getattr(record, name)
    assert repr(record)
    assert record == pickle.loads(pickle.dumps(record))
    assert hash(record)
    assert record.to_dict()["email"] == "jäne@example.com"
    assert "new" in record
    assert record["new"]["a"][1]["b"] == "c"
    assert record["new"]["long"] == "x" * 300 + "\n"  # decoded on the heap


def operations(client):
    """Every operation, by name, on a sandbox that is left as it was."""

    def order():
        return client.orders.upsert(
            order_id=1,
            email="o@example.com",
            total="95.00",
            currency="USD",
            order_date=NOW,
            line_items=[{"sku": "A", "quantity": 1, "price": 1.5}],
        )

    def contact():
        jane = client.contacts.upsert(email="jane@example.com", first_name="Jane", tags=["a"])
        client.contacts.update(jane.id, custom_fields={"a": 1})
        client.contacts.get(jane.id)
        client.contacts.delete(jane.id)

    def conflict():
        client.contacts.upsert(email="jane@example.com")
        with pytest.raises(privy.ConflictError):
            client.contacts.create(email="jane@example.com")

    def bulk():
        rows = [{"event_type": "seen", "email": "e@example.com"}, {"event_type": "!"}]
        for result in client.events.ingest_many(rows, on_progress=lambda progress: None):
            if isinstance(result.error, MemoryError):
                raise result.error
            assert result.ok == (result.index == 0)

    def pages():
        for i in range(5):
            client.contacts.upsert(email=f"c{i}@example.com")
        found = {contact.id for contact in client.contacts.list(per_page=2)}
        assert len(found) == client.contacts.list(per_page=1).total_count() >= 5

    def traced():
        tracing_client = privy.Sandbox().client(on_event=repr, max_retries=0)
        assert list(tracing_client.contacts.list()) == []
        for result in tracing_client.events.ingest_many([{"event_type": "seen", "email": "e@example.com"}]):
            if isinstance(result.error, MemoryError):
                raise result.error

    def refused():
        with pytest.raises(privy.ValidationError):
            client.contacts.create(email="nobody", tags=[object()], first_name="\ud800")

    return {
        "contact": contact,
        "conflict": conflict,
        "refused": refused,
        "list": pages,
        "order": order,
        "event": lambda: client.events.ingest("seen", email="e@example.com", event_data={"a": [1, None, {"b": 1.5}]}),
        "bulk": bulk,
        "budget": lambda: client.rate_limit.minute,
        "raw": lambda: client.request("GET", "/contacts", params={"per_page": 1}, headers={"X-A": "b"}).json(),
        "record": use_a_record,
        "events": traced,
        "client": lambda: privy.Sandbox().client(timeout=1).with_options(timeout=2).close(),
        "schema": _core.schema,
    }


NAMES = list(operations(None))


def grown(action, rounds):
    """How many blocks of memory Python holds more after so many rounds."""
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(rounds):
        action()
    gc.collect()
    return sys.getallocatedblocks() - before


@pytest.mark.parametrize("name", NAMES)
def test_python_memory_does_not_grow(sandbox, name):
    action = operations(sandbox.client())[name]
    grown(action, 30)
    # Python's own caches fill up now and then; a leak of a block a round is there every time.
    assert min(grown(action, 200) for _ in range(5)) < 150


@pytest.mark.parametrize("name", NAMES)
def test_shared_objects_keep_their_references(sandbox, name):
    shared = [privy.omit, None, privy.Contact, privy.Order, privy.Page, privy.ValidationError, _core.Client, _core]
    action = operations(sandbox.client())[name]
    for _ in range(5):
        action()
    gc.collect()
    before = [sys.getrefcount(thing) for thing in shared]
    for _ in range(200):
        action()
    gc.collect()
    after = [sys.getrefcount(thing) for thing in shared]
    assert all(abs(now - then) < 50 for then, now in zip(before, after, strict=True)), (before, after)


def test_the_process_does_not_grow(sandbox):
    script = """
        import resource, sys
        sys.path.insert(0, sys.argv[1])
        import privy, test_memory
        actions = test_memory.operations(privy.Sandbox().client())
        def peak(rounds):
            for _ in range(rounds):
                for name, action in actions.items():
                    if name not in ("order", "event", "bulk"):
                        action()
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        first = peak(150)
        print(peak(450) - first)
    """
    here = os.path.dirname(os.path.abspath(__file__))
    output = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), here], capture_output=True, text=True, timeout=600, check=True
    )
    assert int(output.stdout) < 3000


def sweep(action, most=5000):
    """Lets the first, the second, ... allocation of the core fail until the action comes through without one."""
    failures = 0
    for nth in range(1, most):
        _core._fail_allocation(nth)
        try:
            action()
        except MemoryError:
            failures += 1
        finally:
            reached = _core._allocation_failed()
            _core._fail_allocation(0)
        if not reached:
            return failures
    raise AssertionError("the action never ends without a failure")


@pytest.mark.parametrize("name", NAMES)
def test_every_allocation_may_fail_in_process(sandbox, name):
    client = sandbox.client(max_retries=0)
    action = operations(client)[name]
    failures = sweep(action)
    assert failures > 0 or name in ("schema", "budget")
    action()


@pytest.mark.parametrize("name", ["contact", "list", "raw", "bulk"])
def test_every_allocation_may_fail_over_http(sandbox, name):
    with served(sandbox) as server, privy.Client(sandbox.token, base_url=server.base_url, max_retries=0) as client:
        action = operations(client)[name]
        assert sweep(action) > 0
        action()


def calls_in_a_loop(client):
    async def main():
        results = await asyncio.gather(
            client.events.ingest("seen", email="e@example.com"),
            client.contacts.list(per_page=1).total_count(),
            client.request("GET", "/contacts"),
            return_exceptions=True,
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result

    return lambda: asyncio.run(main())


def test_every_allocation_may_fail_in_a_loop(sandbox):
    with served(sandbox) as server:
        for settings in ({"sandbox": sandbox}, {"token": sandbox.token, "base_url": server.base_url}):
            action = calls_in_a_loop(privy.AsyncClient(**settings, max_retries=0))
            assert sweep(action) > 0
            action()


def test_memory_does_not_grow_in_a_loop(sandbox):
    action = calls_in_a_loop(privy.AsyncClient(sandbox=sandbox))
    grown(action, 20)
    assert min(grown(action, 60) for _ in range(4)) < 150


def test_every_allocation_of_a_sandbox_may_fail():
    def action():
        sandbox = privy.Sandbox()
        sandbox.add_token("privy_" + "1" * 40, "contacts_read")
        sandbox.add_client("id", "secret")
        sandbox.add_integration("token")
        sandbox.set_sms_countries(["+1", "+44"])
        sandbox.fail(503, body="x")
        answer = sandbox.handle("GET", "/contacts", {"Authorization": f"Bearer {sandbox.token}"})
        assert answer.status == 503

    assert sweep(action) > 5


def test_types_are_collected_with_their_interpreter():
    script = """
        import gc, sys, weakref
        for _ in range(3):
            import privy
            record = privy._core._load("Contact", b'{"email":"a@b.c","new":1}')
            assert record.extra and repr(record) and record.to_dict()
            client = privy.Sandbox().client()
            client.contacts.create(email="a@b.c")
            gone = weakref.ref(privy.Contact)
            for name in [name for name in sys.modules if name.split(".")[0] == "privy"]:
                del sys.modules[name]
            del privy, record, client
            gc.collect()
            print(gone() is None)
    """
    output = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=600, check=True
    )
    assert output.stdout.split() == ["True"] * 3


def look_at(sandbox):
    """Reads everything that a sandbox shows."""
    assert [request.status for request in sandbox.requests[:3]] == [201, 200, 201]
    assert [repr(request) for request in sandbox.requests]
    for view in (sandbox.contacts, sandbox.orders):
        assert len(list(view.values())) == len(view)
    assert sandbox.events[0].event_data == {"a": 1}
    assert "nobody@example.com" not in sandbox.contacts
    sandbox.assert_order(1, total=95, email="a@b.c")
    sandbox.fail(503, on="orders.upsert", body="x")
    sandbox.clear_faults()


@pytest.fixture
def used(sandbox):
    client = sandbox.client()
    client.orders.upsert(order_id=1, email="a@b.c", total="95.00", currency="USD", order_date=NOW)
    client.events.ingest("seen", email="a@b.c", event_data={"a": 1})
    client.contacts.create(email="b@b.c")
    return sandbox


def test_every_allocation_of_a_view_may_fail(used):
    assert sweep(lambda: look_at(used)) > 10
    look_at(used)


def test_views_do_not_leak(used):
    shared = [None, privy.Contact, privy.Order, _core.Sandbox]
    grown(lambda: look_at(used), 20)
    before = [sys.getrefcount(thing) for thing in shared]
    assert min(grown(lambda: look_at(used), 100) for _ in range(4)) < 80
    after = [sys.getrefcount(thing) for thing in shared]
    assert all(abs(now - then) < 50 for then, now in zip(before, after, strict=True)), (before, after)
