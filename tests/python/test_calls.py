"""Every method, in the process and over a socket."""

from __future__ import annotations

import re
import sys
import warnings
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import privy
import pytest
from support import Reply

NOW = datetime(2026, 5, 12, 10, 0, tzinfo=timezone.utc)


def test_create_gives_the_contact(client):
    jane = client.contacts.create(
        email="jane@example.com",
        phone_number="+14155550171",
        first_name="Jane",
        last_name=None,
        email_consent="subscribed",
        sms_consent="single_opt_in",
        tags=["vip", "été"],
        custom_fields={"size": 39, "ratio": Decimal("1.10"), "gift": True, "note": None},
    )
    assert isinstance(jane, privy.Contact)
    assert jane.id.startswith("cus_")
    assert (jane.email, jane.phone_number) == ("jane@example.com", "+14155550171")
    assert (jane.first_name, jane.last_name) == ("Jane", None)
    assert (jane.email_consent, jane.sms_consent) == ("subscribed", "single_opt_in")
    assert jane.tags == ("vip", "été")
    assert dict(jane.custom_fields) == {"size": 39, "ratio": Decimal("1.10"), "gift": True, "note": None}
    assert jane.created_at.utcoffset() == timedelta(0)
    assert jane.updated_at >= jane.created_at


def test_get_gives_what_create_gave(client):
    jane = client.contacts.create(email="jane@example.com")
    assert client.contacts.get(jane.id) == jane


def test_values_stand_for_the_parameters_in_their_order(client):
    nothing = (None,) * 6
    jane = client._core.call("contacts.create", ("jane@example.com", privy.omit, "Jane"), *nothing)
    assert (jane.email, jane.phone_number, jane.first_name) == ("jane@example.com", None, "Jane")
    with pytest.raises(TypeError, match="too many positional values"):
        client._core.call("contacts.get", (jane.id, privy.omit), *nothing)


def test_get_of_a_stranger(client):
    with pytest.raises(privy.NotFoundError) as caught:
        client.contacts.get("cus_0000000000000000")
    assert caught.value.status == 404
    assert caught.value.path == "/contacts/cus_0000000000000000"


def test_update_changes_only_what_is_given(client):
    jane = client.contacts.create(email="jane@example.com", first_name="Jane", tags=["a"])
    changed = client.contacts.update(jane.id, last_name="Doe", tags=[])
    assert (changed.first_name, changed.last_name, changed.tags) == ("Jane", "Doe", ())
    cleared = client.contacts.update(jane.id, first_name=None)
    assert (cleared.first_name, cleared.last_name) == (None, "Doe")


def test_update_needs_a_field(client):
    jane = client.contacts.create(email="jane@example.com")
    with pytest.raises(privy.ValidationError) as caught:
        client.contacts.update(jane.id)
    assert [fault["field"] for fault in caught.value.details] == ["base"]
    assert caught.value.status is None


def test_upsert_creates_and_updates(client, sandbox):
    first = client.contacts.upsert(email="jane@example.com", first_name="Jane")
    requests = sandbox.counts.requests
    second = client.contacts.upsert(email="jane@example.com", first_name="Janet")
    assert sandbox.counts.requests == requests + 2
    assert second.id == first.id
    assert second.first_name == "Janet"
    assert sandbox.counts.contacts == 1


def test_upsert_of_nothing_but_the_key(client):
    first = client.contacts.upsert(email="jane@example.com")
    assert client.contacts.upsert(email="jane@example.com").id == first.id


def test_delete_gives_the_contact_as_it_was(client, sandbox):
    jane = client.contacts.create(email="jane@example.com", first_name="Jane")
    gone = client.contacts.delete(jane.id)
    assert (gone.id, gone.first_name) == (jane.id, "Jane")
    assert sandbox.counts.contacts == 0
    with pytest.raises(privy.NotFoundError):
        client.contacts.get(jane.id)
    assert client.contacts.create(email="jane@example.com").id == jane.id


def test_unsubscribe_warns_at_the_caller(client):
    jane = client.contacts.create(email="jane@example.com", email_consent="subscribed")
    with pytest.warns(DeprecationWarning, match="email_consent") as caught:
        jane = client.contacts.unsubscribe(jane.id, reason="asked by mail")
    assert jane.email_consent == "unsubscribed"
    assert caught[0].filename == __file__


def test_unsubscribe_makes_no_request_when_the_warning_is_an_error(client, sandbox):
    jane = client.contacts.create(email="jane@example.com")
    requests = sandbox.counts.requests
    with warnings.catch_warnings(), pytest.raises(DeprecationWarning):
        warnings.simplefilter("error")
        client.contacts.unsubscribe(jane.id)
    assert sandbox.counts.requests == requests


def test_order_created_and_updated(client, sandbox):
    fields = {
        "order_id": 1001,
        "email": "jane@example.com",
        "total": Decimal("95.00"),
        "currency": "USD",
        "order_date": NOW,
        "line_items": [{"sku": "A-1", "quantity": 2, "price": Decimal("47.50"), "colour": "red"}],
        "discounts": [{"code": "TEN", "amount": 10}],
        "tax_lines": [{"title": "VAT", "amount": "19.00"}],
        "billing_address": {"first_name": "Jane", "city": "Oslo", "country_code": "NO"},
        "shipping_address": {"postal_code": "0150"},
    }
    order = client.orders.upsert(**fields)
    assert isinstance(order, privy.Order)
    assert order.created is True
    assert str(order.order_id) == "1001"
    assert order.total_amount == Decimal("95.00")
    assert order.currency_code == "USD"
    assert order.placed_at == NOW
    assert order.source == "api"
    again = client.orders.upsert(**fields, financial_status="paid")
    assert again.created is False
    assert again.financial_status == "paid"
    assert (sandbox.counts.orders, sandbox.counts.contacts) == (1, 1)


def test_all_details_of_an_order_are_reported_at_once(client, sandbox):
    with pytest.raises(privy.ValidationError) as caught:
        client.orders.upsert(order_id="C1", total=float("nan"), currency="usd", order_date=datetime(2026, 1, 1))
    fields = [fault["field"] for fault in caught.value.details]
    assert fields[:4] == ["order_id", "total", "currency", "order_date"]
    assert "base" in fields
    assert sandbox.counts.requests == 0


def test_event_and_replay(client, sandbox):
    call = {"email": "jane@example.com", "event_data": {"a": [1, {"b": None}]}, "idempotency_key": "k-1"}
    first = client.events.ingest("purchase_completed", **call)
    assert isinstance(first, privy.EventReceipt)
    assert (first.status, first.idempotent_replay) == ("accepted", False)
    second = client.events.ingest("purchase_completed", **call)
    assert (second.event_id, second.idempotent_replay) == (first.event_id, True)
    assert sandbox.counts.events == 1


def test_event_for_a_contact_by_id(client):
    jane = client.contacts.create(email="jane@example.com")
    assert client.events.ingest("seen", privy_id=jane.id, event_time=NOW).status == "accepted"
    with pytest.raises(privy.ValidationError):
        client.events.ingest("seen", privy_id="cus_0000000000000000")


def test_a_raw_request_reaches_any_endpoint(client):
    made = client.request("POST", "/contacts", body={"email": "jane@example.com"})
    assert made.status == 201
    assert made.json()["data"]["email"] == "jane@example.com"
    found = client.request("GET", "/contacts", params={"email": "jane@example.com", "per_page": 5})
    assert found.json()["pagination"]["per_page"] == 5
    assert found.headers["content-type"].startswith("application/json")
    assert b"jane@example.com" in found.body
    assert "jane" not in repr(found)
    with pytest.raises(privy.NotFoundError):
        client.request("GET", "/nowhere")


def test_extra_fields_reach_the_server(recorder):
    client = recorder.client()
    client.contacts.create(email="a@b.c", extra={"loyalty": {"tier": "gold"}})
    assert recorder.requests[0].body == b'{"email":"a@b.c","loyalty":{"tier":"gold"}}'
    with pytest.raises(TypeError, match="extra"):
        client.contacts.create(email="a@b.c", extra=["loyalty"])
    assert len(recorder.requests) == 1


def test_what_goes_over_the_wire(recorder):
    client = recorder.client()
    client.contacts.create(email="a@b.c", first_name=None, tags=("x",))
    request = recorder.requests[0]
    assert (request.method, request.target) == ("POST", "/contacts")
    assert request.body == b'{"email":"a@b.c","first_name":null,"tags":["x"]}'
    assert request.header("Authorization") == f"Bearer {privy.Sandbox.token}"
    assert request.header("Content-Type") == "application/json"
    python = ".".join(map(str, sys.version_info[:3]))
    agent = rf"privy/{re.escape(privy.__version__)} python/{re.escape(python)} libcurl/\d+\.\d+\.\d+"
    assert re.fullmatch(agent, request.header("User-Agent"))


def test_connections_are_used_again(recorder):
    client = recorder.client()
    for _ in range(5):
        client.contacts.get("cus_0000000000000000")
    assert len(recorder.requests) == 5
    assert recorder.connections == 1


def test_delete_without_a_response_body_returns_none(recorder):
    recorder.answer = lambda request: Reply(status=204)
    assert recorder.client().contacts.delete("cus_0000000000000000") is None
