"""Masking, names, numbers and values of responses: decided in the core, seen through the client."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import privy
import pytest
from privy import _core
from support import Reply

CONTACT = "cus_0123456789abcdef"
MASKS = json.loads((Path(__file__).parents[1] / "vectors/texts/masks.json").read_text("utf-8"))
ORDER = {"order_id": 1, "email": "a@b.c", "total": "95.00", "currency": "USD", "order_date": "2026-05-12T10:00:00Z"}
NAIVE = datetime(2026, 1, 1)
NO_ZONE = "is a time without a time zone: add one, such as UTC"


def record(kind, **fields):
    return _core._load(kind, json.dumps(fields).encode())


def details(call, *args, **kwargs):
    with pytest.raises(privy.ValidationError) as caught:
        call(*args, **kwargs)
    return [(fault["field"], fault["message"]) for fault in caught.value.details]


def fields(call, *args, **kwargs):
    return [field for field, _ in details(call, *args, **kwargs)]


# ---- masks ----


@pytest.mark.parametrize("mask", MASKS, ids=lambda mask: mask["text"][:30])
def test_masking_hides_addresses_and_phone_numbers(mask):
    text, masked = mask["text"], mask["masked"]
    shown = repr(record("Contact", first_name=text, tags=[text], custom_fields={text: text}, more={text: 1}))
    assert f"first_name={masked!r}, " in shown
    assert f"tags=({masked!r},)" in shown
    assert f"custom_fields={ {masked: masked}!r}" in shown
    assert repr(record("Contact", custom_fields={text: text}).custom_fields).count(repr(masked)) == 2


def test_what_holds_no_text_is_shown_as_it_is():
    shown = repr(record("Order", order_id="4155550171", total_amount="4155550171.50"))
    assert "order_id='4155550171'" in shown
    assert "total_amount=Decimal('4155550171.50')" in shown
    assert "id='cus_4155550171'" in repr(record("Contact", id="cus_4155550171"))


# ---- headers and bodies ----


def test_headers_of_one_name_are_joined_and_secret_ones_left_out(recorder):
    lines = "X-A: 1\r\nSet-Cookie: s=1\r\nx-a: 2\r\nProxy-Authorization: x\r\nX-A: 3\r\nContent-Length: 2\r\n\r\n{}"
    recorder.answer = lambda request: Reply(raw=f"HTTP/1.1 500 No\r\n{lines}".encode())
    with pytest.raises(privy.ServerError) as caught:
        recorder.client(max_retries=0).contacts.get(CONTACT)
    assert dict(caught.value.headers) == {"X-A": "1, 2, 3", "Content-Length": "2"}
    recorder.answer = lambda request: Reply(raw=f"HTTP/1.1 200 OK\r\n{lines}".encode())
    assert recorder.client().request("GET", "/x").headers == caught.value.headers


def test_the_body_of_an_error_ends_between_characters(recorder):
    recorder.answer = lambda request: Reply(500, body="x" + "€" * 1000)
    with pytest.raises(privy.ServerError) as caught:
        recorder.client(max_retries=0).contacts.get(CONTACT)
    assert caught.value.body == "x" + "€" * 682


def test_wrong_bytes_of_a_body(recorder):
    recorder.answer = lambda request: Reply(500, body=b"\xc3\xa9\xff" + b"x" * 5000)
    with pytest.raises(privy.ServerError) as caught:
        recorder.client(max_retries=0).contacts.get(CONTACT)
    assert caught.value.body == "é\ufffd" + "x" * 2045


def test_words_of_the_server_stay_in_their_line(recorder):
    words = "gone\r\n2026-05-12 INFO all well\x1b[2J for jane@example.com"
    faults = [{"field": "a\nb", "message": "no\x1b"}]
    error = {"code": "x\ny", "message": words, "details": faults}
    recorder.answer = lambda request: Reply(422, {"X-Request-Id": "a\tb"}, body=json.dumps({"error": error}))
    with pytest.raises(privy.ValidationError) as caught:
        recorder.client().contacts.get(CONTACT)
    assert str(caught.value) == (
        r"422 x\ny: gone\r\n2026-05-12 INFO all well\u001b[2J for j***@example.com; " + r'"a\nb" no\u001b'
    )
    assert caught.value.details == [{**fault, "code": "rejected"} for fault in faults]
    assert caught.value.code == r"x\ny"
    assert caught.value.request_id == r"a\tb"


# ---- requests ----


def test_a_nul_is_refused_like_anything_else(recorder):
    client = recorder.client()
    assert fields(client.request, "GET", "/a\0b") == ["path"]
    assert fields(client.request, "GET\0", "/a") == ["method"]
    assert fields(client.request, "GET", "/a", headers={"X-A": "a\0"}) == ["headers.X-A"]
    assert fields(client.request, "GET", "/a\ud800") == ["path"]
    assert recorder.requests == []


def test_names_are_shown_and_suggested(sandbox):
    client = sandbox.client()
    row = {**ORDER, "\ufefforder_id": 1}
    del row["order_id"]
    assert client.orders.validate(**row) == [
        {
            "field": r'"\ufefforder_id"',
            "message": "is not a parameter of orders.upsert: did you mean order_id?",
            "code": "unknown_field",
        },
        {"field": "order_id", "message": "is required", "code": "required"},
    ]
    result = next(client.orders.upsert_many([{**ORDER, "sub\ntotal": 1, "x\x1b": 2}]))
    assert str(result.error) == (
        r'invalid request: "sub\ntotal" is not a parameter of orders.upsert: did you mean subtotal?; '
        r'"x\u001b" is not a parameter of orders.upsert; use extra to send it'
    )
    assert sandbox.counts.requests == 0


def test_a_row_with_a_cell_too_many(sandbox):
    rows = [{"email": "jane@example.com", None: ["more"]}, {"email": "jane@example.com", 5: 1}]
    results = list(sandbox.client().contacts.upsert_many(rows))
    assert [result.error.details for result in sorted(results, key=lambda result: result.index)] == [
        [
            {
                "field": "base",
                "message": "a value has no name: the row has more cells than its header",
                "code": "invalid_name",
            }
        ],
        [{"field": "5", "message": "must have a string as its name", "code": "invalid_name"}],
    ]


@pytest.mark.parametrize("id", ["cus_1", "cus_" + "a-B_9" * 12])
def test_ids_of_any_length(recorder, sandbox, id):
    client = recorder.client()
    client.contacts.update(id, first_name="J")
    assert recorder.requests[-1].target == f"/contacts/{id}"
    recorder.answer = lambda request: Reply(body=b'{"event_id":"e"}')
    client.events.ingest("seen", privy_id=id)
    assert json.loads(recorder.requests[-1].body)["privy_id"] == id
    with pytest.raises(privy.NotFoundError):
        sandbox.client().contacts.get(id)


@pytest.mark.parametrize("id", ["cus_", "cus_" + "x" * 65, "cus_a/b", "cus_é", "cus_\u200b"])
def test_ids_that_are_none(sandbox, id):
    assert fields(sandbox.client().contacts.get, id) == ["id"]


def test_orders_have_ids_that_are_not_zero(sandbox):
    client = sandbox.client()
    assert fields(client.orders.upsert, **{**ORDER, "order_id": "0"}) == ["order_id"]
    assert fields(client.request, "POST", "/orders/placed", body={**ORDER, "order_id": "00"}) == ["order_id"]
    assert (sandbox.counts.requests, sandbox.counts.orders) == (1, 0)


def test_integers_above_the_largest(sandbox):
    found = details(sandbox.client().orders.upsert, **{**ORDER, "total_items": 2**63})
    assert found == [("total_items", "must be at most 9223372036854775807")]


class Moment(datetime):
    pass


@pytest.mark.parametrize("naive", [NAIVE, Moment(2026, 1, 1, 12, 30)])
def test_naive_times_are_refused_wherever_they_stand(recorder, naive):
    client = recorder.client()
    place = {"deep": [1, {"when": naive}]}
    assert details(client.events.ingest, "x", email="a@b.c", event_data=place) == [("event_data.deep[1].when", NO_ZONE)]
    assert details(client.contacts.create, email="a@b.c", custom_fields={"since": naive}) == [
        ("custom_fields.since", NO_ZONE)
    ]
    assert details(client.contacts.create, email="a@b.c", extra={"born": naive}) == [("born", NO_ZONE)]
    assert details(client.orders.upsert, **{**ORDER, "order_date": naive}) == [("order_date", NO_ZONE)]
    assert details(client.orders.upsert, **ORDER, line_items=[{"made": naive}]) == [("line_items[0].made", NO_ZONE)]
    assert details(client.request, "POST", "/x", body=place) == [("body.deep[1].when", NO_ZONE)]
    assert details(client.request, "GET", "/x", params={"since": naive}) == [("params.since", NO_ZONE)]
    assert recorder.requests == []


def test_aware_times_pass_wherever_they_stand(recorder):
    aware = NAIVE.replace(tzinfo=timezone.utc)
    recorder.client().request("POST", "/x", body=[aware], params={"since": aware})
    assert recorder.requests[0].body == b'["2026-01-01T00:00:00Z"]'
    assert recorder.requests[0].target == "/x?since=2026-01-01T00%3A00%3A00Z"


# ---- answers ----


PROMISED = {
    "get": lambda client: client.contacts.get(CONTACT),
    "create": lambda client: client.contacts.create(email="a@b.c"),
    "update": lambda client: client.contacts.update(CONTACT, first_name="J"),
    "upsert": lambda client: client.contacts.upsert(email="a@b.c"),
    "list": lambda client: next(iter(client.contacts.list())),
    "orders": lambda client: client.orders.upsert(**ORDER),
    "events": lambda client: client.events.ingest("x", email="a@b.c"),
}


@pytest.mark.parametrize("name", PROMISED)
def test_a_promised_record_that_does_not_come(recorder, name):
    recorder.answer = lambda request: Reply(204)
    with pytest.raises(privy.APIStatusError, match=r"is empty \(HTTP 204\)") as caught:
        PROMISED[name](recorder.client())
    assert caught.value.status == 204


def test_a_deletion_may_have_no_body(recorder):
    recorder.answer = lambda request: Reply(204)
    assert recorder.client().contacts.delete(CONTACT) is None


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(body=b""), "the response is empty (HTTP 200)"),
        (Reply(204), "the response is empty (HTTP 204)"),
        (Reply(body=b"[1"), "the response is not JSON: unexpected end of text at byte 2"),
        (Reply(body=b"\xff"), "the response is not JSON: expected a value at byte 0"),
    ],
)
def test_json_of_a_raw_response_that_is_not_json_raises(recorder, reply, message):
    recorder.answer = lambda request: reply
    response = recorder.client().request("GET", "/x")
    for _ in range(2):
        with pytest.raises(privy.APIStatusError) as caught:
            response.json()
        assert str(caught.value) == message
        assert caught.value.status == response.status
        assert caught.value.body == response.body.decode("utf-8", "replace")


def test_json_of_a_raw_response(recorder):
    recorder.answer = lambda request: Reply(body=b"null")
    assert recorder.client().request("GET", "/x").json() is None


def test_numbers_of_responses_are_exact():
    order = _core._load("Order", b'{"order_id":1e3,"total_items":5.0,"total_amount":"9\\u0035.00","x":5.0}')
    assert (repr(order.order_id), repr(order.total_items)) == ("1000", "5")
    assert repr(order.total_amount) == "Decimal('95.00')"
    assert repr(order["x"]) == "Decimal('5.0')"
    placed = _core._load("Order", b'{"placed_at":"2026-05-12T10:00:00\\u002b02:00"}').placed_at
    assert placed == datetime(2026, 5, 12, 8, tzinfo=timezone.utc)
    assert _core._load("Order", b'{"total_amount":1e9999999}').total_amount == "1e9999999"
    assert _core._load("Order", b'{"total_amount":95}').total_amount == Decimal(95)


# ---- validate ----


def test_validate_costs_nothing(sandbox):
    client = sandbox.client()

    def named(faults):
        return [fault["field"] for fault in faults]

    assert client.contacts.validate(email="jane@example.com") == []
    assert client.contacts.validate() == [
        {"field": "base", "message": "at least one of email, phone_number is required", "code": "identifier_required"}
    ]
    assert named(client.contacts.validate(emial="a@b.c", email_consent="x")) == ["emial", "email_consent", "base"]
    assert client.contacts.validate("update", id=CONTACT, sms_consent="unsubscribed") == []
    assert named(client.contacts.validate("update", id=CONTACT)) == ["base"]
    assert client.contacts.validate("update", id=CONTACT, extra={"loyalty": 1}) == []
    assert named(client.contacts.validate("list", per_page=0)) == ["per_page"]
    assert named(client.contacts.validate("unsubscribe", id=CONTACT, reason=5)) == ["reason"]
    assert named(client.contacts.validate("get")) == named(client.contacts.validate("delete")) == ["id"]
    assert client.orders.validate(**ORDER) == []
    assert named(client.orders.validate(**{**ORDER, "order_id": 0}, line_items=[{"price": "x"}])) == [
        "order_id",
        "line_items[0].price",
    ]
    assert client.events.validate(event_type="seen", email="a@b.c") == []
    assert named(client.events.validate(email="a@b.c")) == ["event_type"]
    with pytest.raises(ValueError, match="merge"):
        client.contacts.validate("merge")
    assert sandbox.counts.requests == 0


def test_validate_returns_the_details_that_a_call_would_raise(sandbox):
    client = sandbox.client()
    wrong = {"email": "a b@c", "phone_number": "5", "tags": [1], "custom_fields": {"a": []}, "sms_consent": "pending"}
    for operation in ("create", "upsert"):
        assert sorted(details(getattr(client.contacts, operation), **wrong)) == sorted(
            (fault["field"], fault["message"]) for fault in client.contacts.validate(operation, **wrong)
        )


def test_validate_is_not_awaited(sandbox):
    async def main():
        async with privy.AsyncClient(sandbox=sandbox) as client:
            assert client.contacts.validate(email="a@b.c") == []
            assert client.contacts.validate("get")[0]["message"] == "is required"
            assert client.orders.validate(**ORDER) == []
            assert client.events.validate(event_type="x", email="a@b") == []

    asyncio.run(main())
    assert sandbox.counts.requests == 0


@pytest.mark.parametrize("mapping", [OrderedDict, MappingProxyType])
def test_validate_takes_whatever_a_call_takes(sandbox, mapping):
    assert sandbox.client().contacts.validate(email="a@b.c", custom_fields=mapping({"a": 1})) == []
