"""What a bulk run lists of its rows: sequences, and tables that pyarrow, polars, pandas and DuckDB read."""

from __future__ import annotations

import asyncio
import gc
import json
import pickle
import threading
import weakref
from datetime import date, datetime, timezone
from decimal import Decimal

import duckdb
import numpy
import pandas
import polars
import privy
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from privy import _core
from privy._bulk_rows import RefusedRow
from privy._row_tables import RowTable
from support import Reply

REFUSED = ["index", "key", "field", "message", "value", "code"]
ROWS = [
    {"email": "zoë@example.com"},
    {"email": "no address", "tags": 5},
    {"email": "ok@example.com"},
    {"email": "joe@example.com", "custom_fields": {"a": {"b": [1, None]}}},
    "text",
]


@pytest.fixture
def report(client):
    return client.contacts.upsert_many(ROWS).run()


@pytest.fixture
def stopped_run(recorder):
    """A run that is closed when one row has its result, one is in flight, and the others are unsent."""
    rows = [{"event_type": "seen", "email": f"e{n}@example.com", "extra": {"ü": "é"}} for n in range(4)]
    rows[3]["idempotency_key"] = "mine"
    both_sent, over = threading.Event(), threading.Event()
    waiting = iter([both_sent, over])

    def answer(request):
        event = next(waiting)
        if event is over:
            both_sent.set()
        event.wait(60)
        return Reply(body='{"event_id": "evt_1", "status": "accepted"}')

    recorder.answer = answer
    with recorder.client() as client:
        run = client.events.ingest_many(rows, concurrency=2)
        assert next(run).ok
        run.close()
        yield run
        over.set()


def test_refused_rows_are_a_table(report):
    refused = report.refused
    table = refused.to_arrow()
    table.validate(full=True)
    assert table.schema.names == REFUSED
    assert [field.type for field in table.schema] == [pyarrow.int64(), *[pyarrow.string()] * 5]
    assert table["code"].to_pylist() == ["invalid_email", "wrong_type", "nested", "wrong_type"]
    for name in [name for name in REFUSED if name != "value"]:
        assert table[name].to_pylist() == [getattr(entry, name) for entry in refused]
    assert table["field"].to_pylist() == ["email", "tags", "custom_fields.a", "base"]
    assert table["value"].to_pylist() == ["no address", "5", '{"b":[1,null]}', None]
    assert pyarrow.table(refused).equals(table)
    assert refused.to_polars().equals(polars.DataFrame(table))
    assert polars.DataFrame(refused).equals(refused.to_polars())
    newest = hasattr(pandas.DataFrame, "from_arrow")
    frame = pandas.DataFrame.from_arrow(refused) if newest else table.to_pandas()
    pandas.testing.assert_frame_equal(refused.to_pandas(), frame)
    assert refused.to_pandas()["index"].tolist() == [1, 1, 3, 4]
    assert duckdb.sql(
        "select field, count(*) from refused where key = 'no address' group by 1 order by 1"
    ).fetchall() == [
        ("email", 1),
        ("tags", 1),
    ]
    assert duckdb.sql("select cast(value->'b'->>0 as int) from refused where field like 'custom%'").fetchall() == [(1,)]


def test_rows_without_a_result_are_tables(stopped_run):
    unsent, in_doubt = stopped_run.unsent, stopped_run.in_doubt
    assert (len(unsent), len(in_doubt)) == (2, 1)
    for found, names in ((unsent, ["index", "key", "row"]), (in_doubt, ["index", "key", "row", "idempotency_key"])):
        table = pyarrow.table(found)
        table.validate(full=True)
        assert table.schema.names == names
        assert table["index"].to_pylist() == [entry[0] for entry in found]
        assert [json.loads(row) for row in table["row"].to_pylist()] == [entry[1] for entry in found]
        assert found.to_polars().equals(polars.DataFrame(table))
        assert polars.DataFrame(found).equals(found.to_polars())
        assert found.to_pandas()["row"].tolist() == table["row"].to_pylist()
    both = [*unsent, *in_doubt]
    keys = {entry[0]: "mine" if entry[0] == 3 else None for entry in both}
    assert {row["index"]: row["key"] for found in (unsent, in_doubt) for row in found.to_arrow().to_pylist()} == keys
    assert in_doubt.to_arrow()["idempotency_key"].to_pylist() == [key for _, _, key in in_doubt]
    assert unsent[:1].to_arrow()["key"].to_pylist() == [keys[unsent[0][0]]]


def test_keys_of_orders_are_text(client):
    run = client.orders.upsert_many([{"order_id": 7}, {"order_id": "A-7"}, {}])
    assert run.unsent.to_arrow()["key"].to_pylist() == ["7", "A-7", None]
    assert run.run().refused.to_polars()["key"].drop_nulls().unique().sort().to_list() == ["7", "A-7"]


def test_each_place_that_lists_rows_gives_tables(client, sandbox, tmp_path):
    faults = client.contacts.validate_many(ROWS)
    assert faults.to_arrow().equals(client.contacts.upsert_many(ROWS).run().refused.to_arrow())
    path = tmp_path / "refused.parquet"
    faults.to_parquet(path)
    assert polars.read_parquet(path).equals(faults.to_polars())

    async def main():
        async with privy.AsyncClient(sandbox=sandbox) as client:
            report = await client.contacts.upsert_many(ROWS).run()
            return report.refused.to_arrow()

    assert asyncio.run(main()).equals(faults.to_arrow())


def test_the_error_that_ends_a_run_has_a_table(sandbox):
    sandbox.set_limits(per_minute=4)
    run = sandbox.client().contacts.upsert_many([{"email": f"c{n}@example.com"} for n in range(30)], max_wait=0)
    stopped = run.run().stopped
    assert isinstance(stopped, privy.RateLimitError)
    assert stopped.unsent.to_polars()["index"].to_list() == [index for index, _ in run.unsent]
    assert pickle.loads(pickle.dumps(stopped)).unsent.to_arrow().equals(run.unsent.to_arrow())


def test_an_empty_list_has_columns(client):
    report = client.contacts.upsert_many([]).run()
    assert report.refused.to_arrow().schema.names == REFUSED
    assert report.unsent.to_polars().shape == (0, 3)
    assert report.in_doubt.to_pandas().shape == (0, 4)


def test_they_stay_sequences(report):
    refused = report.refused
    entries = list(refused)
    assert len(refused) == 4
    assert refused == entries
    assert entries == refused
    assert refused != entries[1:]
    assert refused != tuple(entries)
    assert refused[1:] == entries[1:]
    assert isinstance(refused[1:], RowTable)
    assert refused[-1] is entries[-1]
    assert [*reversed(refused)] == entries[::-1]
    assert refused + refused == refused + entries == entries + refused == entries * 2
    assert entries[2] in refused
    assert "text" not in refused
    assert [refused.index(entry) for entry in entries] == [0, 1, 2, 3]
    assert refused.index(entries[3], -1) == 3
    for bounds in ((1,), (0, 0)):
        with pytest.raises(ValueError, match="no item is equal to the value"):
            refused.index(entries[0], *bounds)
    assert (refused.count(entries[0]), refused.count("text")) == (1, 0)
    assert repr(refused) == repr(entries)
    assert isinstance(report.unsent, RowTable)
    assert not report.unsent
    assert pickle.loads(pickle.dumps(refused)) == refused
    with pytest.raises(TypeError):
        refused[0] = None
    with pytest.raises(TypeError, match="unhashable"):
        hash(refused)


def test_a_bulk_run_reads_them_as_rows_not_as_frames(client, stopped_run):
    """A list of pairs is no list of rows: each says so."""
    run = client.events.ingest_many(stopped_run.unsent)
    assert {entry.message for entry in run.run().refused} == {"must be a dict, not tuple"}


# ---- any values ----


class Broken:
    def __str__(self):
        raise LookupError

    def __repr__(self):
        raise LookupError


def test_values_that_cannot_be_sent_are_shown():
    holds_itself = {}
    holds_itself["me"] = holds_itself
    contact = privy.Contact.from_json('{"id": "cus_1", "custom_fields": {"a": 1.50}}')
    for value, wanted in (
        (None, None),
        ("", ""),
        ("a\ud800b", "a\\ud800b"),
        (True, "true"),
        (10**30, str(10**30)),
        (10**5000, json.dumps(hex(10**5000))),
        (1.5, "1.5"),
        (float("nan"), '"nan"'),
        ({"a": float("-inf"), "b": 2.5}, '{"a":"-inf","b":2.5}'),
        (Decimal("19.90"), '"19.90"'),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), '"2026-01-02T03:04:05Z"'),
        (date(2026, 1, 2), '"2026-01-02"'),
        ({"when": datetime(2026, 1, 2)}, '{"when":"2026-01-02T00:00:00"}'),
        (["é", {"a": ("b",)}], '["é",{"a":["b"]}]'),
        ({"a": privy.omit, "b": date(2026, 1, 2)}, '{"b":"2026-01-02"}'),
        ({1: 2, (3, 4): "\ud800"}, '{"1":2,"(3, 4)":"\\ud800"}'),
        (numpy.int64(5), "5"),
        (numpy.array([1, 2]), "[1,2]"),
        (pandas.Timestamp("2026-01-02"), '"2026-01-02T00:00:00"'),
        (pandas.NaT, '"NaT"'),
        (b"bytes", json.dumps("b'bytes'")),
        (contact.custom_fields, '{"a":1.5}'),
        (Broken(), '"<Broken>"'),
        ({"a": [Broken()]}, '{"a":["<Broken>"]}'),
    ):
        table = RowTable("refused", [RefusedRow(0, value, "f", "m", value, "not_null")]).to_arrow()
        (cell,) = table["value"].to_pylist()
        assert cell == wanted
    (cell,) = RowTable("unsent", [(0, holds_itself)]).to_arrow()["row"].to_pylist()
    assert json.loads(cell)["me"]["me"]["me"]


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(st.characters(exclude_categories=()), max_size=8)
    | st.binary(max_size=4)
    | st.datetimes()
    | st.builds(object),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4) | st.integers() | st.tuples(st.integers()), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.random
@given(rows=st.lists(ANY, max_size=6), keys=st.lists(ANY, min_size=6, max_size=6))
def test_any_value_has_a_cell(rows, keys):
    refused = [
        RefusedRow(i, key, "field", "message", row, "not_null")
        for i, (row, key) in enumerate(zip(rows, keys, strict=False))
    ]
    table = RowTable("refused", refused).to_arrow()
    table.validate(full=True)
    for cell, row in zip(table["value"].to_pylist(), rows, strict=True):
        assert (cell is None) == (row is None)
        if row is not None and not isinstance(row, str):
            json.loads(cell)
    table = RowTable("in_doubt", [(i, row, None) for i, row in enumerate(rows)]).to_arrow()
    table.validate(full=True)
    for cell in table["row"].to_pylist():
        json.loads(cell)


# ---- errors and ownership ----


def test_a_row_that_raises_raises_as_it_did():
    class Row(dict):
        def get(self, name):
            raise KeyboardInterrupt

    rows = RowTable("unsent", [(0, {}), (1, Row())], ("email",))
    for read in (rows.to_arrow, rows.to_polars, rows.to_pandas):
        with pytest.raises(KeyboardInterrupt):
            read()
    with pytest.raises(OSError, match="KeyboardInterrupt"):
        pyarrow.table(rows)


def test_the_core_checks_what_it_is_given():
    with pytest.raises(LookupError, match="no report results"):
        _core.report_stream("results", [])
    for row, error in (((1, "k"), "has 3 values"), (("x", "k", 2**70), "OverflowError"), ((1, "k", b""), "TypeError")):
        with pytest.raises(OSError, match=error):
            pyarrow.RecordBatchReader._import_from_c_capsule(_core.report_stream("unsent", [row])).read_all()


def test_streams_release_their_rows():
    class Item(tuple):
        pass

    def half(capsule):
        pyarrow.RecordBatchReader._import_from_c_capsule(capsule).read_next_batch()

    for consumer in (lambda capsule: None, pyarrow.RecordBatchReader._import_from_c_capsule, half):
        item = Item((1, "k", "{}"))
        gone = weakref.ref(items := {item})
        consumer(_core.report_stream("unsent", (one for one in items)))
        del item, items
        gc.collect()
        assert gone() is None


def test_each_allocation_may_fail(report):
    wanted = report.refused.to_arrow()
    for nth in range(1, 500):
        _core._fail_allocation(nth)
        try:
            table = report.refused.to_arrow()
        except MemoryError:
            assert _core._allocation_failed()
            continue
        finally:
            done = not _core._allocation_failed()
            _core._fail_allocation(0)
        assert table.equals(wanted)
        if done:
            break
    assert 10 < nth < 499


def test_many_rows_are_several_batches():
    rows = RowTable("unsent", [(n, {"order_id": n}) for n in range(70_000)], ("order_id",))
    reader = pyarrow.RecordBatchReader.from_stream(rows)
    assert [len(batch) for batch in reader] == [65_536, 70_000 - 65_536]
    assert rows.to_polars()["key"].cast(polars.Int64).to_list() == list(range(70_000))
