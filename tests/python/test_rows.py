"""The rows of bulk runs: any iterable of mappings, and nothing that only resembles one."""

from __future__ import annotations

import asyncio
import collections
import csv
import io
import sqlite3
import types

import numpy
import pandas
import privy
import pytest

ROW = {"event_type": "seen", "email": "a@example.com"}


class Table:
    """As polars and pyarrow have them: it has columns, and gives an Arrow stream."""

    columns = ("event_type", "email")

    def __arrow_c_stream__(self, requested_schema=None):
        raise AssertionError("no stream is needed")

    def __iter__(self):
        return iter(self.columns)

    def to_pylist(self):
        return [ROW]


class Batches:
    """As pyarrow.RecordBatchReader: an iterator of batches."""

    def __arrow_c_stream__(self, requested_schema=None):
        raise AssertionError("no stream is needed")

    def __iter__(self):
        return iter([Table()])


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
    "DataFrame": (pandas.DataFrame([ROW]), 'not DataFrame: use its to_dict("records")'),
    "series": (pandas.Series(ROW), "not Series: use its to_list() if its values are dicts"),
    "table": (Table(), "not Table: use its to_pylist()"),
    "batches": (Batches(), "not Batches: convert it to a list of dicts"),
    "async": (AsyncRows(), "not AsyncRows: await its rows first"),
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
    assert str(caught.value).startswith("rows must be an iterable of dicts, ")
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
