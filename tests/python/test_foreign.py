"""Values of numpy, pandas, the standard library and programs: converted, or an error detail of their field."""

from __future__ import annotations

import array
import collections
import dataclasses
import enum
import re
import subprocess
import sys
import uuid
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import numpy
import pandas
import privy
import pydantic
import pytest

ORDER = {"order_id": 1, "email": "a@b.c", "total": 1, "currency": "USD", "order_date": "2026-05-12T10:00:00Z"}
ZONE = timezone(timedelta(hours=2))


class Color(enum.Enum):
    RED = "red"
    NESTED = {"a": [1]}


class Size(enum.IntEnum):
    LARGE = 3


class Consent(str, enum.Enum):
    YES = "subscribed"


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


class Row(collections.UserList):
    pass


class Indexed:
    def __index__(self):
        return 41


class Floating:
    def __float__(self):
        return 1.5


@dataclasses.dataclass
class Point:
    x: int
    inside: list = dataclasses.field(default_factory=list)


class Model(pydantic.BaseModel):
    x: int
    inside: Point | None = None


class Item:
    """A value of a library that keeps its scalars in objects of its own."""

    def __init__(self, value):
        self.value = value

    def item(self):
        return self.value


def body_of(recorder, value):
    recorder.requests.clear()
    recorder.client().request("POST", "/any", body=value)
    return recorder.requests[0].body.decode()


# ---- taken for what they are ----


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (numpy.bool_(True), "true"),
        (numpy.bool_(False), "false"),
        (numpy.int8(-5), "-5"),
        (numpy.uint64(2**64 - 1), "18446744073709551615"),
        (numpy.float64(95.1), "95.1"),
        (numpy.float32(95.1), "95.1"),
        (numpy.float16(0.1), "0.1"),
        (numpy.float32(1e20), "1E+20"),
        (numpy.longdouble("0.1"), "0.1"),
        (numpy.str_("é"), '"é"'),
        (numpy.datetime64("2026-05-12"), '"2026-05-12"'),
        (numpy.array(5), "5"),
        (numpy.array("a"), '"a"'),
        (numpy.array([1, 2]), "[1,2]"),
        (numpy.array([]), "[]"),
        (numpy.array([5]), "[5]"),
        (numpy.array([[1.5], [2.5]]), "[[1.5],[2.5]]"),
        (numpy.array(["a", "bc"]), '["a","bc"]'),
        (numpy.array([True]), "[true]"),
        (numpy.array([{"a": numpy.int64(1)}, None], dtype=object), '[{"a":1},null]'),
        (numpy.array([1.1], dtype=numpy.float32), "[1.1]"),
        (pandas.Timestamp("2026-05-12T10:00:00.5+02:00"), '"2026-05-12T08:00:00.500000Z"'),
        (pandas.Timestamp("2026-05-12T10:00:00.123456789", tz="UTC"), '"2026-05-12T10:00:00.123456789Z"'),
        (pandas.Series([1, 2]), "[1,2]"),
        (pandas.Series(["a"], dtype="string"), '["a"]'),
        (pandas.Series([pandas.Timestamp("2026-05-12", tz="UTC")]), '["2026-05-12T00:00:00Z"]'),
        (pandas.Index(["a", "b"]), '["a","b"]'),
        (pandas.Categorical(["a", "b", "a"]), '["a","b","a"]'),
        (pandas.array([1, 2], dtype="Int64"), "[1,2]"),
        (Color.RED, '"red"'),
        (Color.NESTED, '{"a":[1]}'),
        (Size.LARGE, "3"),
        (Consent.YES, '"subscribed"'),
        (Rights.READ | Rights.WRITE, "3"),
        (collections.deque([1, "a"]), '[1,"a"]'),
        (collections.UserList([1, [2]]), "[1,[2]]"),
        (collections.UserString("ab"), '"ab"'),
        (range(3), "[0,1,2]"),
        (array.array("i", [1, 2]), "[1,2]"),
        (Indexed(), "41"),
        (Floating(), "1.5"),
        (Fraction(3, 2), "1.5"),
        (Item(Decimal("1.50")), "1.50"),
        (Item(Color.RED), '"red"'),
        (date(2026, 5, 12), '"2026-05-12"'),
        (time(10, 30), '"10:30:00"'),
        (uuid.UUID(int=5), '"00000000-0000-0000-0000-000000000005"'),
        (Point(1, [Point(2)]), '{"x":1,"inside":[{"x":2,"inside":[]}]}'),
        (Model(x=1), '{"x":1,"inside":null}'),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_what_a_value_looks_like(recorder, value, text):
    assert body_of(recorder, value) == text
    assert body_of(recorder, {"a": [value]}) == '{"a":[' + text + "]}"


def test_fields_of_every_kind(client):
    order = client.orders.upsert(
        order_id=numpy.int64(7),
        email=numpy.str_("a@b.c"),
        total=numpy.float32(95.1),
        currency=Color("red") and numpy.array("USD"),
        order_date=pandas.Timestamp("2026-05-12T10:00:00", tz="Europe/Berlin"),
        total_items=numpy.uint8(2),
        line_items=numpy.array([{"sku": "a", "quantity": numpy.int16(2), "price": numpy.float64(9.5)}], dtype=object),
        discounts=collections.deque([{"code": "X", "amount": Fraction(1, 2)}]),
        accepts_email_marketing=numpy.bool_(True),
    )
    assert (order.order_id, order.total_amount, order.total_items) == (7, Decimal("95.10"), 2)
    assert order.placed_at == datetime(2026, 5, 12, 8, tzinfo=timezone.utc)
    contact = client.contacts.upsert(
        email="a@b.c",
        email_consent=Consent.YES,
        tags=numpy.array(["a", "b"]),
        custom_fields={"since": date(2020, 1, 2), "size": Size.LARGE, "color": Color.RED, "on": numpy.bool_(True)},
    )
    assert contact.tags == ("a", "b")
    assert contact.custom_fields == {"since": "2020-01-02", "size": 3, "color": "red", "on": True}
    for tags in (collections.deque("ab"), Row(["a", "b"]), pandas.Series(["a", "b"]), ("a", "b")):
        assert client.contacts.update(contact.id, tags=tags).tags == ("a", "b")


# ---- faults ----


def details_of(action):
    with pytest.raises(privy.ValidationError) as caught:
        action()
    return {fault["field"]: fault["message"] for fault in caught.value.details}


class Broken(datetime):
    def utcoffset(self):
        raise RuntimeError("no such zone")


class BrokenIndex:
    def __index__(self):
        raise ValueError("not counted yet")


class BrokenList(list):
    def __getitem__(self, index):
        raise LookupError("gone")


class BrokenSequence(collections.UserList):
    def __iter__(self):
        raise OSError("closed")

    def __getitem__(self, index):
        raise OSError("closed")


class BrokenMapping(collections.UserDict):
    def items(self):
        raise KeyError("a")


class OddMapping(collections.UserDict):
    def items(self):
        return [1, 2]


class Unspeakable(Exception):
    def __str__(self):
        raise ValueError("not even that")


class BrokenFloat:
    def __float__(self):
        raise Unspeakable


class BrokenDecimal(Decimal):
    def __str__(self):
        raise ArithmeticError("no digits")


MISSING = "omit a field that has no value"
FAULTS = [
    (pandas.NaT, f"is NaT: {MISSING}"),
    (pandas.NA, f"is NA: {MISSING}"),
    (numpy.datetime64("NaT"), f"is NaT: {MISSING}"),
    (numpy.datetime64("NaT", "ns"), f"is NaT: {MISSING}"),
    (float("nan"), f"is NaN: {MISSING}"),
    (numpy.float64("nan"), f"is NaN: {MISSING}"),
    (numpy.float32("nan"), f"is NaN: {MISSING}"),
    (Decimal("NaN"), f"is NaN: {MISSING}"),
    (Decimal("sNaN"), f"is NaN: {MISSING}"),
    (Broken(2026, 5, 12), "is a Broken whose conversion raised RuntimeError: no such zone"),
    (BrokenIndex(), "is a BrokenIndex whose conversion raised ValueError: not counted yet"),
    (BrokenMapping(), "is a BrokenMapping whose conversion raised KeyError: 'a'"),
    (OddMapping(), "is a OddMapping whose conversion raised TypeError: items() of a mapping must return pairs"),
    (BrokenSequence(), "is a BrokenSequence whose conversion raised OSError: closed"),
    (BrokenFloat(), "is a BrokenFloat whose conversion raised Unspeakable"),
    (BrokenDecimal(1), "is a BrokenDecimal whose conversion raised ArithmeticError: no digits"),
    (Item(Item), None),
    (numpy.timedelta64(5, "ns"), None),
    (pandas.Timedelta("1h"), None),
    (timedelta(1), None),
    (Point, None),
    (numpy.complex64(1), None),
    (numpy.bytes_(b"a"), None),
    (memoryview(b"a"), None),
    (pandas.DataFrame({"a": [1]}), None),
    ({"a", "b"}, None),
    (object(), None),
]


@pytest.mark.parametrize(("value", "words"), FAULTS, ids=lambda value: type(value).__name__)
def test_a_value_that_cannot_be_sent_is_one_detail_among_others(client, sandbox, value, words):
    before = sandbox.counts.requests
    for field in ("order_date", "total", "total_items", "currency", "line_items", "billing_address"):
        found = details_of(lambda: client.orders.upsert(**{**ORDER, "email": "nobody", field: value}))  # noqa: B023
        assert set(found) == {field, "email"}
        if words:
            assert found[field] == words
        else:
            assert re.search(r"^must be .* not \w+$", found[field])
    found = details_of(lambda: client.events.ingest("a b", email="a@b.c", event_data={"x": [value]}))
    assert set(found) == {"event_type", "event_data.x[0]"}
    assert words or re.search(r"^is a \w+, which cannot be encoded as JSON$", found["event_data.x[0]"])
    assert sandbox.counts.requests == before


def test_a_type_is_refused_in_the_words_of_its_field(client):
    found = details_of(lambda: client.orders.upsert(**{**ORDER, "email": b"a@b.c", "total": {1}, "order_date": b""}))
    assert found["email"] == "must be a string, not bytes"
    assert found["total"] == "must be a number such as 95.00, not set"
    assert re.search(r"^must be .*Z.*, not bytes$", found["order_date"])
    found = details_of(
        lambda: client.contacts.create(email_consent=b"", tags=[b"a"], custom_fields={"a": b""}, send_welcome_sms=b"")
    )
    assert found["email_consent"].endswith("suppressed, not bytes")
    assert found["tags[0]"] == "must be a string, not bytes"
    assert found["custom_fields.a"] == "must be a string, number, boolean or null, not bytes"
    assert found["send_welcome_sms"] == "must be true or false, not bytes"


def test_an_infinite_number(client):
    for value in (float("inf"), -float("inf"), numpy.float32("inf"), Decimal("-Infinity")):
        found = details_of(lambda: client.orders.upsert(**ORDER | {"total": value}))  # noqa: B023
        assert found == {"total": "is infinite: must be a finite number"}


def test_an_element_that_fails_is_a_detail_with_its_path(client):
    found = details_of(lambda: client.contacts.create(email="nobody", tags=numpy.array(["a", None], dtype=object)))
    assert set(found) == {"email", "tags[1]"}
    found = details_of(lambda: client.contacts.create(email="nobody", tags=BrokenList("ab")))
    assert found["tags[0]"] == "is a BrokenList whose conversion raised LookupError: gone"
    assert "email" in found
    found = details_of(lambda: client.orders.upsert(**ORDER | {"line_items": numpy.array([1, 2])}))
    assert set(found) == {"line_items[0]", "line_items[1]"}


@pytest.mark.parametrize(
    "naive",
    [
        datetime(2026, 1, 1),
        pandas.Timestamp("2026-01-01T10:00"),
        numpy.datetime64("2026-01-01T10:00"),
        numpy.datetime64("2026-01-01T10:00:00.123456789"),
        numpy.datetime64("2026-01-01", "ns"),
    ],
    ids=repr,
)
def test_a_time_without_a_zone_is_called_that(client, naive):
    words = "is a time without a time zone: add one, such as UTC"
    assert details_of(lambda: client.orders.upsert(**ORDER | {"order_date": naive})) == {"order_date": words}
    assert details_of(lambda: client.events.ingest("seen", email="a@b.c", event_time=naive)) == {"event_time": words}
    inside = {"when": naive, "list": [naive]}
    found = details_of(lambda: client.events.ingest("seen", email="a@b.c", event_data=inside))
    assert found == {"event_data.when": words, "event_data.list[0]": words}
    found = details_of(lambda: client.contacts.create(email="a@b.c", custom_fields={"when": naive}))
    assert found == {"custom_fields.when": words}


@pytest.mark.parametrize("day", [date(2026, 1, 1), numpy.datetime64("2026-01-01")], ids=repr)
def test_a_date_is_no_time(client, day):
    found = details_of(lambda: client.orders.upsert(**ORDER | {"order_date": day}))
    assert found == {"order_date": "is a date: pass a time with a time zone"}


def test_what_stops_a_program_comes_through(client):
    class Stopped:
        def __init__(self, error):
            self.error = error

        def __index__(self):
            raise self.error

    for error in (KeyboardInterrupt(), SystemExit(3), MemoryError()):
        with pytest.raises(type(error)):
            client.contacts.create(email="a@b.c", custom_fields={"a": Stopped(error)})  # noqa: B023


def test_a_container_that_contains_itself(client):
    loop = collections.UserList()
    loop.append(loop)
    table = collections.deque()
    table.append({"a": table})
    for value in (loop, table):
        assert list(details_of(lambda: client.request("POST", "/any", body=value)).values()) == [  # noqa: B023
            "must not contain itself"
        ]

    class Endless:
        def item(self):
            return Endless()

    assert details_of(lambda: client.request("POST", "/any", body=Endless()))


def test_keys_that_are_no_text(client):
    class Key:
        def __str__(self):
            raise AssertionError("its text must not be read")

        __repr__ = __str__

    found = details_of(lambda: client.events.ingest("a b", email="a@b.c", event_data={5: 1, Key(): 2, 1.5: 3}))
    assert {"event_type", "event_data.5", "event_data.Key", "event_data.1.5"} == set(found)


def test_nothing_of_numpy_or_pandas_is_imported():
    script = """
import sys, privy
client = privy.Sandbox().client()
class Indexed:
    def __index__(self):
        return 41
client.contacts.create(email="a@b.c", custom_fields={"a": Indexed()})
print(any(name.partition(".")[0] in ("numpy", "pandas") for name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"


def test_a_row_with_a_cell_too_many(client):
    row = {**ORDER, "email": "nobody", None: ["more", "cells"]}
    (result,) = client.orders.upsert_many([row])
    found = {fault["field"]: fault["message"] for fault in result.error.details}
    assert set(found) == {"email", "base"}
    assert found["base"] == "a value has no name: the row has more cells than its header"
