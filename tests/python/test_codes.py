"""Every code of error details: what a caller does to get it."""

import json
import pickle
from datetime import date

import privy
import pytest
from privy import _core
from support import Reply

CODES = _core.schema()["codes"]
ORDER = {"order_id": 1, "email": "a@b.c", "total": 1, "currency": "USD", "order_date": "2026-05-12T10:00:00Z"}
SEEN = {"event_type": "seen", "email": "a@b.c"}
CIRCULAR: list = []
CIRCULAR.append(CIRCULAR)
DEEP: dict = {}
for _ in range(70):
    DEEP = {"a": DEEP}


class Failing(dict):
    """A mapping whose items raise."""

    def items(self):
        raise RuntimeError("no")


INVALID = {
    "required": ("orders.upsert", {name: ORDER[name] for name in ORDER if name != "total"}),
    "not_null": ("contacts.create", {"email": "a@b.c", "tags": None}),
    "missing_value": ("orders.upsert", {**ORDER, "total": float("nan")}),
    "unknown_field": ("contacts.create", {"email": "a@b.c", "emial": "a@b.c"}),
    "read_only": ("contacts.create", {"email": "a@b.c", "created_at": "2026-05-12T10:00:00Z"}),
    "wrong_type": ("contacts.create", {"email": 5}),
    "not_a_number": ("orders.upsert", {**ORDER, "total": "much"}),
    "not_an_integer": ("contacts.list", {"page": 1.5}),
    "not_finite": ("orders.upsert", {**ORDER, "total": float("inf")}),
    "greater_than_or_equal_to": ("contacts.list", {"page": 0}),
    "less_than_or_equal_to": ("contacts.list", {"per_page": 101}),
    "inclusion": ("contacts.create", {"email": "a@b.c", "email_consent": "maybe"}),
    "not_on_create": ("contacts.create", {"phone_number": "+14155550171", "sms_consent": "unsubscribed"}),
    "invalid_email": ("contacts.create", {"email": "a"}),
    "invalid_phone": ("contacts.create", {"phone_number": "555"}),
    "invalid_time": ("orders.upsert", {**ORDER, "order_date": "soon"}),
    "without_time_zone": ("orders.upsert", {**ORDER, "order_date": date(2026, 5, 12)}),
    "invalid_currency": ("orders.upsert", {**ORDER, "currency": "usd"}),
    "invalid_event_type": ("events.ingest", {**SEEN, "event_type": "a b"}),
    "invalid_contact_id": ("contacts.get", {"id": "5"}),
    "invalid_order_id": ("orders.upsert", {**ORDER, "order_id": 0}),
    "invalid_name": ("contacts.create", {"email": "a@b.c", "custom_fields": {5: 1}}),
    "invalid_encoding": ("contacts.create", {"email": "a@b.c", "first_name": "\ud800"}),
    "too_long": ("contacts.unsubscribe", {"id": "cus_1", "reason": "x" * 501}),
    "too_large": ("events.ingest", {**SEEN, "event_data": {"a": "x" * 300_000}}),
    "too_deep": ("events.ingest", {**SEEN, "event_data": DEEP}),
    "nested": ("contacts.create", {"email": "a@b.c", "custom_fields": {"a": []}}),
    "circular": ("events.ingest", {**SEEN, "event_data": {"a": CIRCULAR}}),
    "not_encodable": ("events.ingest", {**SEEN, "event_data": {"a": object()}}),
    "identifier_required": ("contacts.create", {}),
    "exactly_one_identifier": ("events.ingest", {**SEEN, "phone": "+14155550171"}),
    "phone_required": ("contacts.create", {"email": "a@b.c", "sms_consent": "subscribed"}),
    "nothing_to_update": ("contacts.update", {"id": "cus_1"}),
}


def invalid():
    return {code: _core.validate(operation, fields, None, False) for code, (operation, fields) in INVALID.items()}


def raised(client):
    calls = {
        "conversion_failed": lambda: client.events.ingest(**SEEN, event_data={"a": Failing(b=1)}),
        "invalid_header": lambda: client.request("GET", "/x", headers={"X-A": "a\nb"}),
        "invalid_path": lambda: client.request("GET", "x"),
        "repeated": lambda: client.contacts.create(email="a@b.c", extra={"email": "b@b.c"}),
        "reserved": lambda: client.contacts.create(email="a@b.c", extra_headers={"Host": "x"}),
        "rejected": lambda: client.orders.upsert(**{**ORDER, "total": "9" * 40}),
    }
    found = {}
    for code, call in calls.items():
        with pytest.raises(privy.ValidationError) as caught:
            call()
        found[code] = caught.value.details
    return found


def test_each_rule_has_its_code(client):
    found = {**invalid(), **raised(client)}
    for code, details in found.items():
        assert code in [detail["code"] for detail in details], f"{code}: {details}"
    assert sorted(row["code"] for row in CODES) == sorted([*found, "call_failed"])


def test_codes_with_a_limit_have_a_count():
    details = [detail for list_ in invalid().values() for detail in list_ if "count" in detail]
    assert {detail["code"] for detail in details} == {row["code"] for row in CODES if row["counts"]}
    assert sorted(detail["count"] for detail in details) == [1, 100, 500]


def test_refused_rows_have_code_and_count(client, sandbox):
    report = client.contacts.upsert_many([{"id": "cus_1"}, {"email": "a"}, "row"]).run()
    assert sorted(entry.code for entry in report.refused) == [
        "identifier_required",
        "invalid_email",
        "unknown_field",
        "wrong_type",
    ]
    (entry,) = client.orders.validate_many([{**ORDER, "total_items": -1}])
    assert (entry.code, entry.count) == ("greater_than_or_equal_to", 0)
    sandbox.fail(status=404, count=1)
    (entry,) = client.contacts.upsert_many([{"email": "a@b.c"}]).run().refused
    assert (entry.field, entry.code, entry.count) == ("base", "call_failed", None)


def test_rows_that_are_refused_together_keep_code_and_count(client):
    with pytest.raises(privy.ValidationError) as caught:
        client.orders.upsert_many([ORDER, {**ORDER, "total_items": -1}], check_first=True)
    expected = {"field": "[1].total_items", "message": "must be at least 0", "code": "greater_than_or_equal_to"}
    assert caught.value.details == [{**expected, "count": 0}]
    assert pickle.loads(pickle.dumps(caught.value)).details == caught.value.details


def test_a_server_may_give_its_own_code(recorder):
    codes = ["taken", "too_long", "", "No code", "x" * 65, None, 5]
    details = [{"field": "email", "message": "no", "code": code} for code in codes]
    body = json.dumps({"error": {"code": "validation_failed", "details": details}})
    recorder.answer = lambda request: Reply(422, body=body)
    with pytest.raises(privy.ValidationError) as caught:
        recorder.client().contacts.create(email="a@b.c")
    assert [detail["code"] for detail in caught.value.details] == ["taken", "too_long", *["rejected"] * 5]
    assert all(detail.keys() == {"field", "message", "code"} for detail in caught.value.details)
