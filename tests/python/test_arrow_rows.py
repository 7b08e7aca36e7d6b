"""Rows from Arrow tables and streams: of pyarrow, polars and DuckDB, and of objects that only have the interface."""

from __future__ import annotations

import datetime
import gc
from decimal import Decimal

import duckdb
import pandas
import polars
import privy
import pyarrow
import pytest
from privy import _core

UTC = datetime.timezone.utc
CONTACTS = pyarrow.table({"email": ["a@example.com", "b@example.com"], "first_name": ["A", None]})


def rows_of(column, omits=True, integers=()):
    """The values of a pyarrow array as the core reads them."""
    table = pyarrow.table({"x": column})
    return [row.get("x", ...) for row in _core.ArrowRows(table.__arrow_c_stream__(), omits, integers)]


# ---- sources ----


class OnlyArray:
    """An object that has the interface for one array, and no stream."""

    def __init__(self, batch):
        self._batch = batch

    def __arrow_c_array__(self, requested_schema=None):
        return self._batch.__arrow_c_array__(requested_schema)


class OnlyStream:
    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


class Strict(OnlyStream):
    """A table like that of arro3: a slice beyond the end is an error."""

    def __len__(self):
        return len(self._table)

    def slice(self, offset, length):
        if offset + length > len(self):
            raise ValueError("offset + length may not exceed the length of the table")
        return OnlyStream(self._table.slice(offset, length))


def relation():
    contacts = CONTACTS  # noqa: F841
    return duckdb.sql("from contacts")


SOURCES = {
    "pyarrow.Table": (lambda: CONTACTS, 2),
    "pyarrow.RecordBatch": (lambda: CONTACTS.to_batches()[0], 2),
    "pyarrow.RecordBatchReader": (CONTACTS.to_reader, None),
    "polars.DataFrame": (lambda: polars.DataFrame(CONTACTS), 2),
    "duckdb": (relation, None),
    "one array": (lambda: OnlyArray(CONTACTS.to_batches()[0]), None),
    "one stream": (lambda: OnlyStream(CONTACTS), None),
    "strict table": (lambda: Strict(CONTACTS), 2),
    "pyarrow.StructArray": (lambda: CONTACTS.to_batches()[0].to_struct_array(), 2),
    "pyarrow.ChunkedArray": (lambda: pyarrow.chunked_array([CONTACTS.to_batches()[0].to_struct_array()]), 2),
    "polars.Series of structs": (lambda: polars.DataFrame(CONTACTS).to_struct("contact"), 2),
}


@pytest.mark.parametrize("name", SOURCES)
def test_tables_and_streams_are_rows(name, sandbox, client):
    make, total = SOURCES[name]
    run = client.contacts.upsert_many(make())
    assert run.total == total
    report = run.run()
    assert (report.total, report.succeeded) == (2, 2)
    assert sorted((request.json for request in sandbox.requests), key=lambda row: row["email"]) == [
        {"email": "a@example.com", "first_name": "A"},
        {"email": "b@example.com"},
    ]


@pytest.mark.parametrize("name", SOURCES)
def test_all_rows_are_checked_before_the_first_request(name, sandbox, client):
    make, _ = SOURCES[name]
    assert client.contacts.upsert_many(make(), check_first=True).run().ok
    assert client.contacts.validate_many(make()) == []
    assert len(client.contacts.validate_many(make(), nulls="send")) == 0
    assert sandbox.counts.contacts == 2
    with pytest.raises(privy.ValidationError, match="first_name is not a parameter"):
        client.events.ingest_many(make())


def test_what_is_not_taken_of_a_stream_stays_there(client):
    table = pyarrow.table({"email": [f"c{number}@example.com" for number in range(3000)]})
    reader = pyarrow.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=10))
    run = client.contacts.upsert_many(reader, concurrency=1)
    next(run)
    run.close()
    assert run.total is None
    assert [index for index, _ in run.unsent + run.in_doubt] == list(range(1, run.taken))


def test_a_table_lists_its_later_rows(client):
    frame = polars.DataFrame({"email": [f"c{number}@example.com" for number in range(2500)]})
    run = client.contacts.upsert_many(frame, concurrency=1)
    next(run)
    run.close()
    assert [index for index, _ in run.unsent[-2:]] == [2498, 2499]
    assert len(run.unsent) == 2499
    assert client.contacts.upsert_many([row for _, row in run.unsent]).run().ok


def test_an_array_without_members_holds_no_rows(client):
    for array in (CONTACTS["email"], CONTACTS["email"].chunk(0), polars.Series(["a@example.com", "b@example.com"])):
        entries = client.contacts.validate_many(array)
        assert [entry.index for entry in entries] == [0, 1]
        assert all(entry.message.startswith("must be a dict, not ") for entry in entries)


def test_a_null_in_an_array_of_structs_is_an_empty_row(client):
    rows = pyarrow.array([{"email": "a@example.com"}, None])
    entries = client.contacts.validate_many(rows)
    assert [(entry.index, entry.field) for entry in entries] == [(1, "base")]


def test_a_stream_in_an_event_loop(sandbox):
    import asyncio

    async def main():
        async with privy.AsyncClient(sandbox=sandbox) as client:
            return await client.contacts.upsert_many(CONTACTS.to_reader()).run()

    assert asyncio.run(main()).ok


def test_a_million_rows_are_not_a_million_dicts(client):
    """The rows of a slice are released with the next one."""
    table = pyarrow.table({"email": pyarrow.array(["a@example.com"] * 1_000_000)})
    run = client.contacts.upsert_many(table, concurrency=1)
    next(run)
    gc.collect()
    assert sum(type(item) is dict and item == {"email": "a@example.com"} for item in gc.get_objects()) < 5000
    run.close()


# ---- values ----

SECOND = datetime.datetime(2026, 5, 12, 10, tzinfo=UTC)
VALUES = [
    (pyarrow.array([1, None], "int8"), [1, ...]),
    (pyarrow.array([2**64 - 1], "uint64"), [2**64 - 1]),
    (pyarrow.array([95.1, None, float("nan")], "float32"), [95.1, ..., ...]),
    (pyarrow.array([0.1], "float64"), [0.1]),
    (pyarrow.array([True, None, False]), [True, ..., False]),
    (pyarrow.array(["é", None], "string"), ["é", ...]),
    (pyarrow.array(["x"], "large_string"), ["x"]),
    (pyarrow.array(["short", None, "more than twelve"], "string_view"), ["short", ..., "more than twelve"]),
    (pyarrow.array(["b", "a", None, "b"]).dictionary_encode(), ["b", "a", ..., "b"]),
    (pyarrow.array([Decimal("95.10"), None], pyarrow.decimal128(10, 2)), [Decimal("95.10"), ...]),
    (pyarrow.array([Decimal("-1")], pyarrow.decimal256(60, 0)), [-1]),
    (pyarrow.array([datetime.date(2026, 5, 12)], "date32"), [datetime.date(2026, 5, 12)]),
    (pyarrow.array([datetime.date(1969, 5, 12)], "date64"), [datetime.date(1969, 5, 12)]),
    (pyarrow.array([SECOND], pyarrow.timestamp("s", "Europe/Berlin")), [SECOND]),
    (pyarrow.array([SECOND], pyarrow.timestamp("us", "UTC")), [SECOND]),
    (pyarrow.array([SECOND.replace(tzinfo=None)], pyarrow.timestamp("ms")), [SECOND.replace(tzinfo=None)]),
    (pyarrow.array([1], "int64").cast(pyarrow.timestamp("ns", "UTC")), ["1970-01-01T00:00:00.000000001Z"]),
    (pyarrow.array([datetime.time(10, 30)], "time64[us]"), ["10:30:00"]),
    (pyarrow.array([datetime.timedelta(hours=1)]), [datetime.timedelta(hours=1)]),
    (pyarrow.array([b"a"], "binary"), [b"a"]),
    (pyarrow.array([None, None]), [..., ...]),
    (pyarrow.array([["a", None], [], None]), [["a", None], [], ...]),
    (pyarrow.array([["a"]], pyarrow.large_list(pyarrow.string())), [["a"]]),
    (pyarrow.array([[1, 2]], pyarrow.list_(pyarrow.int8(), 2)), [[1, 2]]),
    (
        pyarrow.array([{"sku": "a", "price": 1.5}, {"sku": "b", "price": None}, None]),
        [{"sku": "a", "price": 1.5}, {"sku": "b"}, ...],
    ),
    (
        pyarrow.array([[("size", 1), ("color", None)], None], pyarrow.map_(pyarrow.string(), pyarrow.int64())),
        [{"size": 1, "color": None}, ...],
    ),
]


@pytest.mark.parametrize(("column", "values"), VALUES, ids=lambda value: str(getattr(value, "type", "")))
def test_values_are_exact(column, values):
    assert rows_of(column) == values
    assert [type(value) for value in rows_of(column)] == [type(value) for value in values]
    padded = pyarrow.concat_arrays([column, column, column])
    assert rows_of(padded.slice(len(column), len(column))) == values
    if ... in values:
        sent = rows_of(column, omits=False)
        missing = [value for value, expected in zip(sent, values, strict=True) if expected is ...]
        assert all(value is None or value != value for value in missing)


def test_null_members_of_structs_are_sent_on_demand():
    column = pyarrow.array([{"sku": "b", "price": None}])
    assert rows_of(column, omits=False) == [{"sku": "b", "price": None}]


def test_integers_stored_as_floats_or_decimals():
    assert rows_of(pyarrow.array([1001.0, 1.5, None]), integers=("x",)) == [1001, 1.5, ...]
    ids = rows_of(pyarrow.array([Decimal("1001.00"), Decimal("1.50")]), integers=("x",))
    assert [str(value) for value in ids] == ["1001", "1.50"]


def test_random_tables_are_read_as_pyarrow_reads_them():
    import random

    rng = random.Random(7)
    kinds = {
        "int": (pyarrow.int32(), lambda: rng.randrange(-(2**31), 2**31)),
        "text": (pyarrow.string(), lambda: "é" * rng.randrange(30)),
        "view": (pyarrow.string_view(), lambda: "é" * rng.randrange(30)),
        "bool": (pyarrow.bool_(), lambda: rng.random() < 0.5),
        "decimal": (pyarrow.decimal128(38, 7), lambda: Decimal(rng.randrange(-(10**37), 10**37)).scaleb(-7)),
        "list": (pyarrow.list_(pyarrow.int64()), lambda: [rng.randrange(100) for _ in range(rng.randrange(4))]),
        "struct": (
            pyarrow.struct({"a": pyarrow.int8(), "b": pyarrow.list_(pyarrow.string())}),
            lambda: {"a": rng.randrange(100), "b": [rng.choice(["x", None])]},
        ),
        "time": (
            pyarrow.timestamp("us", "UTC"),
            lambda: SECOND + datetime.timedelta(microseconds=rng.randrange(10**15)),
        ),
    }
    for _ in range(20):
        count = rng.randrange(1, 80)
        values = {
            name: [None if rng.random() < 0.2 else make() for _ in range(count)] for name, (_, make) in kinds.items()
        }
        table = pyarrow.table({name: pyarrow.array(values[name], kind) for name, (kind, _) in kinds.items()})
        table = pyarrow.concat_tables([table, table]).slice(rng.randrange(count), rng.randrange(count) + 1)
        read = list(_core.ArrowRows(table.__arrow_c_stream__(), False, ()))
        assert read == table.to_pylist()


# ---- what cannot be read ----


@pytest.mark.parametrize(
    "column",
    [
        pyarrow.array([None], pyarrow.month_day_nano_interval()),
        pyarrow.array([1.5], pyarrow.float16()),
        pyarrow.RunEndEncodedArray.from_arrays([1], ["a"]),
        pyarrow.UnionArray.from_sparse(pyarrow.array([0], "int8"), [pyarrow.array([1])]),
    ],
    ids=lambda column: str(column.type),
)
def test_a_type_that_is_not_read_is_an_error_of_its_column(column, sandbox, client):
    with pytest.raises(privy.ValidationError, match="cast it to another") as caught:
        client.contacts.upsert_many(pyarrow.table({"email": ["a@example.com"], "first_name": column}))
    (detail,) = caught.value.details
    assert detail["field"] == "first_name"
    assert sandbox.counts.requests == 0


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pyarrow.array([b"x"]), "must be a string, not bytes"),
        (pyarrow.array([datetime.timedelta(1)]), "must be a string, not timedelta"),
        (pyarrow.array([b"\xff"]).view(pyarrow.string()), "must be valid Unicode: it holds a lone surrogate"),
        (pyarrow.array([7]), "must be a string"),
    ],
)
def test_a_value_that_no_field_accepts_is_an_error_of_its_row(column, words, client):
    table = pyarrow.table({"email": ["a@example.com"], "first_name": column})
    (entry,) = client.contacts.upsert_many(table).run().refused
    assert (entry.index, entry.field, entry.message) == (0, "first_name", words)


def test_columns_are_checked_before_any_row(client, sandbox):
    wrong = CONTACTS.rename_columns(["mail", "first_name"])
    for table in (wrong, wrong.to_reader()):
        with pytest.raises(privy.ValidationError, match=r"mail is not a parameter of \S+: did you mean email"):
            client.contacts.upsert_many(table)
    assert sandbox.counts.requests == 0


def test_a_stream_that_fails_ends_the_run_after_its_rows(client):
    def batches():
        yield CONTACTS.to_batches()[0]
        raise RuntimeError("the disk is full")

    run = client.contacts.upsert_many(pyarrow.RecordBatchReader.from_batches(CONTACTS.schema, batches()))
    seen = []
    with pytest.raises(ValueError, match="the Arrow stream failed: .*the disk is full"):
        for result in run:
            seen.append(result.index)
    assert sorted(seen) == [0, 1]
    assert isinstance(run.report.stopped, ValueError)


def test_a_stream_is_read_once(client):
    capsule = CONTACTS.__arrow_c_stream__()
    assert len(list(_core.ArrowRows(capsule, True, ()))) == 2
    with pytest.raises(ValueError, match="was read before"):
        _core.ArrowRows(capsule, True, ())
    with pytest.raises(ValueError, match="its rows must be structs"):
        _core.ArrowRows(pyarrow.chunked_array([[1]]).__arrow_c_stream__(), True, ())
    with pytest.raises(ValueError):
        _core.ArrowRows(object(), True, ())


def test_memory_that_runs_out_is_reported():
    for nth in range(1, 40):
        _core._fail_allocation(nth)
        try:
            rows = list(_core.ArrowRows(CONTACTS.__arrow_c_stream__(), True, ()))
        except MemoryError:
            assert _core._allocation_failed()
        else:
            break
        finally:
            _core._fail_allocation(0)
    assert nth > 3
    assert len(rows) == 2


def test_pages_of_contacts_are_tables_that_can_be_read(client):
    for number in range(3):
        client.contacts.create(email=f"c{number}@example.com", tags=["a"], custom_fields={"n": number})
    (first, *_) = _core.ArrowRows(client.contacts.list().__arrow_c_stream__(), True, ())
    assert first["email"] == "c0@example.com" or first["email"] == "c2@example.com"
    assert first["tags"] == ["a"]
    assert first["created_at"].tzinfo is not None
    frame = client.contacts.list().to_polars().select("email", "tags")
    assert client.contacts.upsert_many(frame).run().updated == 3


def test_arrow_columns_of_pandas(sandbox, client):
    table = pyarrow.table(
        {
            "email": ["a@example.com", "b@example.com"],
            "custom_fields": pyarrow.array([[("n", 1)], None], pyarrow.map_(pyarrow.string(), pyarrow.int64())),
            "tags": [["x"], None],
        }
    )
    frame = table.to_pandas(types_mapper=pandas.ArrowDtype)
    assert client.contacts.upsert_many(frame, concurrency=1).run().ok
    assert [request.json for request in sandbox.requests] == [
        {"email": "a@example.com", "custom_fields": {"n": 1}, "tags": ["x"]},
        {"email": "b@example.com"},
    ]
