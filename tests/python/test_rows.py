"""The rows of bulk runs: iterables of mappings or of objects with fields, and nothing that only resembles one."""

from __future__ import annotations

import asyncio
import collections
import csv
import dataclasses
import datetime
import functools
import io
import sqlite3
import types
import typing
from decimal import Decimal

import attrs
import django.conf
import numpy
import pandas
import polars
import privy
import pyarrow
import pydantic
import pytest

ROW = {"event_type": "seen", "email": "a@example.com"}
FIELDS = ["event_type", "email", "phone"]


@dataclasses.dataclass
class Seen:
    event_type: str
    email: str
    phone: str | None = None
    kind: typing.ClassVar[str] = "not a field"


class Named(typing.NamedTuple):
    event_type: str
    email: str
    phone: str | None = None


@attrs.define
class Attrs:
    event_type: str
    email: str
    phone: str | None = None


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(populate_by_name=True)
    event_type: str = pydantic.Field(alias="type")
    email: pydantic.SecretStr | str = "a@example.com"
    phone: str | None = None


class Keyed:
    """As rows of databases have them: keys, and values by key, but no items."""

    def keys(self):
        return FIELDS

    def __getitem__(self, name):
        return ROW.get(name)


class SqlRow(tuple):
    """A tuple with a mapping."""

    __slots__ = ()

    @property
    def _mapping(self):
        return types.MappingProxyType(dict(zip(FIELDS, self, strict=True)))


class AsyncRows:
    def __aiter__(self):
        raise AssertionError("it is never awaited")


def sqlite_row():
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    return connection.execute("select 'seen' as event_type, 'a@example.com' as email").fetchone()


NOT_ROWS = {
    "dict": (ROW, "not dict: put the one row into a list"),
    "mapping": (types.MappingProxyType(ROW), "not mappingproxy: put the one row into a list"),
    "row of sqlite": (sqlite_row(), "not Row: put the one row into a list"),
    "str": ("event_type,email\n", "not str: read its rows first"),
    "bytes": (b"event_type,email\n", "not bytes: read its rows first"),
    "bytearray": (bytearray(b"{}"), "not bytearray: read its rows first"),
    "series": (pandas.Series(ROW), "not Series: use its to_list() if its values are dicts"),
    "dataclass": (Seen("seen", "a@example.com"), "not Seen: put the one row into a list"),
    "lazy frame": (polars.LazyFrame([ROW]), "not LazyFrame: call its collect() first"),
    "model": (Model(event_type="seen"), "not Model: put the one row into a list"),
    "None": (None, "not NoneType: it is not iterable"),
    "int": (5, "not int: it is not iterable"),
}


@pytest.mark.parametrize("method", ["contacts.upsert_many", "orders.upsert_many", "events.ingest_many"])
@pytest.mark.parametrize("name", NOT_ROWS)
def test_what_holds_no_rows_is_refused_at_once(name, method, sandbox, client):
    rows, words = NOT_ROWS[name]
    resource, verb = method.split(".")
    with pytest.raises(TypeError) as caught:
        getattr(getattr(client, resource), verb)(rows)
    assert str(caught.value).startswith("rows must be a frame, or an iterable of rows, ")
    assert words in str(caught.value)
    assert sandbox.counts.requests == 0


def test_the_asynchronous_client_refuses_it_likewise(sandbox):
    async def given(rows):
        async with privy.AsyncClient(sandbox=sandbox) as client:
            client.events.ingest_many(rows)

    for rows, words in NOT_ROWS.values():
        with pytest.raises(TypeError) as caught:
            asyncio.run(given(rows))
        assert words in str(caught.value)


def test_a_record_is_no_iterable_of_rows(client):
    contact = client.contacts.create(email="a@example.com")
    with pytest.raises(TypeError, match="not Contact: put the one row into a list"):
        client.contacts.upsert_many(contact)


class Mappings:
    """As SQLAlchemy's MappingResult: it has keys of its own, and is iterated row by row."""

    def keys(self):
        return ROW.keys()

    def columns(self, *names):
        raise AssertionError("no columns are needed")

    def __iter__(self):
        return iter([ROW])


ROWS = {
    "list": lambda: [ROW],
    "tuple": lambda: (ROW,),
    "deque": lambda: collections.deque([ROW]),
    "UserList": lambda: collections.UserList([ROW]),
    "generator": lambda: (row for row in [ROW]),
    "csv": lambda: csv.DictReader(io.StringIO("event_type,email\nseen,a@example.com\n")),
    "values of a dict": lambda: {1: ROW}.values(),
    "array of objects": lambda: numpy.array([ROW], dtype=object),
    "records of a frame": lambda: pandas.DataFrame([ROW]).to_dict("records"),
    "mappings of a query": lambda: Mappings(),
    "read-only mappings": lambda: [types.MappingProxyType(ROW)],
}


@pytest.mark.parametrize("name", ROWS)
def test_any_iterable_of_mappings_is_taken(name, client):
    (result,) = client.events.ingest_many(ROWS[name]())
    assert result.error is None


# ---- rows with a fixed set of fields ----

OBJECTS = {
    "dataclass": Seen("seen", "a@example.com"),
    "named tuple": Named("seen", "a@example.com"),
    "tuple of collections": collections.namedtuple("Pair", "event_type email")("seen", "a@example.com"),
    "attrs": Attrs("seen", "a@example.com"),
    "pydantic, by the names of its fields": Model(type="seen"),
    "sqlite3": sqlite_row(),
    "object with keys": Keyed(),
    "tuple with a mapping": SqlRow(["seen", "a@example.com", None]),
    "numpy record": numpy.rec.array([tuple(ROW.values())], names=list(ROW))[0],
    "element of a structured array": numpy.array([("seen", "a@example.com", None)], [(n, object) for n in FIELDS])[0],
    "itertuples": next(pandas.DataFrame([ROW]).itertuples(index=False)),
    "series": pandas.Series({**ROW, "phone": None}),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_with_fields_is_a_row_without_its_nulls(name, sandbox, client):
    (result,) = client.events.ingest_many([OBJECTS[name]])
    assert result.error is None
    assert dict(result.row) == ROW
    assert sandbox.requests[-1].json == ROW


@pytest.mark.parametrize("name", ["dataclass", "named tuple", "attrs", "object with keys", "tuple with a mapping"])
def test_nulls_of_objects_are_sent_on_demand(name, client):
    report = client.events.ingest_many([OBJECTS[name]], nulls="send").run()
    assert [(entry.field, entry.message) for entry in report.refused] == [
        ("phone", "must not be null"),
        ("base", "exactly one of email, phone, privy_id is required"),
    ]
    assert client.events.validate_many([OBJECTS[name]]) == []
    assert [entry.field for entry in client.events.validate_many([OBJECTS[name]], nulls="send")] == ["phone", "base"]


def test_rows_of_a_query_of_sqlalchemy(sandbox, client):
    import sqlalchemy
    from sqlalchemy.pool import StaticPool

    query = sqlalchemy.text("select 'seen' as event_type, 'a@example.com' as email, null as phone")
    with sqlalchemy.create_engine("sqlite://", poolclass=StaticPool).connect() as connection:
        for rows in (connection.execute(query), connection.execute(query).all(), connection.execute(query).mappings()):
            (result,) = client.events.ingest_many(rows, nulls="omit")
            assert result.error is None
            assert sandbox.requests[-1].json == ROW
        (row,) = connection.execute(query)
        assert client.events.ingest_many([row]).run().ok
        assert [entry.field for entry in client.events.validate_many([row], nulls="send")] == ["phone", "base"]


def test_scalars_of_pyarrow_are_their_values(sandbox, client):
    at = datetime.datetime(2026, 5, 12, 10, tzinfo=datetime.timezone.utc)
    data = pyarrow.scalar({"a": 1, "b": [None, 0.5], "c": Decimal("1.50")})
    row = {**{name: pyarrow.scalar(value) for name, value in ROW.items()}, "event_time": pyarrow.scalar(at)}
    (result,) = client.events.ingest_many([{**row, "event_data": data, "phone": pyarrow.scalar(None)}], nulls="omit")
    assert result.error is None
    assert sandbox.requests[-1].json == {
        **ROW,
        "event_time": "2026-05-12T10:00:00Z",
        "event_data": {"a": 1, "b": [None, 0.5], "c": 1.5},
    }


NULLS = [
    None,
    float("nan"),
    numpy.float32("nan"),
    pandas.NaT,
    pandas.NA,
    numpy.datetime64("NaT"),
    pyarrow.scalar(None, pyarrow.string()),
    pyarrow.scalar(float("nan")),
]


@pytest.mark.parametrize("null", NULLS, ids=repr)
def test_nulls_of_dicts_are_omitted_on_demand(null, sandbox, client):
    row = {**ROW, "phone": null}
    (result,) = client.events.ingest_many([row], nulls="omit")
    assert result.error is None
    assert result.row is row
    assert sandbox.requests[-1].json == ROW
    assert [entry.field for entry in client.events.ingest_many([row]).run().refused] == ["phone", "base"]
    assert client.events.validate_many([{**row, "extra": {"more": 1}}], nulls="omit") == []


def test_a_null_inside_a_value_is_sent(sandbox, client):
    data = {"a": None, "b": [None]}
    client.events.ingest_many([{**ROW, "event_data": data}], nulls="omit").run()
    assert sandbox.requests[-1].json["event_data"] == data


@dataclasses.dataclass
class Item:
    sku: str
    quantity: int | None = None


@dataclasses.dataclass
class Order:
    order_id: int
    email: str
    total: float
    currency: str
    order_date: str
    line_items: list[Item]
    extra: dict | None = None


def test_objects_inside_objects(sandbox, client):
    order = Order(1, "a@example.com", 9.5, "USD", "2026-05-12T10:00:00Z", [Item("a"), Item("b", 2)])
    (result,) = client.orders.upsert_many([order])
    assert result.error is None
    assert sandbox.requests[-1].json["line_items"] == [{"sku": "a"}, {"sku": "b", "quantity": 2}]
    wrong = dataclasses.replace(order, line_items=[Item("a", "two")], extra={"more": 1})
    (entry,) = client.orders.upsert_many([wrong]).run().refused
    assert (entry.key, entry.field, entry.value) == (1, "line_items[0].quantity", "two")
    client.orders.upsert(**{**vars(order), "order_id": 2})
    assert sandbox.requests[-1].json["line_items"][0] == {"sku": "a", "quantity": None}


def test_other_words_for_nulls(client):
    for nulls in ("drop", "", True):
        with pytest.raises(ValueError, match="nulls must be 'omit' or 'send', not"):
            client.orders.upsert_many([], nulls=nulls)


class Unreadable(Model):
    @pydantic.model_serializer
    def refuse(self):
        raise RuntimeError("not now")


@functools.cache
def django_model():
    if not django.conf.settings.configured:
        django.conf.settings.configure(INSTALLED_APPS=[])
        django.setup()
    from django.db import models

    class Customer(models.Model):
        class Meta:
            app_label = "shop"

    return Customer


def test_rows_that_are_no_rows_are_refused_one_by_one(client):
    rows = [5, django_model()(), ROW, (1, 2), Unreadable(type="seen"), Seen]
    report = client.events.ingest_many(rows).run()
    assert report.succeeded == 1
    words = {entry.index: entry.message for entry in report.refused}
    assert words[0] == "must be a dict, not int"
    assert words[1] == "must be a dict, not Customer: use values() of the queryset"
    assert words[3] == "must be a dict, not tuple"
    assert "not now" in words[4]
    assert words[5] == "must be a dict, not type"
