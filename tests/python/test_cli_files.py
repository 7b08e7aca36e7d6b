"""What the command finds out about a file: format, encoding, delimiter, lines and their numbers."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from privy.cli._encodings import read_delimiter
from privy.cli._exit import Usage
from privy.cli._mapped import fields_of, open_rows
from privy.cli._readers import Broken, open_lines

NONE = dict.fromkeys(("map_file", "preset", "country", "timezone", "currency", "form", "encoding", "delimiter"))
TEXT = "email,first_name\na@example.com,José Müller\nb@example.com,Łukasz\n"


def rows_of(path: Path, **options: str):
    """The rows of a file of contacts: line, e-mail address, first name."""
    rows = open_rows(str(path), "contacts.upsert", **{**NONE, **options})
    found = [(row.lines[0], *(fields_of(row)[name] for name in ("email", "first_name"))) for row in rows]
    return rows, found


def lines_of(path: Path, **options: str):
    found = open_lines(str(path), options.get("form"), options.get("encoding"), options.get("delimiter"))
    return found, list(found.read())


@pytest.mark.parametrize(
    ("encoding", "note"),
    [("utf-8", ""), ("utf-8-sig", "byte order mark"), ("utf-16", "byte order mark"), ("utf-32", "byte order mark")],
)
def test_unicode_is_found(tmp_path, encoding, note):
    path = tmp_path / "a.csv"
    path.write_bytes(TEXT.encode(encoding))
    rows, found = rows_of(path)
    assert rows.rejects_header == "privy_line,privy_field,privy_reason,email,first_name\n"
    assert found == [(2, "a@example.com", "José Müller"), (3, "b@example.com", "Łukasz")]
    assert note in " ".join(rows.notes)


HEADS = {";": "email;first_name\n", ",": "email,first_name\n"}


def export(name: str, delimiter: str, count: int = 40) -> str:
    return HEADS[delimiter] + "".join(f"{i}@example.com{delimiter}{name}\n" for i in range(count))


@pytest.mark.parametrize(
    ("name", "delimiter", "encoding"),
    [
        ("Jürgen Groß, Köln – Überlingen", ";", "cp1252"),
        ("Café Crème à Besançon où l’été", ",", "cp1252"),
        ("Zażółć gęślą jaźń, Łódź", ";", "cp1250"),
        ("Съешь ещё этих мягких булок", ";", "cp1251"),
        ("Ayşe Yılmaz İstanbul", ";", "cp1254"),
        ("山田太郎 東京都", ",", "cp932"),
        ("王小明 上海市", ",", "gb18030"),
    ],
)
def test_older_encodings_are_found_by_their_letters(tmp_path, name, delimiter, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes(export(name, delimiter).encode(encoding))
    rows, found = rows_of(path)
    assert found[0] == (2, "0@example.com", name)
    assert any(encoding in note and "--encoding" in note for note in rows.notes)


def test_one_damaged_byte_does_not_change_the_encoding(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(export("Jürgen Groß", ",").encode() + b"x@example.com,J\xfcrgen\n")
    rows = open_rows(str(path), "contacts.upsert", **NONE)
    found = list(rows)
    assert fields_of(found[0])["first_name"] == "Jürgen Groß"
    assert [fault.code for fault in found[-1].faults] == ["damaged_text"]
    assert "some bytes do not fit" in " ".join(rows.notes)


def test_letters_are_found_however_late_they_come(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(export("plain", ",", 100_000).encode() + "x@example.com,Jürgen Groß\n".encode("cp1252"))
    assert rows_of(path)[1][-1] == (100_002, "x@example.com", "Jürgen Groß")


def test_a_given_encoding_is_used(tmp_path):
    path = tmp_path / "a.csv"
    name = "Zażółć gęślą jaźń"
    path.write_bytes(export(name, ",").encode("iso8859_2"))
    rows, found = rows_of(path, encoding="iso-8859-2")
    assert found[0][2] == name
    assert not [note for note in rows.notes if note.startswith("encoding")]
    with pytest.raises(Usage, match="no such encoding"):
        rows_of(path, encoding="klingon")
    with pytest.raises(Usage, match="another --encoding"):
        rows_of(path, encoding="ascii")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found(tmp_path, delimiter):
    path = tmp_path / "a.csv"
    lines = [["email", "first_name"], ["a@example.com", 'a ""quoted"" word; and, more'], ["b@example.com", "x|y"]]
    path.write_text("\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in lines))
    rows, found = rows_of(path)
    assert found == [(2, "a@example.com", 'a "quoted" word; and, more'), (3, "b@example.com", "x|y")]
    assert any(note.startswith("delimiter: ") for note in rows.notes)


def test_a_given_delimiter_is_used(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("email:first_name\na@example.com:J;a,n\n")
    assert rows_of(path, delimiter=":")[1] == [(2, "a@example.com", "J;a,n")]


def test_delimiters_of_the_option():
    assert [read_delimiter(text) for text in (";", "tab", "\\t", "Semicolon", None)] == [";", "\t", "\t", ";", None]
    for text in ("", "ab", '"', "\n"):
        with pytest.raises(Usage):
            read_delimiter(text)


def test_the_separator_line_of_excel(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("sep=;\r\nemail;first_name\r\na@example.com;a,b\r\n")
    assert rows_of(path)[1] == [(3, "a@example.com", "a,b")]


def test_line_numbers_are_those_of_the_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('first_name,email\n"two\nlines",a@example.com\n\nx,b@example.com\n"y\n\n",c@example.com\nz,d@e.f\n')
    assert [row[0] for row in rows_of(path)[1]] == [2, 5, 6, 9]


@pytest.mark.parametrize("text", ["", "\n", "\ufeff", "  \n"])
def test_empty_files(tmp_path, text):
    for name in ("a.csv", "a.tsv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        with pytest.raises(Usage, match="is empty"):
            lines_of(path)
    with pytest.raises(Usage, match="is a folder"):
        open_lines(str(tmp_path), None, None, None)


def test_json_lines(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1.10}\n\n{"a":\n[1]\n{"privy_line": 3, "a": "x"}\n')
    found, lines = lines_of(path)
    assert [number for number, _ in lines] == [1, 3, 4, 5]
    assert lines[0][1] == {"a": Decimal("1.10")}
    assert isinstance(lines[1][1], Broken) and isinstance(lines[2][1], Broken)
    assert lines[3][1] == {"a": "x"}


def test_a_json_array(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('[{"a": 1}, 2]')
    _, lines = lines_of(path)
    assert lines[0] == (1, {"a": 1})
    assert isinstance(lines[1][1], Broken)


def test_formats_without_a_telling_name(tmp_path):
    for content, kind in ((b'{"a":1}\n', "jsonl"), (b'[{"a":1}]', "json"), (b"a,b\n1,2\n", "csv")):
        path = tmp_path / "export"
        path.write_bytes(content)
        assert open_lines(str(path), None, None, None).format == kind
    assert open_lines(str(path), "tsv", None, None).delimiter == "\t"
    assert open_lines(str(path), None, None, None).delimiter == ""


@pytest.mark.parametrize("missing", [(), ("pyarrow",), ("pyarrow", "polars"), ("pyarrow", "polars", "duckdb")])
def test_parquet_is_read_by_the_library_that_is_there(tmp_path, missing):
    import pyarrow
    from pyarrow import parquet

    path = tmp_path / "a.parquet"
    values = {"id": [1, 2], "price": [Decimal("1.50"), None], "tags": [["a"], []]}
    parquet.write_table(pyarrow.table(values), path)
    code = f"""
import importlib.util, json, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name in {missing!r} else find(name, *more)
from privy.cli._readers import open_lines
from privy.cli._exit import Usage
try:
    print(json.dumps(list(open_lines({str(path)!r}, None, None, None).read()), default=str))
except Usage as error:
    print(json.dumps(str(error)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    if len(missing) == 3:
        assert "install pyarrow, polars or duckdb" in found
    else:
        assert found == [[1, {"id": 1, "price": "1.50", "tags": ["a"]}], [2, {"id": 2, "price": None, "tags": []}]]
