"""Records, pages and mappings of responses as plain dicts and as JSON."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal

import privy
import pytest
from support import Reply

CONTACT = (
    '{"id":"cus_0123456789abcdef","email":"jäne@example.com","first_name":null,"tags":["vip"],'
    '"custom_fields":{"size":39,"ratio":1.10,"big":12345678901234567890.5,"on":true,"none":null},'
    '"created_at":"2026-05-12T10:00:00Z","loyalty":{"points":1.5,"since":"2020"}}'
)
ORDER = (
    '{"order_id":1001,"total_amount":"95.00","currency_code":"USD","placed_at":"2026-05-12T12:00:00+02:00",'
    '"email":null,"created":true}'
)


def contact():
    return privy.Contact.from_json(CONTACT)


# ---- mappings ----


def test_dict_of_a_record_has_the_fields_of_the_response():
    jane = contact()
    assert list(dict(jane)) == jane.keys() == list(jane.to_dict())
    for name, value in dict(jane).items():
        assert value == jane[name]
    assert dict(jane)["tags"] == ("vip",)
    assert dict(jane)["created_at"] == datetime(2026, 5, 12, 10, tzinfo=timezone.utc)
    assert dict(jane)["loyalty"] == {"points": Decimal("1.5"), "since": "2020"}
    assert "last_name" not in dict(jane)
    assert {**jane} == dict(jane)
    assert dict(privy.Contact.from_json("{}")) == {}


def test_keys_are_a_list_of_their_own():
    jane = contact()
    jane.keys().clear()
    assert jane.keys()[0] == "id"


# ---- JSON ----


@pytest.mark.parametrize(
    ("kind", "text"), [(privy.Contact, CONTACT), (privy.Order, ORDER), (privy.EventReceipt, '{"event_id":"evt_1"}')]
)
def test_to_json_is_what_the_api_sent(kind, text):
    record = kind.from_json(text)
    assert kind.from_json(record.to_json()) == record
    plain = record.to_dict(json=True)
    assert plain == json.loads(record.to_json())
    for name, value in json.loads(text).items():
        assert plain[name] == value
    assert json.loads(json.dumps(plain)) == plain


def test_json_keeps_every_digit_and_every_character():
    assert '"big":12345678901234567890.5' in contact().to_json()
    assert '"ratio":1.10' in contact().to_json()
    assert "jäne@example.com" in contact().to_json()
    assert privy.Order.from_json(ORDER).to_dict(json=True)["total_amount"] == "95.00"
    assert privy.Order.from_json(ORDER).to_dict(json=True)["placed_at"] == "2026-05-12T12:00:00+02:00"


def test_json_has_the_present_names():
    old = privy.Contact.from_json('{"email_permission":"non_subscribed"}')
    assert list(old.to_dict(json=True)) == list(old.to_dict()) == ["email_consent"]
    assert "email_permission" not in old.to_json()


def test_numbers_that_python_cannot_hold_stay_text():
    many = "9" * 5000
    odd = privy.Contact.from_json('{"custom_fields":{"huge":1e999,"many":' + many + "}}")
    assert odd.to_dict(json=True) == {"custom_fields": {"huge": "1e999", "many": many}}
    assert odd.custom_fields.to_dict(json=True) == {"huge": "1e999", "many": many}


def test_to_dict_takes_json_by_name_only():
    with pytest.raises(TypeError):
        contact().to_dict(True)
    with pytest.raises(TypeError):
        contact().to_dict(jason=True)
    assert contact().to_dict(json=False) == contact().to_dict()


def test_objects_of_responses_become_dicts():
    jane = contact()
    assert jane.custom_fields.to_dict() == jane.to_dict()["custom_fields"]
    assert type(jane.custom_fields.to_dict()) is dict
    assert jane.custom_fields.to_dict(json=True) == json.loads(CONTACT)["custom_fields"]
    assert json.loads(jane.custom_fields.to_json()) == json.loads(CONTACT)["custom_fields"]
    nested = privy.Contact.from_json('{"custom_fields":{"a":[{"b":[1.5]}]}}').custom_fields
    assert type(nested.to_dict()["a"][0]) is dict
    assert nested.to_dict()["a"][0]["b"] == [Decimal("1.5")]
    assert nested.to_dict(json=True)["a"][0]["b"] == [1.5]


def test_unknown_fields_are_written_too():
    extra = contact().extra
    assert extra.to_dict() == {"loyalty": {"points": Decimal("1.5"), "since": "2020"}}
    assert extra.to_dict(json=True) == {"loyalty": {"points": 1.5, "since": "2020"}}
    assert json.loads(extra.to_json()) == extra.to_dict(json=True)
    assert privy.Contact.from_json('{"x":1e999}').extra.to_dict(json=True) == {"x": "1E+999"}


def test_json_dumps_by_the_default_of_the_package(recorder):
    recorder.answer = lambda request: Reply(body='{"data":[' + CONTACT + '],"pagination":{"page":1}}')
    (page,) = recorder.client().contacts.list().pages()
    value = {
        "page": page,
        "one": page[0],
        "fields": page[0].custom_fields,
        "at": page[0].created_at,
        "sum": Decimal("1.50"),
    }
    read = json.loads(json.dumps(value, default=privy.json_default))
    assert read["page"] == [read["one"]] == [contact().to_dict(json=True)]
    assert read["fields"] == json.loads(CONTACT)["custom_fields"]
    assert (read["at"], read["sum"]) == ("2026-05-12T10:00:00Z", "1.50")
    with pytest.raises(TypeError, match="Object of type set is not JSON serializable"):
        json.dumps({1}, default=privy.json_default)


def test_json_alone_says_what_it_does_not_write():
    with pytest.raises(TypeError, match="JSONObject"):
        json.dumps(contact().custom_fields)


# ---- records of one's own ----


def test_from_json_takes_text_and_bytes():
    assert privy.Contact.from_json(CONTACT.encode()) == privy.Contact.from_json(CONTACT)
    for wrong in ("[1]", "", "{", b"\xff"):
        with pytest.raises(ValueError, match="not a record"):
            privy.Contact.from_json(wrong)
    for wrong in (5, None, {"email": "a@b.c"}):
        with pytest.raises(TypeError):
            privy.Contact.from_json(wrong)
