"""Frames as rows of bulk runs: nulls, types, columns, and what a run reports of them."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal

import numpy
import pandas
import polars
import privy
import pyarrow
import pytest

UTC = datetime.timezone.utc

# Four good orders with holes, and four of which each breaks one rule.
ORDERS = {
    "order_id": [1001, 1002, 1003, 1004, 1005, 1006, 1007, None],
    "email": ["a@example.com", None, "c@example.com", "d@example.com", "nobody", "f@example.com", None, "h@a.com"],
    "phone": [None, "+14155550171", None, None, None, None, None, None],
    "total": [95.1, 20.0, 0.1, 1e3, 5.0, float("inf"), 7.0, 8.0],
    "currency": ["USD", "EUR", "USD", "USD", "USD", "USD", "USD", "USD"],
    "order_date": [datetime.datetime(2026, 5, day, 10, tzinfo=UTC) for day in range(1, 9)],
    "total_items": [2, None, 3, None, 1, 1, 1, 1],
    "accepts_email_marketing": [True, None, False, None, None, None, None, None],
    "discounts": [[{"code": "X", "amount": 1.5}], None, [], None, None, None, None, None],
}
GOOD = [
    {
        "order_id": 1001,
        "email": "a@example.com",
        "total": 95.1,
        "currency": "USD",
        "order_date": "2026-05-01T10:00:00Z",
        "total_items": 2,
        "accepts_email_marketing": True,
        "discounts": [{"code": "X", "amount": 1.5}],
    },
    {
        "order_id": 1002,
        "phone": "+14155550171",
        "total": 20.0,
        "currency": "EUR",
        "order_date": "2026-05-02T10:00:00Z",
    },
    {
        "order_id": 1003,
        "email": "c@example.com",
        "total": 0.1,
        "currency": "USD",
        "order_date": "2026-05-03T10:00:00Z",
        "total_items": 3,
        "accepts_email_marketing": False,
        "discounts": [],
    },
    {
        "order_id": 1004,
        "email": "d@example.com",
        "total": 1000.0,
        "currency": "USD",
        "order_date": "2026-05-04T10:00:00Z",
    },
]
BAD = [
    (4, 1005, "email", "nobody"),
    (5, 1006, "total", float("inf")),
    (6, 1007, "base", None),
    (7, None, "order_id", None),
]


def classic():
    frame = pandas.DataFrame({name: pandas.Series(values, dtype=object) for name, values in ORDERS.items()})
    frame["order_id"] = frame["order_id"].astype(float)
    frame["total"] = frame["total"].astype(float)
    frame["total_items"] = frame["total_items"].astype(float)
    frame["order_date"] = pandas.to_datetime(frame["order_date"]).dt.tz_convert("Europe/Berlin")
    frame["currency"] = frame["currency"].astype("category")
    return frame


def nullable():
    frame = classic()
    return frame.astype(
        {
            "order_id": "Int64",
            "email": "string",
            "phone": "str" if int(pandas.__version__.split(".")[0]) >= 3 else "string",  # before 3 str is no dtype
            "total": "Float64",
            "total_items": "Int8",
            "accepts_email_marketing": "boolean",
        }
    )


def table():
    kinds = {
        "discounts": pyarrow.list_(pyarrow.struct({"code": pyarrow.string(), "amount": pyarrow.decimal128(10, 2)})),
        "order_date": pyarrow.timestamp("us", "Europe/Berlin"),
        "currency": pyarrow.dictionary(pyarrow.int8(), pyarrow.string()),
    }
    discounts = [values and [{"code": "X", "amount": Decimal("1.50")}] for values in ORDERS["discounts"]]
    columns = {**ORDERS, "discounts": discounts}
    return pyarrow.table({name: pyarrow.array(values, kinds.get(name)) for name, values in columns.items()})


FRAMES = {
    "pandas": classic,
    "pandas, nullable": nullable,
    "pandas, Arrow": lambda: table().to_pandas(types_mapper=pandas.ArrowDtype),
    "pyarrow": table,
    "polars": lambda: polars.DataFrame(table()),
}


@pytest.fixture(params=FRAMES)
def frame(request):
    return FRAMES[request.param]()


def test_good_orders_of_a_frame_are_sent_as_they_are(frame, sandbox, client):
    report = client.orders.upsert_many(frame).run()
    assert (report.total, report.succeeded, report.created, report.failed) == (8, 4, 4, 4)
    assert sorted((request.json for request in sandbox.requests), key=lambda order: order["order_id"]) == GOOD
    assert [(entry.index, entry.key, entry.field, entry.value) for entry in report.refused] == BAD
    words = {entry.index: entry.message for entry in report.refused}
    assert words[4].startswith("must be an e-mail address")
    assert words[5] == "is infinite: must be a finite number"
    assert words[6] == "at least one of email, phone is required"
    assert words[7] == "is required"


def test_a_check_of_a_frame_reports_what_the_run_reports(frame, sandbox, client):
    found = client.orders.validate_many(frame)
    assert [(entry.index, entry.key, entry.field, entry.value) for entry in found] == BAD
    with pytest.raises(privy.ValidationError, match="4 of 8 rows are invalid, nothing was sent") as caught:
        client.orders.upsert_many(frame, check_first=True)
    fields = [detail["field"] for detail in caught.value.details]
    assert fields == ["[4].email", "[5].total", "[6].base", "[7].order_id"]
    assert sandbox.counts.requests == 0
    assert client.orders.upsert_many(frame[:4], check_first=True).run().ok


def test_rows_of_a_frame_are_dicts_without_nulls(frame, client):
    run = client.orders.upsert_many(frame)
    assert run.total == len(run.unsent) == 8
    assert set(run.unsent[1][1]) == set(GOOD[1])
    results = {result.index: result for result in run}
    assert results[1].row["phone"] == "+14155550171"
    assert set(results[7].row) == {"email", "total", "currency", "order_date", "total_items"}
    assert run.unsent == []


def test_rows_that_were_not_sent_can_be_sent_again(frame, client):
    run = client.orders.upsert_many(frame, concurrency=1)
    next(run)
    run.close()
    left = run.unsent
    assert [index for index, _ in left] == list(range(1, 8))
    assert [index for index, _ in left[2:4]] == [3, 4]
    report = client.orders.upsert_many([row for _, row in left]).run()
    assert (report.total, report.succeeded) == (7, 3)


def test_nulls_of_a_frame_are_sent_on_demand(frame, sandbox, client):
    report = client.orders.upsert_many(frame, nulls="send").run()
    assert report.succeeded == 0
    second = [(entry.field, entry.message) for entry in report.refused if entry.index == 1]
    assert ("email", "must not be null") in second
    contacts = pandas.DataFrame({"email": ["a@example.com"], "first_name": [None]})
    assert client.contacts.upsert_many(contacts, nulls="send").run().ok
    assert sandbox.requests[-1].json == {"email": "a@example.com", "first_name": None}


# ---- columns ----


def test_columns_that_are_no_parameters_are_errors_before_any_row(frame, sandbox, client):
    names = {"order_id": "Order ID", "email": "mail", "phone": "colour"}
    if isinstance(frame, pandas.DataFrame):
        wrong = frame.rename(columns=names)
    else:
        wrong = polars.DataFrame(frame).rename(names)
    for method in (client.orders.upsert_many, client.orders.validate_many):
        with pytest.raises(privy.ValidationError) as caught:
            method(wrong)
        assert caught.value.details == [
            {
                "field": "Order ID",
                "message": "is not a parameter of orders.upsert: did you mean order_id?",
                "code": "unknown_field",
            },
            {
                "field": "mail",
                "message": "is not a parameter of orders.upsert: did you mean email?",
                "code": "unknown_field",
            },
            {
                "field": "colour",
                "message": "is not a parameter of orders.upsert; use extra to send it",
                "code": "unknown_field",
            },
            {"field": "order_id", "message": "is required", "code": "required"},
            {"field": "base", "message": "at least one of email, phone is required", "code": "identifier_required"},
        ]
    assert sandbox.counts.requests == 0


def test_columns_of_the_same_name_and_names_that_are_no_text(client):
    frame = pandas.DataFrame([["a@example.com", "b@example.com", 1]], columns=["email", "email", 5])
    with pytest.raises(privy.ValidationError) as caught:
        client.contacts.upsert_many(frame)
    assert [(detail["field"], detail["message"]) for detail in caught.value.details] == [
        ("email", "is given twice"),
        ("5", "must have a string as its name"),
    ]


def test_a_column_of_further_fields(sandbox, client):
    frame = pandas.DataFrame({"email": ["a@example.com", "b@example.com"], "extra": [{"company": "X"}, None]})
    assert client.contacts.upsert_many(frame, concurrency=1).run().ok
    assert [request.json for request in sandbox.requests] == [
        {"email": "a@example.com", "company": "X"},
        {"email": "b@example.com"},
    ]


def test_the_index_is_not_a_column(sandbox, client):
    frame = pandas.DataFrame({"email": ["a@example.com"]}, index=pandas.Index([7], name="order_id"))
    assert client.contacts.upsert_many(frame).run().ok
    assert sandbox.requests[-1].json == {"email": "a@example.com"}


def test_a_frame_without_rows(sandbox, client):
    for frame in (pandas.DataFrame(), pandas.DataFrame({"email": []}), pandas.DataFrame([])):
        report = client.contacts.upsert_many(frame).run()
        assert (report.total, report.ok) == (0, True)
    assert sandbox.counts.requests == 0


# ---- types of columns ----


def sent(sandbox, client, values, field="event_data"):
    """The JSON of a column's first value."""
    frame = pandas.DataFrame({"event_type": ["x"], "email": ["a@example.com"], field: values})
    report = client.events.ingest_many(frame).run()
    assert report.refused == []
    return sandbox.requests[-1].json.get(field)


@pytest.mark.parametrize(
    ("values", "json"),
    [
        (pandas.Series([95.1], dtype="float32"), 95.1),
        (pandas.Series([95.1], dtype="Float32"), 95.1),
        (pandas.Series([0.1], dtype="float16"), 0.1),
        (pandas.Series([2**60], dtype="int64"), 2**60),
        (pandas.Series([2**64 - 1], dtype="uint64"), 2**64 - 1),
        (pandas.Series([Decimal("1.50")]), 1.5),
        (pandas.Series(["2.50"], dtype="category"), 2.5),
        (pandas.Series([3], dtype="category"), 3),
        (pandas.Series([4.0], dtype="Sparse[float]"), 4.0),
    ],
    ids=lambda value: str(getattr(value, "dtype", "")),
)
def test_amounts(sandbox, client, values, json):
    frame = pandas.DataFrame(ORDERS).iloc[:1][["order_id", "email", "currency", "order_date"]].assign(total=values)
    assert client.orders.upsert_many(frame).run().refused == []
    assert sandbox.requests[-1].json["total"] == json


@pytest.mark.parametrize("dtype", ["float64", "float32", "Float64", "object"])
def test_integers_that_pandas_stores_as_floats(sandbox, client, dtype):
    frame = pandas.DataFrame(ORDERS).iloc[:3][["order_id", "email", "phone", "total", "currency", "order_date"]]
    frame = frame.assign(order_id=pandas.Series([1001.0, None, 1003.5], dtype=dtype), total_items=[2.0, 1.0, 3.0])
    report = client.orders.upsert_many(frame).run()
    assert (sandbox.requests[-1].body.count(b'"order_id":1001,'), sandbox.counts.requests) == (1, 1)
    assert sandbox.requests[-1].body.count(b'"total_items":2}') == 1
    assert [(entry.index, entry.field, entry.message) for entry in report.refused] == [
        (1, "order_id", "is required"),
        (2, "order_id", "must be a positive integer, or its digits as a string"),
    ]


def test_a_float_that_is_no_exact_integer_is_not_sent(client):
    frame = pandas.DataFrame(ORDERS).iloc[:1].assign(order_id=[2.0**53 + 2])
    (entry,) = client.orders.validate_many(frame)
    assert (entry.field, entry.value) == ("order_id", 2.0**53 + 2)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (pandas.Series(pandas.to_datetime(["2026-05-12T10:00:00.123456789Z"])), "2026-05-12T10:00:00.123456789Z"),
        (pandas.Series(pandas.to_datetime(["2026-05-12T10:00:00+02:00"])).dt.as_unit("s"), "2026-05-12T08:00:00Z"),
        (pandas.Series([datetime.datetime(2026, 5, 12, tzinfo=UTC)], dtype=object), "2026-05-12T00:00:00Z"),
        (pandas.Series(["2026-05-12T10:00:00Z"], dtype="string"), "2026-05-12T10:00:00Z"),
    ],
    ids=lambda value: str(getattr(value, "dtype", "")),
)
def test_times(sandbox, client, values, text):
    assert sent(sandbox, client, values, "event_time") == text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (pandas.to_datetime(["2026-05-12T10:00:00"]), "is a time without a time zone: add one, such as UTC"),
        ([datetime.date(2026, 5, 12)], "is a date: pass a time with a time zone"),
        (pandas.to_timedelta(["1h"]), r"must be .*, not Timedelta"),
        (pandas.period_range("2026-05", periods=1, freq="M"), r"must be .*, not Period"),
        ([1j], r"must be .*, not complex"),
    ],
    ids=["naive", "date", "timedelta", "period", "complex"],
)
def test_columns_that_hold_no_times(client, values, words):
    frame = pandas.DataFrame({"event_type": ["x"], "email": ["a@example.com"], "event_time": values})
    (entry,) = client.events.ingest_many(frame).run().refused
    assert re.fullmatch(words, entry.message)
    assert entry.value == frame["event_time"][0]


def test_values_with_values_inside(sandbox, client):
    day = pandas.Timestamp("2026-05-12", tz="UTC")
    cells = [{"a": numpy.int64(1), "b": [None, numpy.float32(0.1)], "c": {"d": day}}]
    assert sent(sandbox, client, cells) == {"a": 1, "b": [None, 0.1], "c": {"d": "2026-05-12T00:00:00Z"}}
    frame = pandas.DataFrame({"email": ["a@example.com"], "tags": [numpy.array(["a", "b"])]})
    assert client.contacts.upsert_many(frame).run().ok
    assert sandbox.requests[-1].json["tags"] == ["a", "b"]


# ---- long frames ----


def test_a_long_frame_is_converted_slice_by_slice(sandbox, client, monkeypatch):
    from privy import _frame_rows

    starts = []
    convert = _frame_rows.PandasRows.convert
    monkeypatch.setattr(
        _frame_rows.PandasRows, "convert", lambda self, start: starts.append(start) or convert(self, start)
    )
    frame = pandas.DataFrame({"email": [f"c{number}@example.com" for number in range(2500)]})
    run = client.contacts.upsert_many(frame)
    indexes = []
    for result in run:
        indexes.append(result.index)
        assert result.row["email"] == f"c{result.index}@example.com"
        if len(indexes) == 1:
            assert starts == [0]
            assert len(run.unsent) > 2400
            assert run.unsent[-1] == (2499, {"email": "c2499@example.com"})
    assert sorted(indexes) == list(range(2500))
    assert run.report.ok
