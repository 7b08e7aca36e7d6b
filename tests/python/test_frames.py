"""Lists as tables: real pyarrow, polars, pandas and DuckDB read what the core builds."""

from __future__ import annotations

import asyncio
import gc
import json
import pickle
import sys
import threading
import weakref
from datetime import datetime, timezone

import duckdb
import pandas
import polars
import privy
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from privy import _core
from privy._frames import Frames
from support import Reply

FIELDS = [
    "id",
    "email",
    "phone_number",
    "first_name",
    "last_name",
    "email_consent",
    "sms_consent",
    "tags",
    "custom_fields",
    "created_at",
    "updated_at",
]
SIZE = 23


@pytest.fixture
def contacts(client):
    """A list of three pages."""
    for number in range(SIZE):
        client.contacts.create(
            email=f"c{number}@example.com",
            first_name=None if number % 3 else f"Zoë {number}",
            email_consent="subscribed" if number % 2 else "unsubscribed",
            tags=[f"t{n}" for n in range(number % 4)],
            custom_fields={"n": number, "plan": "gold"} if number % 5 else {"vip": True, "share": 1.5},
        )
    return client.contacts.list(per_page=10)


def requests_of(sandbox, action):
    before = sandbox.counts.requests
    result = action()
    return sandbox.counts.requests - before, result


def expected(contacts):
    """The rows that the table must hold."""
    return [
        {
            **{name: getattr(contact, name) for name in FIELDS},
            "tags": list(contact.tags),
            "custom_fields": contact.to_dict(json=True)["custom_fields"],
        }
        for contact in contacts
    ]


def rows_of(table):
    return [{**row, "custom_fields": json.loads(row["custom_fields"])} for row in table.to_pylist()]


def pandas_reads(source):
    """What pandas makes of the table; before version 3 it is pyarrow that does."""
    newest = hasattr(pandas.DataFrame, "from_arrow")
    return pandas.DataFrame.from_arrow(source) if newest else pyarrow.table(source).to_pandas()


def test_pyarrow_reads_a_list(contacts, sandbox):
    count, table = requests_of(sandbox, lambda: pyarrow.table(contacts))
    table.validate(full=True)
    assert count == 3
    assert table.schema.names == FIELDS
    assert table.schema.field("email_consent").type == pyarrow.dictionary(pyarrow.int8(), pyarrow.string())
    assert table.schema.field("tags").type == pyarrow.list_(pyarrow.string())
    assert table.schema.field("created_at").type == pyarrow.timestamp("us", "UTC")
    assert rows_of(table) == expected(contacts)
    assert contacts.to_arrow().equals(table)


def test_polars_reads_a_list(contacts, sandbox):
    count, frame = requests_of(sandbox, lambda: polars.DataFrame(contacts))
    assert count == 3
    assert frame.columns == FIELDS
    assert frame.schema["email_consent"] == polars.Categorical
    assert frame.schema["tags"] == polars.List(polars.String)
    assert frame.schema["created_at"] == polars.Datetime("us", "UTC")
    assert rows_of(frame.to_arrow()) == expected(contacts)
    assert contacts.to_polars().equals(frame)


def test_pandas_reads_a_list(contacts, sandbox):
    count, frame = requests_of(sandbox, lambda: pandas_reads(contacts))
    assert count == 3
    assert list(frame.columns) == FIELDS
    assert frame.dtypes["email_consent"] == "category"
    assert frame.dtypes["created_at"] == "datetime64[us, UTC]"
    rows = expected(contacts)
    assert frame["email"].tolist() == [row["email"] for row in rows]
    assert [list(tags) for tags in frame["tags"]] == [row["tags"] for row in rows]
    assert [at.to_pydatetime() for at in frame["created_at"]] == [row["created_at"] for row in rows]
    assert frame["first_name"].isna().tolist() == [row["first_name"] is None for row in rows]
    pandas.testing.assert_frame_equal(contacts.to_pandas(), frame)
    counted = frame.groupby("email_consent", observed=True).size().to_dict()
    assert counted == {"subscribed": SIZE // 2, "unsubscribed": SIZE - SIZE // 2}


def test_the_constructor_of_pandas_names_what_to_call(contacts, sandbox):
    """It does not read tables: the frame would be one column of objects."""
    with pytest.raises(TypeError, match=r"contacts are no array: use contacts.to_pandas\(\), or list\(contacts\)"):
        pandas.DataFrame(contacts)
    assert sandbox.counts.requests == SIZE


def test_duckdb_reads_a_list(contacts, sandbox):
    query = "select email_consent, count(*), sum(cast(custom_fields->>'n' as int)) from contacts group by 1 order by 1"
    before = sandbox.counts.requests
    found = duckdb.sql(query).fetchall()
    numbers = [number for number in range(SIZE) if number % 5]
    assert sandbox.counts.requests - before == 3
    assert found == [
        ("subscribed", SIZE // 2, sum(number for number in numbers if number % 2)),
        ("unsubscribed", SIZE - SIZE // 2, sum(number for number in numbers if not number % 2)),
    ]
    newest = max(contact.created_at for contact in contacts)
    assert duckdb.sql("select max(created_at) from contacts").fetchall() == [(newest,)]


def test_custom_fields_become_columns(contacts, sandbox):
    count, table = requests_of(sandbox, lambda: contacts.to_arrow(custom_fields="columns"))
    table.validate(full=True)
    assert count == 3
    members = [name for name in table.schema.names if name not in FIELDS]
    assert sorted(members) == [f"custom_fields.{name}" for name in ("n", "plan", "share", "vip")]
    assert table.schema.field("custom_fields.n").type == pyarrow.int64()
    assert table.schema.field("custom_fields.vip").type == pyarrow.bool_()
    assert table.schema.field("custom_fields.share").type == pyarrow.string()
    wanted = [contact.custom_fields.get("n") for contact in contacts]
    assert table["custom_fields.n"].to_pylist() == wanted
    assert contacts.to_polars(custom_fields="columns")["custom_fields.n"].to_list() == wanted
    assert contacts.to_pandas(custom_fields="columns")["custom_fields.plan"].dropna().unique().tolist() == ["gold"]
    with pytest.raises(ValueError, match="custom_fields must be 'json' or 'columns', not 'map'"):
        contacts.to_arrow(custom_fields="map")


def test_a_parquet_file_holds_the_list(contacts, tmp_path):
    path = tmp_path / "contacts.parquet"
    contacts.to_parquet(path)
    assert polars.read_parquet(path).equals(polars.DataFrame(contacts))
    contacts.to_parquet(str(path), custom_fields="columns")
    assert "custom_fields.n" in polars.read_parquet(path).columns
    assert [file.name for file in tmp_path.iterdir()] == ["contacts.parquet"]


def test_a_limit_ends_a_list_early(client, contacts, sandbox):
    for limit, pages in ((0, 1), (1, 1), (9, 1), (10, 1), (11, 2), (20, 2), (21, 3), (99, 3)):
        limited = client.contacts.list(per_page=10, limit=limit)
        count, found = requests_of(sandbox, lambda limited=limited: list(limited))
        assert (count, len(found)) == (pages, min(limit, SIZE))
        assert rows_of(limited.to_arrow()) == expected(contacts)[:limit]
        assert sum(1 for _ in limited.pages()) == pages
    with pytest.raises(ValueError, match="limit must be 0 or more"):
        client.contacts.list(limit=-1)


def test_first_fetches_what_it_needs(client, contacts, sandbox):
    everything = list(contacts)
    for number, pages in ((0, 0), (1, 1), (10, 1), (11, 2), (99, 3)):
        assert requests_of(sandbox, lambda number=number: contacts.first(number)) == (pages, everything[:number])
    counted = client.contacts.list(per_page=10)
    assert counted.total_count() == SIZE
    assert requests_of(sandbox, lambda: counted.first(2)) == (0, everything[:2])


def test_no_request_before_the_first_batch(contacts, sandbox):
    assert requests_of(sandbox, contacts.__arrow_c_stream__)[0] == 0
    count, reader = requests_of(sandbox, lambda: pyarrow.RecordBatchReader.from_stream(contacts))
    assert count == 0
    assert requests_of(sandbox, lambda: len(reader.read_next_batch())) == (3, SIZE)


def test_an_empty_list_has_columns(client):
    for custom_fields in ("json", "columns"):
        table = client.contacts.list(email="nobody@example.com").to_arrow(custom_fields=custom_fields)
        assert table.num_rows == 0
        assert [name for name in table.schema.names if name != "custom_fields"] == [
            name for name in FIELDS if name != "custom_fields"
        ]
    assert polars.DataFrame(client.contacts.list(email="nobody@example.com")).shape == (0, 11)


def test_a_page_is_a_table(contacts):
    page = next(contacts.pages())
    assert rows_of(pyarrow.table(page)) == expected(page)
    assert pyarrow.table(pickle.loads(pickle.dumps(page))).equals(pyarrow.table(page))
    assert pandas_reads(page).shape == (10, 11)
    assert polars.DataFrame(pyarrow.table(page)).shape == (10, 11)  # which reads a sequence as one column
    assert duckdb.sql("select count(*) from page").fetchall() == [(10,)]


def test_an_empty_page_is_a_table(client):
    page = next(client.contacts.list(email="nobody@example.com").pages())
    assert pyarrow.table(page).schema.names == FIELDS
    assert pyarrow.table(page).num_rows == 0


def test_records_of_any_response_are_rows(client, contacts):
    some = [client.contacts.get(contact.id) for contact in contacts.first(3)]
    mixed = [[*some, *contacts.first(2)], list(contacts)[::-1]]
    table = pyarrow.table(Frames("Contact", lambda: mixed))
    assert rows_of(table) == expected([record for part in mixed for record in part])
    order = client.orders.upsert(
        order_id=1, email="a@example.com", total="19.90", currency="USD", order_date="2026-01-02T03:04:05Z"
    )
    table = pyarrow.table(Frames("Order", lambda: [[order]]))
    assert table["total_amount"].to_pylist() == ["19.90"]
    assert table["placed_at"].to_pylist() == [order.placed_at]
    with pytest.raises(OSError, match="records of Contact"):
        pyarrow.table(Frames("Contact", lambda: [[order]]))
    with pytest.raises(OSError, match="a row must be a record, not <class 'dict'>"):
        pyarrow.table(Frames("Contact", lambda: [[{}]]))


def test_repeated_contacts_are_left_out(recorder):
    """A contact that moved to the next page meanwhile is one row, as in a loop."""

    def reply(request):
        ids = [2, 3] if "?page=2" in request.target or "&page=2" in request.target else [1, 2]
        data = [{"id": f"cus_{number}"} for number in ids]
        pagination = {"page": 1, "per_page": 2, "total_count": 4, "total_pages": 2}
        return Reply(body=json.dumps({"data": data, "pagination": pagination}))

    recorder.answer = reply
    with recorder.client() as client:
        assert pyarrow.table(client.contacts.list(per_page=2))["id"].to_pylist() == ["cus_1", "cus_2", "cus_3"]


def test_unknown_consents_are_kept(recorder):
    data = [{"id": f"cus_{number:03}", "sms_consent": f"new_{number}"} for number in range(300)]
    body = {"data": data, "pagination": {"page": 1, "per_page": 300, "total_count": 300, "total_pages": 1}}
    wanted = [row["sms_consent"] for row in data]
    recorder.answer = lambda request: Reply(body=json.dumps(body))
    with recorder.client() as client:
        for read in (
            lambda contacts: contacts.to_arrow()["sms_consent"].to_pylist(),
            lambda contacts: contacts.to_polars()["sms_consent"].to_list(),
            lambda contacts: contacts.to_pandas()["sms_consent"].tolist(),
            lambda contacts: duckdb.sql("select list(sms_consent order by id) from contacts").fetchall()[0][0],
        ):
            assert read(client.contacts.list()) == wanted


# ---- errors ----


@pytest.fixture
def failing(client, contacts, sandbox):
    """Makes lists whose second page is an error."""

    def make():
        sandbox.fail(status=503, skip=1)
        return client.contacts.list(per_page=10, prefetch=False, max_retries=0)

    return make


def test_consumers_report_the_error_of_a_later_page(failing):
    for read, error in (
        (pyarrow.table, OSError),
        (polars.DataFrame, (polars.exceptions.PolarsError, polars.exceptions.PanicException)),
        (lambda contacts: duckdb.sql("from contacts").fetchall(), duckdb.Error),
    ):
        with pytest.raises(error, match="ServerError: 503"):
            read(failing())


def test_the_list_s_own_methods_raise_the_error_itself(failing, tmp_path):
    path = tmp_path / "contacts.parquet"
    for read in (
        privy.ContactList.to_arrow,
        privy.ContactList.to_polars,
        privy.ContactList.to_pandas,
        lambda contacts: contacts.to_polars(custom_fields="columns"),
        lambda contacts: contacts.to_parquet(path),
    ):
        with pytest.raises(privy.ServerError) as caught:
            read(failing())
        assert caught.value.status == 503
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_is_raised_as_such():
    def rows():
        yield []
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Frames("Contact", rows).to_arrow()


def test_a_library_that_is_missing_is_named(contacts, monkeypatch):
    for library, method, words in (
        ("pyarrow", "to_arrow", r"this needs pyarrow: install privy-marketing\[pandas\], or pandas and pyarrow"),
        ("pandas", "to_pandas", r"this needs pandas: install privy-marketing\[pandas\], or pandas and pyarrow"),
        ("polars", "to_polars", r"this needs polars: install privy-marketing\[polars\]$"),
    ):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, library, None)
            with pytest.raises(ImportError, match=words):
                getattr(contacts, method)()


def test_a_polars_that_loses_rows_is_refused(contacts, monkeypatch):
    for version in ("0.20.31", "1.9.0", "1.31.0"):
        monkeypatch.setattr(polars, "__version__", version)
        with pytest.raises(ImportError, match=f"this needs polars 1.32 or newer, not {version}, which loses rows"):
            contacts.to_polars()
    monkeypatch.setattr(polars, "__version__", "2.0.0-beta.1")
    assert contacts.to_polars().height == SIZE


# ---- ownership ----


class Rows:
    """Rows that show whether they are still referred to."""

    def __init__(self, contacts):
        self.pages = list(contacts.pages())

    def __iter__(self):
        return iter(self.pages)


@pytest.mark.parametrize("spread", [False, True])
def test_streams_release_their_rows(contacts, spread):
    def unused(capsule):
        pass

    def half(capsule):
        pyarrow.RecordBatchReader._import_from_c_capsule(capsule).read_next_batch()

    def opened(capsule):
        pyarrow.RecordBatchReader._import_from_c_capsule(capsule)

    for consumer in (unused, opened, half):
        rows = Rows(contacts)
        page = rows.pages[0]
        gone = weakref.ref(rows)
        references = sys.getrefcount(page)
        consumer(_core.arrow_stream("Contact", (item for item in rows), spread))
        gc.collect()
        assert sys.getrefcount(page) == references
        del rows
        gc.collect()
        assert gone() is None


def test_tables_outlive_list_and_client(sandbox):
    client = sandbox.client()
    client.contacts.create(email="jane@example.com", tags=["a"])
    table = pyarrow.table(client.contacts.list())
    tags = table["tags"].chunk(0).values
    client.close()
    del client, table
    gc.collect()
    assert tags.to_pylist() == ["a"]


@pytest.mark.parametrize("custom_fields", ["json", "columns"])
def test_each_allocation_may_fail(sandbox, custom_fields):
    with sandbox.client() as client:
        for number in range(3):
            client.contacts.create(email=f"c{number}@example.com", tags=["x"], custom_fields={"n": number})
        pages = list(client.contacts.list(per_page=2).pages())
        wanted = Frames("Contact", lambda: pages, custom_fields).to_arrow()
        for nth in range(1, 2000):
            _core._fail_allocation(nth)
            try:
                table = Frames("Contact", lambda: pages, custom_fields).to_arrow()
            except MemoryError:
                assert _core._allocation_failed()
                continue
            finally:
                done = not _core._allocation_failed()
                _core._fail_allocation(0)
            assert table.equals(wanted)
            if done:
                break
        assert 30 < nth < 1999


def test_threads_read_lists_at_once(contacts):
    wanted = pyarrow.table(contacts)
    found = []

    def read():
        for _ in range(5):
            found.append(pyarrow.table(contacts).equals(wanted))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 20


def test_any_thread_may_read_a_stream(contacts):
    reader = pyarrow.RecordBatchReader.from_stream(contacts)
    found = []

    def read():
        found.append(reader.read_all())

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert found[0].num_rows == SIZE


# ---- asyncio ----


def test_asynchronous_lists_become_tables_too(sandbox, tmp_path):
    with sandbox.client() as client:
        for number in range(5):
            client.contacts.create(email=f"c{number}@example.com", custom_fields={"n": number})
        everything = list(client.contacts.list())
        wanted = client.contacts.list().to_arrow()

    async def main():
        async with privy.AsyncClient(sandbox=sandbox) as client:
            contacts = client.contacts.list(per_page=2)
            assert (await contacts.to_arrow()).combine_chunks().equals(wanted)
            assert (await contacts.to_polars(custom_fields="columns"))["custom_fields.n"].to_list() == [0, 1, 2, 3, 4]
            assert (await contacts.to_pandas()).shape == (5, 11)
            await contacts.to_parquet(tmp_path / "contacts.parquet")
            assert await contacts.first(3) == everything[:3]
            assert await contacts.first(0) == []
            before = sandbox.counts.requests
            limited = client.contacts.list(per_page=2, limit=3)
            assert [contact async for contact in limited] == everything[:3]
            assert sandbox.counts.requests - before == 2
            assert (await limited.to_arrow()).num_rows == 3

    asyncio.run(main())
    assert polars.read_parquet(tmp_path / "contacts.parquet").height == 5


def test_times_are_aware(contacts):
    assert all(
        isinstance(value, datetime) and value.tzinfo for value in pyarrow.table(contacts)["created_at"].to_pylist()
    )


# ---- any values ----

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
TIMES = st.datetimes(timezones=st.just(timezone.utc)).map(lambda time: time.isoformat())
NAMES = st.sampled_from("abcdé\n") | st.sampled_from(["", "\0", "a\0", "\\\0", r"\u0000", r"\\u0000", r"a\b"])
CONTACT = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("id", "email", "first_name"), st.text(max_size=40) | JSON),
        "email_consent": st.sampled_from(["subscribed", "non_subscribed", "never_subscribed", "new"]) | JSON,
        "tags": st.lists(st.text(max_size=20), max_size=12) | JSON,
        "custom_fields": st.dictionaries(NAMES, JSON, max_size=4) | JSON,
        "created_at": TIMES | JSON,
    },
)


def column_of(name):
    """The column of a custom field: its own name cannot hold NUL."""
    if "\0" in name or r"\u0000" in name:
        name = name.replace("\\", "\\\\").replace("\0", r"\u0000")
    return f"custom_fields.{name}"


def same_text(cell, value):
    """Whether a column of text holds the value: JSON where the server sent no text."""
    return cell == value if value is None or isinstance(value, str) else json.loads(cell) == value


@pytest.mark.random
@given(data=st.lists(CONTACT, max_size=8), ascii_only=st.booleans())
def test_columns_hold_what_records_hold(data, ascii_only):
    texts = [json.dumps(contact, ensure_ascii=ascii_only) for contact in data]
    records = [privy.Contact.from_json(text) for text in texts]
    table = Frames("Contact", lambda: [records]).to_arrow()
    table.validate(full=True)
    assert table.num_rows == len(data)
    for row, contact, record in zip(table.to_pylist(), data, records, strict=True):
        for name in ("id", "email", "first_name", "last_name"):
            assert same_text(row[name], contact.get(name))
        consent = contact.get("email_consent")
        assert same_text(row["email_consent"], record.email_consent if isinstance(consent, str) else consent)
        assert same_text(row["custom_fields"], contact.get("custom_fields"))
        if isinstance(tags := contact.get("tags"), list):
            assert all(same_text(*pair) for pair in zip(row["tags"], tags, strict=True))
        else:
            assert row["tags"] is None
        assert row["created_at"] == (record.created_at if isinstance(record.created_at, datetime) else None)


@pytest.mark.random
@given(data=st.lists(CONTACT, max_size=8))
def test_spread_columns_hold_every_custom_field(data):
    records = [privy.Contact.from_json(json.dumps(contact)) for contact in data]
    table = Frames("Contact", lambda: [records], "columns").to_arrow()
    table.validate(full=True)
    custom = [contact.get("custom_fields") for contact in data]
    custom = [fields if isinstance(fields, dict) else {} for fields in custom]
    columns = {name: column_of(name) for fields in custom for name in fields}
    assert sorted(name for name in table.schema.names if name not in FIELDS) == sorted(columns.values())
    for row, fields in zip(table.to_pylist(), custom, strict=True):
        for name, column in columns.items():
            cell, value = row[column], fields.get(name)
            text = cell if cell is None else str(cell)
            assert cell is value if isinstance(cell, bool) else same_text(text, value)


ODD = {
    "": "",
    "\0": r"\u0000",
    r"\u0000": r"\\u0000",
    "\\\0": r"\\\u0000",
    r"\\u0000": r"\\\\u0000",
    "a\0b": r"a\u0000b",
    "a\0c": r"a\u0000c",
    "a": "a",
    r"a\b": r"a\b",
    "\1\n": "\1\n",
}


@pytest.mark.parametrize("convert", ["to_arrow", "to_polars", "to_pandas"])
def test_names_with_nul_have_columns_of_their_own(convert):
    record = privy.Contact.from_json(json.dumps({"custom_fields": {name: at for at, name in enumerate(ODD)}}))
    frame = getattr(Frames("Contact", lambda: [[record]], "columns"), convert)()
    rows = {"to_arrow": "to_pylist", "to_polars": "to_dicts"}.get(convert)
    (row,) = getattr(frame, rows)() if rows else frame.to_dict("records")
    wanted = {f"custom_fields.{column}": at for at, column in enumerate(ODD.values())}
    assert {name: value for name, value in row.items() if name not in FIELDS} == wanted
