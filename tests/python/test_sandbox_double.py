"""The sandbox as a test double: what it received, what it stores, assertions, faults of one operation."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import privy
import pytest
from privy.sandbox import SandboxEvent, SandboxRequest
from privy.sandbox._differences import differences
from support import operation

ORDER = {"email": "jane@example.com", "total": "95.00", "currency": "USD", "order_date": "2026-05-12T10:00:00Z"}
AT = datetime(2026, 5, 12, 10, tzinfo=timezone.utc)


@pytest.fixture(params=["in process", "over HTTP"])
def client(request, sandbox):
    sandbox.set_clock(AT)
    if request.param == "in process":
        yield sandbox.client(max_retries=0)
        return
    with sandbox.serve() as url, privy.Client(sandbox.token, base_url=url, max_retries=0) as client:
        yield client


# ---- requests ----


def test_requests_are_recorded_with_what_became_of_them(sandbox, client):
    client.contacts.create(email="jane@example.com", first_name="Jäne")
    sandbox.advance(1.5)
    with pytest.raises(privy.ConflictError):
        client.contacts.create(email="jane@example.com")
    client.request("GET", "/contacts", params={"email": "jane@example.com"})
    with pytest.raises(privy.NotFoundError):
        client.request("POST", "/nowhere", body=[1.5, None])
    first, second, third, fourth = sandbox.requests
    assert (first.method, first.path, first.operation, first.status) == ("POST", "/contacts", "contacts.create", 201)
    assert first.json == {"email": "jane@example.com", "first_name": "Jäne"}
    assert (first.at, second.at) == (AT, AT + timedelta(seconds=1.5))
    assert (second.operation, second.status) == ("contacts.create", 409)
    assert (third.operation, third.json, third.body) == ("contacts.list", None, b"")
    assert third.path == "/contacts?email=jane%40example.com"
    assert (fourth.operation, fourth.status, fourth.json) == (None, 404, [1.5, None])


def test_requests_hold_no_secret(sandbox, client):
    sandbox.add_integration("shop-secret")
    client.orders.upsert(order_id=1, integration_token="shop-secret", **ORDER)
    request = sandbox.requests[0]
    assert request.headers["content-type"].startswith("application/json")
    assert "authorization" not in request.headers
    assert "shop-secret" not in repr(list(request.headers.items()))
    oauth = sandbox.client(client_id=sandbox.client_id, client_secret=sandbox.client_secret)
    oauth.contacts.list().total_count()
    token, listed = sandbox.requests[1:]
    assert (token.path, token.operation, token.status) == ("/oauth/token", None, 200)
    assert (token.body, token.json) == (None, None)
    assert listed.operation == "contacts.list"
    assert sandbox.client_secret not in repr(sandbox.requests)


def test_a_request_is_frozen_and_masked_in_repr(sandbox, client):
    client.contacts.create(email="jane@example.com", phone_number="+14155550171")
    client.request("GET", "/contacts", params={"email": "jane@example.com"})
    created, listed = sandbox.requests
    assert "jane@" not in repr(sandbox.requests)
    assert "5550171" not in repr(sandbox.requests)
    assert "j***@example.com" in repr(created)
    assert repr(listed) == (
        "SandboxRequest(method='GET', path='/contacts?email=j***%40example.com', operation='contacts.list', "
        "status=200, body='')"
    )
    with pytest.raises(AttributeError):
        created.status = 200
    assert isinstance(created, SandboxRequest)
    assert created == sandbox.requests[0]
    assert hash(created) == hash(sandbox.requests[0])


def test_a_long_body_is_cut_in_repr(sandbox, client):
    client.events.ingest("seen", email="jane@example.com", event_data={"text": "x" * 5000})
    assert len(repr(sandbox.requests[0])) < 400
    assert len(repr(sandbox.events[0])) < 600


def test_a_body_that_is_not_json_is_bytes(sandbox):
    sandbox.handle("POST", "/contacts", {"Authorization": f"Bearer {sandbox.token}", "X-A": "1", "x-a": "2"}, b"{\xff")
    (request,) = sandbox.requests
    assert (request.status, request.body, request.headers["X-A"]) == (400, b"{\xff", "1, 2")
    with pytest.raises(ValueError, match=r"decode|JSON|Expecting"):
        _ = request.json
    assert "SandboxRequest" in repr(request)


def test_the_newest_requests_are_kept(sandbox):
    client = sandbox.client()
    assert sandbox.requests == ()
    sandbox.keep_requests(2)
    for page in range(1, 4):
        client.request("GET", "/contacts", params={"page": page})
    assert [request.path for request in sandbox.requests] == ["/contacts?page=2", "/contacts?page=3"]
    before = sandbox.requests
    sandbox.reset()
    assert sandbox.requests == ()
    assert len(before) == 2
    sandbox.keep_requests(0)
    client.request("GET", "/contacts")
    assert (sandbox.requests, sandbox.counts.requests) == ((), 1)
    with pytest.raises((OverflowError, ValueError)):
        sandbox.keep_requests(-1)


def test_a_thousand_requests_are_kept_by_default(sandbox):
    for number in range(1003):
        sandbox.handle("GET", f"/{number}")
    assert [request.path for request in (sandbox.requests[0], sandbox.requests[-1])] == ["/3", "/1002"]
    assert len(sandbox.requests) == 1000


def test_a_lost_response_is_recorded(sandbox, client):
    sandbox.fail(drop=True)
    with pytest.raises(privy.APIConnectionError):
        client.contacts.create(email="jane@example.com")
    assert [request.status for request in sandbox.requests] == [201]
    assert "jane@example.com" in sandbox.contacts


# ---- what is stored ----


def test_contacts_are_found_by_each_key(sandbox, client):
    jane = client.contacts.create(email="Jane@example.com", phone_number="+14155550171", tags=["vip"])
    bob = client.contacts.create(email="bob@example.com")
    contacts = sandbox.contacts
    assert contacts[jane.id] == contacts["jane@example.com"] == contacts["JANE@example.com"] == jane
    assert contacts["+14155550171"].tags == ("vip",)
    assert list(contacts) == [jane.id, bob.id]
    assert list(contacts.values()) == [jane, bob]
    assert (len(contacts), repr(contacts)) == (2, "SandboxContacts(2)")
    client.contacts.update(bob.id, first_name="Bob")
    assert contacts["bob@example.com"].first_name == "Bob"
    client.contacts.delete(bob.id)
    assert bob.id not in contacts
    assert "bob@example.com" not in contacts
    assert len(contacts) == 1
    for key in ("", "nobody@example.com", "\0", 5, None):
        assert key not in contacts
    with pytest.raises(KeyError):
        contacts["nobody@example.com"]
    with pytest.raises(TypeError):
        contacts["a"] = jane
    with pytest.raises(AttributeError):
        sandbox.contacts = {}


def test_orders_have_all_that_was_sent(sandbox, client):
    order = client.orders.upsert(order_id=1001, line_items=[{"sku": "A", "quantity": 2}], **ORDER)
    client.orders.upsert(order_id="1002", **{**ORDER, "total": Decimal("1.50")})
    orders = sandbox.orders
    stored = orders[1001]
    assert stored == orders["1001"]
    assert (stored.total_amount, stored.currency_code, stored.placed_at) == (Decimal("95.00"), "USD", AT)
    assert {name: stored[name] for name in order.keys() if name != "created"} == {  # noqa: SIM118
        name: order[name]
        for name in order.keys()  # noqa: SIM118
        if name != "created"
    }
    assert (stored["total"], stored["order_date"]) == (Decimal("95.00"), "2026-05-12T10:00:00Z")
    assert stored["line_items"] == ({"sku": "A", "quantity": 2},)
    assert [str(key) for key in orders] == ["1001", "1002"]
    assert (len(orders), repr(orders)) == (2, "SandboxOrders(2)")
    assert orders.get(1003) is None
    assert 1.5 not in orders


def test_events_are_stored_once_and_in_order(sandbox, client):
    data = {"price": 9.99, "tags": ["a", None], "inner": {"a": 1}}
    client.events.ingest("seen", email="jane@example.com", event_time=AT - timedelta(days=1), event_data=data)
    sandbox.advance(0.25)
    for _ in range(2):
        client.events.ingest("bought", email="jane@example.com", idempotency_key="order-1")
    seen, bought = sandbox.events
    assert (seen.event_type, seen.email, seen.event_data) == ("seen", "jane@example.com", data)
    assert (seen.event_time, seen.accepted_at) == (AT - timedelta(days=1), AT)
    assert (bought.event_type, bought.idempotency_key) == ("bought", "order-1")
    assert (bought.event_time, bought.event_data, bought.phone) == (None, None, None)
    assert bought.accepted_at == AT + timedelta(seconds=0.25)
    assert seen.event_id.startswith("evt_")
    assert sandbox.counts.events == 2
    assert "jane@" not in repr(sandbox.events)
    assert "j***@example.com" in repr(seen)
    with pytest.raises(AttributeError):
        seen.email = "other@example.com"


def test_an_event_has_every_parameter():
    names = {row["name"] for row in operation("events.ingest")["params"]}
    assert set(SandboxEvent.__dataclass_fields__) == names | {"event_id", "accepted_at"}


def test_messages_are_the_welcome_messages_that_were_sent(sandbox, client):
    jane = client.contacts.create(phone_number="+14155550101", sms_consent="subscribed")
    sandbox.advance(2)
    bob = client.contacts.create(phone_number="+14155550102")
    client.contacts.update(bob.id, sms_consent="subscribed")
    client.contacts.update(bob.id, first_name="Bob", sms_consent="subscribed")
    client.contacts.create(phone_number="+14155550103", sms_consent="subscribed", send_welcome_sms=False)
    assert [(m.contact_id, m.phone_number, m.at) for m in sandbox.messages] == [
        (jane.id, "+14155550101", AT),
        (bob.id, "+14155550102", AT + timedelta(seconds=2)),
    ]
    assert len(sandbox.messages) == sandbox.counts.welcome_messages == 2
    assert sandbox.messages[0] == sandbox.messages[0] != sandbox.messages[1]
    assert "5550101" not in repr(sandbox.messages)
    with pytest.raises(AttributeError):
        sandbox.messages[0].phone_number = "+14155550109"
    sandbox.reset()
    assert sandbox.messages == ()


def test_events_are_found_by_id_and_key_and_read_as_a_sequence(sandbox, client):
    events = sandbox.events
    seen = client.events.ingest("seen", email="jane@example.com")
    bought = client.events.ingest("bought", email="jane@example.com", idempotency_key="order-1")
    first, last = events
    assert (events[seen.event_id], events[bought.event_id], events["order-1"]) == (first, last, last)
    assert (first.event_type, last.event_type) == ("seen", "bought")
    assert (events[0], events[-1], events[bought.event_id]) == (first, last, last)
    assert (events[:], events[1:], events[::-1]) == ((first, last), (last,), (last, first))
    assert (list(reversed(events)), events.index(last), events.count(last)) == ([last, first], 1, 1)
    assert events == [first, last] == events
    assert (first, last) == events == sandbox.events != sandbox.messages
    assert events != [first]
    assert (events.get("order-1"), events.get("order-2"), events.get("order-2", first)) == (last, None, first)
    assert "order-1" in events
    assert last in events
    for key in ("", "seen", "\0", 5, None):
        assert key not in events
    with pytest.raises(KeyError):
        events["seen"]
    with pytest.raises(IndexError):
        events[2]
    with pytest.raises(TypeError):
        events[None]
    assert (len(events), repr(events)) == (2, "SandboxEvents(2)")
    sandbox.reset()
    assert (len(events), events.get("order-1"), bool(events)) == (0, None, False)


def test_messages_are_found_by_phone_number_and_contact(sandbox, client):
    jane = client.contacts.create(phone_number="+14155550101", sms_consent="subscribed")
    client.contacts.delete(jane.id)
    sandbox.advance(2)
    again = client.contacts.create(email="jane@example.com", phone_number="+14155550101", sms_consent="subscribed")
    messages = sandbox.messages
    newest = messages["+14155550101"]
    assert (newest, newest.at) == (messages[-1], AT + timedelta(seconds=2))
    assert messages[again.id] == newest
    assert "+14155550102" not in messages
    with pytest.raises(KeyError):
        messages["jane@example.com"]
    assert repr(messages) == "SandboxMessages(2)"


def test_stored_records_are_gone_after_a_reset(sandbox, client):
    client.orders.upsert(order_id=1001, **ORDER)
    client.events.ingest("seen", email="jane@example.com")
    assert (len(sandbox.contacts), len(sandbox.orders), len(sandbox.events)) == (1, 1, 1)
    sandbox.reset()
    assert (dict(sandbox.contacts), dict(sandbox.orders), sandbox.events) == ({}, {}, ())


# ---- assertions ----


def message(check):
    with pytest.raises(AssertionError) as caught:
        check()
    return str(caught.value)


def test_assert_order_compares_fields(sandbox, client):
    client.orders.upsert(order_id=1001, line_items=[{"sku": "A", "price": 9.5}], customer_id="007", **ORDER)
    order = sandbox.assert_order(
        1001,
        total="95.00",
        total_amount=95,
        currency="USD",
        order_date=AT,
        placed_at="2026-05-12T12:00:00+02:00",
        line_items=[{"sku": "A", "price": 9.5}],
        customer_id="007",
        phone=None,
        subtotal=None,
    )
    assert order == sandbox.orders[1001] == sandbox.assert_order("1001")
    assert sandbox.assert_order(1001, total=95.0, total_amount=Decimal(95))
    text = message(lambda: sandbox.assert_order(1001, total="99.00", currency="EUR", customer_id=7, subtotal=1))
    assert text.splitlines() == [
        "order 1001 differs:",
        "  total: expected '99.00', stored '95.00'",
        "  currency: expected 'EUR', stored 'USD'",
        "  customer_id: expected 7, stored '007'",
        "  subtotal: expected 1, stored nothing",
    ]
    for wrong in (
        {"line_items": []},
        {"line_items": [{"sku": "A"}]},
        {"line_items": [{"sku": "A", "price": 9}]},
        {"placed_at": AT + timedelta(seconds=1)},
        {"total_amount": None},
        {"total_amount": "much"},
        {"currency": None},
        {"accepts_email_marketing": False},
    ):
        assert "order 1001 differs" in message(lambda wrong=wrong: sandbox.assert_order(1001, **wrong))


def test_a_long_difference_names_the_members_that_differ(sandbox, client):
    items = [{"sku": f"TEE-{number}", "quantity": number, "price": "9.50"} for number in range(1, 6)]
    client.orders.upsert(order_id=1001, line_items=items, **ORDER)
    wanted = [{**item} for item in items]
    wanted[3]["quantity"] = 40
    del wanted[0]["price"]
    assert message(lambda: sandbox.assert_order(1001, line_items=[*wanted, {"sku": "TEE-6"}])).splitlines() == [
        "order 1001 differs:",
        "  line_items[0].price: expected nothing, stored '9.50'",
        "  line_items[3].quantity: expected 40, stored 4",
        "  line_items[5]: expected {'sku': 'TEE-6'}, stored nothing",
    ]
    client.events.ingest("seen", email="jane@example.com", event_data={"text": "x" * 100, "inner": {"a": 1}})
    data = {"text": "x" * 100, "inner": {"a": 2}}
    assert message(lambda: sandbox.assert_event("seen", event_data=data)).splitlines() == [
        "the event of type 'seen' differs:",
        "  event_data.inner: expected {'a': 2}, stored {'a': 1}",
    ]
    assert len(message(lambda: sandbox.assert_event("seen", event_data={"text": 1})).splitlines()) == 3


def test_a_name_that_no_field_has_differs_from_every_value(sandbox, client):
    client.orders.upsert(order_id=1001, **ORDER)
    client.events.ingest("seen", email="jane@example.com")
    sandbox.assert_order(1001, subtotal=None, financial_status=None)
    sandbox.assert_event("seen", phone=None, event_data=None)
    for check in (
        lambda: sandbox.assert_order(1001, subtotl=None),
        lambda: sandbox.assert_contact("jane@example.com", subtotl=None),
        lambda: sandbox.assert_event("seen", subtotl=None),
    ):
        assert message(check).splitlines()[1:] == ["  subtotl: expected None, but no field has this name"]


def test_assert_order_names_what_is_stored(sandbox, client):
    assert message(lambda: sandbox.assert_order(7)) == "the sandbox stores no order 7; it stores no orders"
    for number in range(1, 13):
        client.orders.upsert(order_id=number, **ORDER)
    assert message(lambda: sandbox.assert_order(99)) == (
        "the sandbox stores no order 99; it stores orders 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …"
    )


def test_assert_contact_compares_fields(sandbox, client):
    jane = client.contacts.create(email="jane@example.com", email_consent="subscribed", tags=["vip", "eu"])
    assert sandbox.assert_contact("jane@example.com", tags=["vip", "eu"], email_consent="subscribed") == jane
    assert sandbox.assert_contact(jane.id, first_name=None, created_at=AT, custom_fields={}) == jane
    assert message(
        lambda: sandbox.assert_contact("jane@example.com", tags=["vip"], first_name="Jane")
    ).splitlines() == [
        "contact 'jane@example.com' differs:",
        "  tags: expected ['vip'], stored ['vip', 'eu']",
        "  first_name: expected 'Jane', stored None",
    ]
    assert message(lambda: sandbox.assert_contact("bob@example.com")) == (
        "the sandbox stores no contact 'bob@example.com'; it stores contacts jane@example.com"
    )


def test_assert_event_finds_the_event_that_fits(sandbox, client):
    assert message(lambda: sandbox.assert_event("seen")) == (
        "the sandbox stores no event of type 'seen'; it stores no events"
    )
    client.events.ingest("seen", email="a@example.com", event_data={"n": 1})
    client.events.ingest("seen", email="b@example.com", event_data={"n": 2.5})
    assert sandbox.assert_event("seen") == sandbox.events[0]
    assert sandbox.assert_event("seen", event_data={"n": 2.5}) == sandbox.events[1]
    assert sandbox.assert_event("seen", event_data={"n": 2.5}, phone=None, accepted_at=AT) == sandbox.events[1]
    text = message(lambda: sandbox.assert_event("seen", email="b@example.com", event_data={"n": 3}))
    assert text.splitlines() == [
        "none of the 2 events of type 'seen' is as expected; the nearest differs:",
        "  event_data: expected {'n': 3}, stored {'n': 2.5}",
    ]
    assert message(lambda: sandbox.assert_event("bought")) == (
        "the sandbox stores no event of type 'bought'; it stores events of type seen"
    )
    client.events.ingest("left", email="a@example.com")
    assert message(lambda: sandbox.assert_event("left", email="b@example.com")).startswith(
        "the event of type 'left' differs:"
    )


def test_pytest_shows_the_line_of_the_test(sandbox):
    sandbox.client().contacts.create(email="jane@example.com")
    for check in (
        lambda: sandbox.assert_order(1),
        lambda: sandbox.assert_contact("jane@example.com", tags=["vip"]),
        lambda: sandbox.assert_event("seen"),
    ):
        with pytest.raises(AssertionError) as caught:
            check()
        shown = caught.traceback.filter(caught)
        assert [str(entry.path) for entry in shown] == [__file__, __file__]


def test_booleans_are_not_numbers():
    assert differences({"total_items": 1}, {"total_items": True}, "orders.upsert")
    assert differences({"accepts_email_marketing": True}, {"accepts_email_marketing": 1}, "orders.upsert")
    assert not differences({"accepts_email_marketing": True}, {"accepts_email_marketing": True}, "orders.upsert")


# ---- faults of one operation ----


def test_a_fault_may_concern_one_operation(sandbox, client):
    sandbox.fail(503, on="orders.upsert", skip=1)
    sandbox.fail(500, on="events.ingest", count=0)
    client.contacts.create(email="jane@example.com")
    client.orders.upsert(order_id=1, **ORDER)
    with pytest.raises(privy.ServerError) as caught:
        client.events.ingest("seen", email="jane@example.com")
    assert caught.value.status == 500
    with pytest.raises(privy.ServerError) as caught:
        client.orders.upsert(order_id=2, **ORDER)
    assert caught.value.status == 503
    client.orders.upsert(order_id=2, **ORDER)
    assert [(request.operation, request.status) for request in sandbox.requests] == [
        ("contacts.create", 201),
        ("orders.upsert", 201),
        ("events.ingest", 500),
        ("orders.upsert", 503),
        ("orders.upsert", 201),
    ]
    sandbox.clear_faults()
    client.events.ingest("seen", email="jane@example.com")


def test_the_faults_of_an_upsert(sandbox, client):
    client.contacts.create(email="jane@example.com")
    sandbox.fail(503, on="contacts.upsert")
    with pytest.raises(privy.ServerError):
        client.contacts.upsert(email="jane@example.com", first_name="Jane")
    sandbox.fail(502, on="contacts.update")
    with pytest.raises(privy.ServerError) as caught:
        client.contacts.upsert(email="jane@example.com", first_name="Jane")
    assert caught.value.status == 502
    assert client.contacts.upsert(email="jane@example.com", first_name="Jane").first_name == "Jane"


def test_a_fault_of_no_operation_raises(sandbox):
    with pytest.raises(ValueError, match=r"there is no operation orders\.upsrt"):
        sandbox.fail(503, on="orders.upsrt")


# ---- clients and servers ----


def test_an_async_client(sandbox):
    async def run():
        async with sandbox.async_client(max_retries=0) as client:
            assert isinstance(client, privy.AsyncClient)
            await client.contacts.create(email="jane@example.com")
            sandbox.fail(503)
            with pytest.raises(privy.ServerError):
                await client.contacts.list().total_count()

    asyncio.run(run())
    sandbox.assert_contact("jane@example.com")
    assert [request.status for request in sandbox.requests] == [201, 503]
    with pytest.raises(privy.PrivyError):
        sandbox.async_client(timeout=-1)


PROGRAM = """
import os, privy
with privy.Client() as client:
    client.contacts.create(email="jane@example.com")
"""


def test_another_process_uses_a_served_sandbox(sandbox):
    with sandbox.serve() as url:
        assert url.startswith("http://127.0.0.1:")
        environment = {"PRIVY_API_TOKEN": sandbox.token, "PRIVY_BASE_URL": url, "PYTHONPATH": ":".join(sys.path)}
        subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=True, timeout=120)
        sandbox.assert_contact("jane@example.com")
        assert sandbox.requests[0].headers["user-agent"].startswith("privy")
    with pytest.raises(privy.APIConnectionError):
        privy.Client(sandbox.token, base_url=url, max_retries=0).contacts.list().total_count()


def test_a_server_ends_when_its_block_raises(sandbox):
    with pytest.raises(RuntimeError, match="mine"), sandbox.serve() as url:
        raise RuntimeError("mine")
    with pytest.raises(privy.APIConnectionError):
        privy.Client(sandbox.token, base_url=url, max_retries=0).contacts.list().total_count()
    with sandbox.serve() as first, sandbox.serve() as second:
        assert first != second
        port = int(first.split(":")[2].split("/")[0])
        with pytest.raises(OSError, match="in use"), sandbox.serve(port=port):
            pass


def test_what_it_shows_can_be_encoded(sandbox, client):
    client.orders.upsert(order_id=1, **ORDER)
    assert json.dumps([request.json for request in sandbox.requests])
    assert json.dumps(sandbox.orders[1].to_dict(json=True))
