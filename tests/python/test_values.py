"""Values of requests and of records."""

from __future__ import annotations

import copy
import enum
import json
import math
import pickle
import string
from collections import OrderedDict, UserDict
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType

import privy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import Reply, recording

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
NUMBERS = st.one_of(
    st.integers(-(10**30), 10**30),
    st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12),
)
SCALARS = st.one_of(st.none(), st.booleans(), TEXT, NUMBERS)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=OFFSETS)
NESTED = st.recursive(
    SCALARS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def sandbox():
    return privy.Sandbox()


@pytest.fixture(scope="module")
def client(sandbox):
    return sandbox.client()


@pytest.fixture
def jane(client):
    return client.contacts.upsert(email="jane@example.com")


def body_of(recorder, value):
    """What a value looks like on the wire."""
    recorder.requests.clear()
    recorder.client().request("POST", "/any", body=value)
    return recorder.requests[0].body.decode()


def faults(action):
    with pytest.raises(privy.ValidationError) as caught:
        action()
    return [fault["field"] for fault in caught.value.details]


@given(name=TEXT, tags=st.lists(TEXT.filter(bool), max_size=4))
def test_unicode_comes_back(client, jane, name, tags):
    changed = client.contacts.update(jane.id, first_name=name, tags=tags)
    assert (changed.first_name, changed.tags) == (name, tuple(tags))
    assert client.contacts.get(jane.id).first_name == name


@given(fields=st.dictionaries(TEXT, SCALARS, max_size=6))
def test_custom_fields_come_back(client, jane, fields):
    changed = client.contacts.update(jane.id, custom_fields=fields)
    assert dict(changed.custom_fields) == fields
    for name, value in fields.items():
        assert isinstance(changed.custom_fields[name], bool) == isinstance(value, bool)


@given(total=st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=0, max_value=10**12))
def test_money_comes_back_to_the_cent(client, total):
    order = client.orders.upsert(
        order_id=7, email="a@b.c", total=total, currency="USD", order_date="2026-05-12T10:00:00Z"
    )
    assert isinstance(order.total_amount, Decimal)
    assert order.total_amount == total


@pytest.mark.parametrize("total", [95, 95.0, "95.00", "95", Decimal("95"), Decimal("9.5E+1")])
def test_money_in_every_form(client, total):
    order = client.orders.upsert(
        order_id="8", email="a@b.c", total=total, currency="USD", order_date="2026-05-12T10:00:00Z"
    )
    assert order.total_amount == Decimal(95)


@given(at=TIMES)
def test_instants_come_back(client, at):
    order = client.orders.upsert(order_id=9, email="a@b.c", total=1, currency="USD", order_date=at)
    assert abs(order.placed_at - at) < timedelta(seconds=1)
    assert order.placed_at.utcoffset() == timedelta(0)


@given(at=TIMES)
def test_instants_are_sent_in_utc(at):
    with privy.Sandbox().client() as client:
        assert client.events.ingest("seen", email="a@b.c", event_time=at).status == "accepted"


@given(value=NESTED)
def test_any_json_goes_out_as_it_is(raw, value):
    recorder, client = raw
    recorder.requests.clear()
    client.request("POST", "/any", body=value)
    sent = json.loads(recorder.requests[0].body, parse_float=Decimal)
    assert sent == exact(value)


@pytest.fixture(scope="module")
def raw():
    with recording() as recorder, recorder.client() as client:
        yield recorder, client


def exact(value):
    """The value as JSON's reader gives it back: numbers with a point become Decimal by their shortest form."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [exact(item) for item in value]
    return value


@given(value=NESTED)
def test_any_json_comes_in_as_it_is(value):
    text = json.dumps({"data": {"event": value}}, default=str)
    expected = json.loads(text, parse_float=Decimal)["data"]["event"]
    with recording(lambda request: Reply(body=text)) as recorder, recorder.client() as client:
        answer = client.request("GET", "/any").json()["data"]["event"]
    assert frozen(expected) == answer


def frozen(value):
    if isinstance(value, dict):
        return {key: frozen(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(frozen(item) for item in value)
    return value


class Level(str, enum.Enum):
    GOLD = "gold"


class Index:
    def __index__(self):
        return 41


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (95.0, "95.0"),
        (1e300, "1e+300"),
        (-0.0, "-0.0"),
        (2**63, "9223372036854775808"),
        (-(2**63), "-9223372036854775808"),
        (Decimal("0.10"), "0.10"),
        (Decimal("1E+3"), "1E+3"),
        (True, "true"),
        (None, "null"),
        ('é\u2028\x00\x1f"\\/', '"é\u2028\\u0000\\u001f\\"\\\\/"'),
        ("\U0001f600", '"\U0001f600"'),
        ((1, [2]), "[1,[2]]"),
        ({}, "{}"),
        (OrderedDict(b=1, a=2), '{"b":1,"a":2}'),
        (MappingProxyType({"a": 1}), '{"a":1}'),
        (UserDict(a=1), '{"a":1}'),
        (Level.GOLD, '"gold"'),
        (Index(), "41"),
        (datetime(2026, 5, 12, 10, tzinfo=timezone.utc), '"2026-05-12T10:00:00Z"'),
        (datetime(1, 2, 3, 4, 5, 6, 7, tzinfo=timezone.utc), '"0001-02-03T04:05:06.000007Z"'),
        (datetime(2026, 5, 12, 10, 0, 0, 250000, timezone(timedelta(hours=2))), '"2026-05-12T08:00:00.250000Z"'),
    ],
)
def test_what_a_value_looks_like(recorder, value, text):
    assert body_of(recorder, value) == text


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("-Infinity"),
        {1, 2},
        b"bytes",
        object(),
        1j,
        iter([1]),
        "\ud800",
        {"\udfff": 1},
        {1: 2},
        [[["\ud800"]]],
        10**5000,
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_cannot_be_sent_is_an_error_detail(client, value, sandbox):
    before = sandbox.counts.requests
    assert faults(lambda: client.request("POST", "/any", body=value))
    assert faults(lambda: client.events.ingest("seen", email="a@b.c", event_data={"inside": value}))
    assert sandbox.counts.requests == before


def test_error_details_name_the_path(client):
    data = {"a": [1, {"b": object()}], "c": float("nan")}
    found = faults(lambda: client.events.ingest("seen", email="a@b.c", event_data=data))
    assert found == ["event_data.a[1].b", "event_data.c"]


def test_a_type_that_cannot_be_sent_is_named(client):
    with pytest.raises(privy.ValidationError) as caught:
        client.contacts.create(email="a@b.c", first_name=b"Jane")
    assert caught.value.details[0]["field"] == "first_name"
    assert "bytes" in caught.value.details[0]["message"]


def test_a_naive_datetime_is_refused(client):
    with pytest.raises(privy.ValidationError) as caught:
        client.events.ingest("seen", email="a@b.c", event_time=datetime(2026, 5, 12, 10))
    (fault,) = caught.value.details
    assert fault["field"] == "event_time"
    assert "UTC" in fault["message"]


def test_an_instant_before_the_calendar_is_refused(client):
    far = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))
    assert faults(lambda: client.events.ingest("seen", email="a@b.c", event_time=far)) == ["event_time"]


def test_omitted_and_none_differ(recorder):
    client = recorder.client()
    client.contacts.create(email="a@b.c", first_name=None)
    client.contacts.create(email="a@b.c", first_name=privy.omit)
    assert [request.body for request in recorder.requests] == [
        b'{"email":"a@b.c","first_name":null}',
        b'{"email":"a@b.c"}',
    ]


def test_omit_is_one_and_false():
    assert not privy.omit
    assert repr(privy.omit) == "omit"
    assert pickle.loads(pickle.dumps(privy.omit)) is privy.omit
    assert copy.deepcopy(privy.omit) is privy.omit
    with pytest.raises(TypeError):
        privy.Omit()


def test_a_value_that_contains_itself_is_an_error_detail(client):
    loop = []
    loop.append(loop)
    table = {}
    table["a"] = [table, table]
    for value in (loop, table):
        assert faults(lambda value=value: client.request("POST", "/any", body=value))
        assert faults(lambda value=value: client.events.ingest("seen", email="a@b.c", event_data={"x": value}))


def test_a_value_that_is_nested_too_deeply_is_an_error_detail(client):
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert faults(lambda: client.request("POST", "/any", body=deep))
    assert faults(lambda: client.events.ingest("seen", email="a@b.c", event_data={"x": deep}))
    while deep:
        deep = deep.pop()


def test_the_same_container_twice_is_no_loop(recorder):
    inner = [1]
    assert body_of(recorder, {"a": inner, "b": [inner, inner]}) == '{"a":[1],"b":[[1],[1]]}'


def test_a_dict_that_grows_while_it_is_read(recorder):
    members = {"a": 1}

    class Growing(datetime):
        def utcoffset(self):
            if len(members) < 50:
                members[f"more{len(members)}"] = self
            return timedelta(0)

    members["b"] = Growing(2026, 5, 12, tzinfo=timezone.utc)
    with pytest.raises(RuntimeError, match="changed size"):
        body_of(recorder, members)
    assert len(members) < 5


def test_what_changes_while_it_is_read(recorder):
    items = [1, 2, 3]

    class Shrinking(datetime):
        def utcoffset(self):
            items.clear()
            return timedelta(0)

    items.insert(0, Shrinking(2026, 5, 12, tzinfo=timezone.utc))
    assert body_of(recorder, items) == '["2026-05-12T00:00:00Z"]'


def test_invalid_characters_in_method_and_path_are_error_details(client):
    assert faults(lambda: client.request("GET", "/a\0b")) == ["path"]
    assert faults(lambda: client.request("GET", "/\ud800")) == ["path"]
    assert faults(lambda: client.request("G\0T", "/a")) == ["method"]
    assert faults(lambda: client.request("\0", "/a")) == ["method"]
    assert bytes([0])[0] == 0  # the interpreter has one object for all such bytes
    with pytest.raises(TypeError, match="path"):
        client.request("GET", 5)


def test_a_large_event(client):
    assert client.events.ingest("seen", email="a@b.c", event_data={"x": "y" * 200_000}).status == "accepted"
    with pytest.raises((privy.ValidationError, privy.PayloadTooLargeError)):
        client.events.ingest("seen", email="a@b.c", event_data={"x": string.ascii_letters * 6000})
