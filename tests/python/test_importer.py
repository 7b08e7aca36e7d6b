"""Imports of files: the binding of the core's import, time zones and phone numbers."""

from __future__ import annotations

import builtins
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import privy
import pytest
from privy import _core, _import
from privy._import import Change, Fault, Importer, ImportRow

MAP: dict[str, object] = {
    "timezone": "Europe/Berlin",
    "country": "US",
    "currency": "USD",
    "columns": {
        "order_id": "No",
        "order_date": "Date",
        "email": "E-Mail",
        "phone": "Phone",
        "total": {"sum": "line"},
        "line_items": {"sku": "SKU", "quantity": "Qty", "price": "Price"},
    },
    "skip": {"column": "No", "starts_with": "C", "reason": "a cancellation"},
}
FILE = b"""No;Date;E-Mail;Phone;SKU;Qty;Price
#1;2026-01-02 10:00:00;jane@example.com;(415) 555-0171;T-1;2;$1.10
#1;;;;T-2;1.0;"0,80"
C2;2026-01-02;jane@example.com;;T-1;-1;1
3;02.01.2026;nobody;1.5551E+10;T-1;1;1
"""


def read(file: bytes = FILE, operation: str = "orders.upsert", size: int = 1 << 16, **options: Any) -> list[ImportRow]:
    importer = Importer(operation, **options)
    chunks = [file[at : at + size] for at in range(0, len(file), size)]
    importer.survey_file(chunks)
    return list(importer.rows(chunks))


def test_a_file_becomes_rows() -> None:
    first, second, third = read(map=MAP)
    assert (first.state, second.state, third.state) == ("ready", "skipped", "refused")
    assert first.fields == {
        "order_id": "1",
        "email": "jane@example.com",
        "phone": "+14155550171",
        "total": Decimal("3.00"),
        "currency": "USD",
        "order_date": "2026-01-02T09:00:00Z",
        "line_items": [
            {"sku": "T-1", "quantity": 2, "price": Decimal("1.10")},
            {"sku": "T-2", "quantity": 1, "price": Decimal("0.80")},
        ],
    }
    assert (first.key, first.lines, second.reason) == ("#1", [2, 3], "a cancellation")
    assert Change(3, "Price", "0,80", "0.80", "amount") in first.changes
    assert [(fault.line, fault.field, fault.value, fault.code) for fault in third.faults] == [
        (5, "phone", "1.5551E+10", "shortened_number"),
        (5, "email", "nobody", "invalid_email"),
    ]
    assert isinstance(third.faults[0], Fault)


def test_pieces_do_not_change_rows() -> None:
    whole = [(row.state, row.fields, row.lines, row.changes, row.faults) for row in read(map=MAP)]
    for size in (1, 2, 3, 7):
        rows = read(map=MAP, size=size)
        assert [(row.state, row.fields, row.lines, row.changes, row.faults) for row in rows] == whole


def test_rows_can_be_sent() -> None:
    client = privy.Sandbox().client()
    report = client.orders.upsert_many([row.fields for row in read(map=MAP) if row.state == "ready"]).run()
    assert (report.created, report.failed) == (1, 0)


@pytest.mark.parametrize(
    ("file", "encoding", "name"),
    [
        ("email,first_name\na@b.c,Jürgen €\n".encode("utf-8-sig"), "utf-8", "Jürgen €"),
        ("email,first_name\na@b.c,Jürgen €\n".encode("cp1252"), "windows-1252", "Jürgen €"),
        ("email,first_name\na@b.c,Jürgen €\U0001f600\n".encode("utf-16"), "utf-16-le", "Jürgen €\U0001f600"),
        ("\ufeffemail,first_name\na@b.c,Jürgen\n".encode("utf-16-be"), "utf-16-be", "Jürgen"),
        (b"sep=;\nemail;first_name\na@b.c;J\xfcrgen\n", "windows-1252", "Jürgen"),
        (b'email,first_name\r\na@b.c,"Jane ""J"", D\r\noe"\r\n', "utf-8", 'Jane "J", D\r\noe'),
        (b"email\tfirst_name\ra@b.c\tJane", "utf-8", "Jane"),
        (b" EMAIL |First_Name\na@b.c| Jane \n", "utf-8", "Jane"),
    ],
)
def test_files_are_read_as_they_are_written(file: bytes, encoding: str, name: str) -> None:
    columns = {"email": "email", "first_name": "first_name"}
    for size in (1, 3, 1000):
        importer = Importer("contacts.upsert", map={"columns": columns})
        chunks = [file[at : at + size] for at in range(0, len(file), size)]
        importer.survey_file(chunks)
        (row,) = importer.rows(chunks)
        assert row.fields == {"email": "a@b.c", "first_name": name}
        assert importer.encoding == encoding


def test_a_quote_that_is_not_closed_is_refused() -> None:
    with pytest.raises(privy.ValidationError, match="line 2: a text in quotes begins here and does not end"):
        read(b'email\n"a@b.c\n', "contacts.upsert")


def test_all_faults_of_a_map_are_raised_at_once() -> None:
    with pytest.raises(privy.ValidationError) as caught:
        Importer("orders.upsert", map={"colums": {}, "decimal": ";"})
    assert [detail["field"] for detail in caught.value.details] == ["colums", "decimal"]
    with pytest.raises(privy.ValidationError) as caught:
        read(map={"columns": {"email": "Email", "order_id": "No"}})
    assert {detail["field"]: detail["message"] for detail in caught.value.details} == {
        "columns.email": 'the file has no column "Email": did you mean "E-Mail"?',
        "columns.order_date": "is required, and no column or constant fills it",
        "columns.total": "is required, and no column or constant fills it",
        "columns.currency": "is required, and no column or constant fills it",
    }
    with pytest.raises(ValueError, match="there is no operation orders"):
        Importer("orders")


def test_columns_with_the_names_of_fields_need_no_map() -> None:
    (row,) = read(b'Email,tags,Note,custom_fields.Size\na@b.c,"x, y",z,XL\n', "contacts.upsert")
    assert row.fields == {"email": "a@b.c", "tags": ["x", "y"], "custom_fields": {"Size": "XL"}}


def test_cells_of_other_sources() -> None:
    importer = Importer("contacts.upsert", map={"columns": {"email": "E", "first_name": "N", "send_welcome_sms": "W"}})
    importer.header(["E", "N", "W"])
    rows = []
    for line, cells in enumerate([["a@b.c", 1.5, True], ["b@b.c", None, False], ["c@b.c", "\ud800", None]], 1):
        importer.survey_cells(line, cells)
        rows += importer.add(line, cells)
    rows += importer.finish()
    assert [row.fields for row in rows] == [
        {"email": "a@b.c", "first_name": "1.5", "send_welcome_sms": True},
        {"email": "b@b.c", "send_welcome_sms": False},
        {"email": "c@b.c", "first_name": "?"},
    ]
    assert importer.total == 3


def test_rejects_are_the_original_lines_with_reasons() -> None:
    importer = Importer("orders.upsert", map=MAP)
    importer.survey_file([FILE])
    *_, row = importer.rows([FILE])
    assert importer.rejects_header() == "privy_line,privy_field,privy_reason,No,Date,E-Mail,Phone,SKU,Qty,Price\n"
    line = row.rejects()
    assert line.startswith("5,phone; email,") and line.endswith(",3,02.01.2026,nobody,1.5551E+10,T-1,1,1\n")
    again = importer.rejects_header() + line.replace("nobody", "jo@example.com").replace("1.5551E+10", "")
    importer = Importer("orders.upsert", map=MAP)
    importer.survey_file([again.encode()])
    (row,) = importer.rows([again.encode()])
    assert (row.state, importer.unused) == ("ready", [])
    assert row.rejects("base", 'a "reason", long') == (
        '2,base,"a ""reason"", long",3,02.01.2026,jo@example.com,,T-1,1,1\n'
    )


@pytest.mark.parametrize(
    ("zone", "time", "expected"),
    [
        ("Europe/Berlin", "2026-07-01 10:00", "2026-07-01T08:00:00Z"),
        ("Europe/Berlin", "2026-10-25 02:30", "2026-10-25T00:30:00Z"),  # the first of two
        ("Europe/Berlin", "2026-03-29 02:30", "not_a_local_time"),
        ("America/New_York", "2026-11-01 01:30", "2026-11-01T05:30:00Z"),
        ("+05:30", "2026-07-01 10:00", "2026-07-01T04:30:00Z"),
        ("UTC", "2026-07-01", "2026-07-01T00:00:00Z"),
        ("Mars/Phobos", "2026-07-01", "without_time_zone"),
        (None, "2026-07-01", "without_time_zone"),
    ],
)
def test_times_of_zones(zone: str | None, time: str, expected: str) -> None:
    file = f"event_type,email,event_time\nx,a@b.c,{time}\n".encode()
    (row,) = read(file, "events.ingest", timezone=zone)
    assert expected in (row.fields.get("event_time"), *(fault.code for fault in row.faults))


def test_phone_numbers_with_and_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    file = b"phone_number\n(415) 555-0171\n+49 30 123456\n0033 6 10 82 64 17\n"
    with_library = [row.fields.get("phone_number") for row in read(file, "contacts.upsert", country="US")]
    assert with_library == ["+14155550171", "+4930123456", "+33610826417"]

    real = builtins.__import__

    def without(name: str, *args: Any, **keywords: Any) -> Any:
        if name == "phonenumbers":
            raise ImportError(name)
        return real(name, *args, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    first, *others = read(file, "contacts.upsert", country="US")
    assert [row.fields["phone_number"] for row in others] == with_library[1:]
    assert first.faults[0].code == "invalid_phone"


def test_an_exception_of_a_callback_passes_through() -> None:
    def phone(text: str, country: str | None) -> str:
        raise LookupError(text)

    core = _core.Import("contacts.upsert", None, None, None, None, None, phone, None, "")
    core.survey(b"phone_number\n1\n")
    core.end_survey()
    with pytest.raises(LookupError, match="415"):
        core.feed(b"phone_number\n415\n416\n")


def test_a_callback_cannot_use_the_import() -> None:
    def phone(text: str, country: str | None) -> str:
        core.feed(b"x")
        return text

    core = _core.Import("contacts.upsert", None, None, None, None, None, phone, None, "")
    core.survey(b"phone_number\n1\n")
    core.end_survey()
    with pytest.raises(RuntimeError, match="in use"):
        core.feed(b"phone_number\n415\n416\n")


def test_inspection_masks_the_key() -> None:
    (row,) = read(b"email\njane@example.com\n", "contacts.upsert")
    assert repr(row) == "<ImportRow ready 'j***@example.com': 1 line, 0 faults>"


def test_presets_and_conversions_are_listed() -> None:
    assert ("shopify", "orders.upsert") in [preset[:2] for preset in _import.presets()]
    assert "amount" in dict(_import.conversions())


def test_the_reference_page_lists_what_the_tables_have() -> None:
    page = (Path(__file__).parents[2] / "docs/import.md").read_text()
    names = [name for name, _ in _import.conversions()] + [name for name, _, _ in _import.presets()]
    header = (Path(__file__).parents[2] / "csrc/privy_imports.h").read_text()
    codes = re.findall(r'"([a-z_]+)"', header.split("#define PRIVY_IMPORT_CODES(X)")[1].split("\n\n")[0])
    assert len(codes) > 8
    assert [name for name in names + codes if f"`{name}`" not in page] == []


def test_memory_runs_out() -> None:
    """Each allocation of the core fails once: MemoryError, or the right rows."""
    expected = [row.fields for row in read(map=MAP)]
    for nth in range(1, 2000):
        _core._fail_allocation(nth)
        try:
            rows = read(map=MAP)
        except MemoryError:
            assert _core._allocation_failed()
            continue
        finally:
            failed = _core._allocation_failed()
            _core._fail_allocation(0)
        assert [row.fields for row in rows] == expected
        if not failed:
            return
    pytest.fail("no end")
