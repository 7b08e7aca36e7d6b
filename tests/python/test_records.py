"""Records: immutable values with typed fields."""

from __future__ import annotations

import copy
import gc
import json
import pickle
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from types import MemberDescriptorType

import privy
import pytest
from privy import _core
from support import SCHEMA, Reply, table

FULL = (
    b'{"id":"cus_0123456789abcdef","email":"jane@example.com","phone_number":"+14155550171","first_name":"J\\u00e4ne",'
    b'"last_name":null,"email_consent":"subscribed","sms_consent":"brand_new","tags":["vip","j@x.org"],'
    b'"custom_fields":{"size":39,"ratio":1.10,"mail":"me@home.net","list":[1,{"phone":"+4915112345678"}]},'
    b'"created_at":"2026-05-12T12:00:00.250+02:00","updated_at":"soon",'
    b'"loyalty":{"tier":"gold","points":12},"score":0.5}'
)


def contact(text=FULL):
    return _core._load("Contact", text)


def test_fields_are_typed():
    jane = contact()
    assert jane.first_name == "Jäne"
    assert jane.last_name is None
    assert jane.email_consent == "subscribed"
    assert jane.sms_consent == "brand_new"
    assert jane.tags == ("vip", "j@x.org")
    assert jane.custom_fields["ratio"] == Decimal("1.10")
    assert str(jane.custom_fields["ratio"]) == "1.10"
    assert jane.custom_fields["list"] == (1, {"phone": "+4915112345678"})
    assert jane.created_at == datetime(2026, 5, 12, 10, 0, 0, 250000, tzinfo=timezone.utc)
    assert jane.created_at.utcoffset() == timedelta(0)
    assert jane.updated_at == "soon"


def test_money_is_exact():
    order = _core._load("Order", b'{"total_amount":"95.00"}')
    assert order.total_amount == Decimal("95.00")
    assert str(order.total_amount) == "95.00"
    assert _core._load("Order", b'{"total_amount":0.1}').total_amount == Decimal("0.1")
    for text in ("much", "NaN", "Infinity", "", "1,5"):
        assert _core._load("Order", f'{{"total_amount":"{text}"}}'.encode()).total_amount == text


def test_order_ids_are_integers_or_text():
    assert _core._load("Order", b'{"order_id":1001}').order_id == 1001
    assert _core._load("Order", b'{"order_id":"1001"}').order_id == "1001"
    assert _core._load("Order", b'{"order_id":1.5}').order_id == Decimal("1.5")
    assert repr(_core._load("Order", b'{"order_id":1.0e3}').order_id) == "1000"
    large = 10**40
    assert _core._load("Order", f'{{"order_id":{large}}}'.encode()).order_id == large


def test_numbers_that_python_cannot_hold_stay_readable():
    record = contact(b'{"custom_fields":{"long":' + b"9" * 6000 + b',"far":1e9999999999999999999}}')
    assert record.custom_fields["long"] == Decimal("9" * 6000)
    assert record.custom_fields["far"] == "1e9999999999999999999"


def test_values_are_made_once():
    jane = contact()
    assert jane.custom_fields is jane.custom_fields
    assert jane.created_at is jane.created_at
    assert jane.email_consent is contact().email_consent


def test_texts_that_come_again_are_the_right_ones():
    words = ["", "a", "ä", "x" * 31, "x" * 32, "x" * 33, "\x00", "\U0001f600" * 8, *(f"word{i}" for i in range(3000))]
    for start in range(0, len(words), 500):
        some = words[start : start + 500]
        for _ in range(2):
            text = json.dumps({"tags": some, "custom_fields": dict.fromkeys(some, 1)}, ensure_ascii=False)
            jane = contact(text.encode())
            assert jane.tags == tuple(some)
            assert list(jane.custom_fields) == some


def test_missing_fields_are_none():
    empty = contact(b"{}")
    for field in table("Contact")["fields"]:
        assert getattr(empty, field["name"]) is None
    assert empty.extra == {}


def test_nothing_can_be_changed():
    jane = contact()
    for name in ("email", "extra", "anything"):
        with pytest.raises(AttributeError):
            setattr(jane, name, "x")
        with pytest.raises(AttributeError):
            delattr(jane, name)
    with pytest.raises(TypeError):
        jane.custom_fields["size"] = 1
    with pytest.raises(TypeError):
        jane.extra["loyalty"]["tier"] = "none"
    with pytest.raises(TypeError):
        jane["email"] = "x"
    with pytest.raises(TypeError):
        privy.Contact()


def test_equal_by_value():
    assert contact() == contact()
    assert hash(contact()) == hash(contact())
    assert len({contact(), contact()}) == 1
    assert contact() != contact(b'{"email":"other@example.com"}')
    assert contact(b'{"score":1}') != contact(b'{"score":2}')
    assert contact(b'{"custom_fields":{"a":1.0}}') == contact(b'{"custom_fields":{"a":1.00}}')
    assert contact(b"{}") != _core._load("Order", b"{}")
    assert contact() != "contact"
    with pytest.raises(TypeError):
        assert contact() < contact()


def test_equality_does_not_depend_on_the_order_of_fields():
    one = contact(b'{"email":"a@b.c","first_name":"A","x":1,"y":2}')
    two = contact(b'{"y":2,"first_name":"A","x":1,"email":"a@b.c"}')
    assert one == two
    assert hash(one) == hash(two)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickled_record_equals_the_original(protocol):
    jane = contact()
    again = pickle.loads(pickle.dumps(jane, protocol))
    assert again == jane
    assert again.to_dict() == jane.to_dict()
    assert again.extra == jane.extra


def test_pickle_keeps_what_the_body_does_not_hold(recorder):
    recorder.answer = lambda request: Reply(201, body='{"data": {"order_id": 1}}')
    order = recorder.client().orders.upsert(
        order_id=1, email="a@b.c", total=1, currency="USD", order_date="2026-05-12T10:00:00Z"
    )
    assert order.created is True
    assert pickle.loads(pickle.dumps(order)).created is True


def test_a_broken_pickle_is_refused():
    with pytest.raises(ValueError, match="record"):
        _core._load("Contact", b"[1]")
    with pytest.raises(ValueError, match="unknown record type Nothing"):
        _core._load("Nothing", b"{}")


def test_a_copy_of_a_record_is_the_record():
    jane = contact()
    assert copy.copy(jane) is jane
    assert copy.deepcopy(jane) is jane


def test_to_dict_is_plain_and_of_its_own():
    jane = contact()
    plain = jane.to_dict()
    assert list(plain)[:4] == ["id", "email", "phone_number", "first_name"]
    assert plain["tags"] == ["vip", "j@x.org"]
    assert type(plain["custom_fields"]) is dict
    assert type(plain["custom_fields"]["list"]) is list
    assert type(plain["custom_fields"]["list"][1]) is dict
    assert plain["loyalty"] == {"tier": "gold", "points": 12}
    plain["custom_fields"]["size"] = 40
    plain["tags"].append("x")
    assert jane.custom_fields["size"] == 39
    assert jane.tags == ("vip", "j@x.org")
    assert contact(b'{"email":null}').to_dict() == {"email": None}


def test_unknown_fields_are_readable():
    jane = contact()
    assert isinstance(jane.extra, Mapping)
    assert jane.extra == {"loyalty": {"tier": "gold", "points": 12}, "score": Decimal("0.5")}
    assert jane["loyalty"]["tier"] == "gold"
    assert jane["email"] == "jane@example.com"
    assert "loyalty" in jane
    assert "email" in jane
    assert "nothing" not in jane
    assert 5 not in jane
    for name in ("nothing", 5, "\ud800"):
        with pytest.raises(KeyError):
            jane[name]
    with pytest.raises(AttributeError):
        _ = jane.loyalty
    with pytest.raises(TypeError):
        iter(jane)


def test_older_names_are_read_as_the_new_ones():
    old = contact(b'{"email_permission":"non_subscribed","contact_phone_permission":"subscribed"}')
    assert (old.email_consent, old.sms_consent) == ("never_subscribed", "subscribed")
    assert old["email_permission"] == "never_subscribed"
    assert old.extra == {}
    assert old.to_dict() == {"email_consent": "never_subscribed", "sms_consent": "subscribed"}


def test_a_record_matches_patterns_in_the_order_of_its_fields():
    match contact():
        case privy.Contact(email="jane@example.com", tags=("vip", *rest)):
            assert rest == ["j@x.org"]
        case _:
            pytest.fail("did not match")
    match contact():
        case privy.Contact("cus_0123456789abcdef", email):
            assert email == "jane@example.com"
        case _:
            pytest.fail("did not match by position")
    for kind in (privy.Contact, privy.Order, privy.EventReceipt):
        assert kind.__match_args__ == tuple(row["name"] for row in table(kind.__name__)["fields"])


def test_repr_masks_addresses_and_phone_numbers():
    shown = repr(contact())
    assert "email='j***@example.com'" in shown
    assert "phone_number='+1415*****71'" in shown
    assert "first_name='Jäne'" in shown
    for secret in ("jane@", "4155550171", "me@home", "15112345678", "j@x.org", "gold", "0.5"):
        assert secret not in shown
    assert "extra=['loyalty', 'score']" in shown
    assert str(contact()) == shown
    assert f"{contact()}" == shown


def test_repr_shows_tuples_as_tuples():
    shown = repr(contact())
    assert "tags=('vip', 'j***@x.org')" in shown
    assert "[" not in shown.replace("extra=['loyalty', 'score']", "")


def test_repr_masks_what_is_odd():
    assert "***" in repr(contact(b'{"email":"a@b, secret@c"}'))
    assert "secret" not in repr(contact(b'{"email":"a@b, secret@c"}'))
    assert "6175550" not in repr(contact(b'{"phone_number":"(617) 555-0123-444"}'))
    assert "Ü***@x" in repr(contact('{"email":"Üml@x"}'.encode()))


def test_duplicate_keys_read_as_the_last():
    assert contact(b'{"email":"a@b","email":"c@d","x":1,"x":2}').to_dict() == {"email": "c@d", "x": 2}


def test_records_outlive_their_page_and_client(recorder):
    recorder.answer = lambda request: Reply(
        body='{"data":[{"first_name":"A","tags":["x"]},{"first_name":"B"}],'
        '"pagination":{"page":1,"per_page":100,"total_count":2,"total_pages":1}}'
    )
    client = recorder.client()
    first = next(iter(client.contacts.list()))
    client.close()
    del client
    gc.collect()
    assert (first.first_name, first.tags) == ("A", ("x",))


def test_attributes_are_plain_descriptors():
    for kind in (privy.Contact, privy.Order, privy.EventReceipt):
        for row in table(kind.__name__)["fields"]:
            descriptor = vars(kind)[row["name"]]
            assert type(descriptor) is MemberDescriptorType
            assert descriptor.__doc__ == row["doc"]
        assert "__getattr__" not in vars(kind)
        assert kind.__doc__ == table(kind.__name__)["doc"]
    assert {row["object"] for row in SCHEMA["operations"]} == {"Contact", "Order", "EventReceipt"}
