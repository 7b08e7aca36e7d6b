"""The sample exports, row by row: what is sent, or why a row is refused. tests/ruby has the twin of this file."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import privy as package
import pytest
from command import privy
from privy._import import Importer

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "examples/data"
OPERATIONS = {"orders": "orders.upsert", "contacts": "contacts.upsert", "events": "events.ingest"}
EXPORTS: list[dict[str, Any]] = json.loads(
    (ROOT / "tests/both/dirty_exports.json").read_text(encoding="utf-8"), parse_float=Decimal
)
each_export = pytest.mark.parametrize("export", EXPORTS, ids=[export["file"] for export in EXPORTS])


def importer_of(export: dict[str, Any]) -> Importer:
    settings = dict(export["settings"])
    if "map" in settings:
        settings["map"] = tomllib.loads((ROOT / settings["map"]).read_text(encoding="utf-8"))
    return Importer(OPERATIONS[export["kind"]], **settings)


def pieces(file: str, size: int) -> Iterator[bytes]:
    with open(DATA / file, "rb") as stream:
        while chunk := stream.read(size):
            yield chunk


@each_export
@pytest.mark.parametrize("size", [7, 1 << 16])
def test_each_row_is_right_or_refused_with_a_reason(export: dict[str, Any], size: int) -> None:
    importer = importer_of(export)
    importer.survey_file(pieces(export["file"], size))
    rows = sorted(importer.rows(pieces(export["file"], size)), key=lambda row: row.lines)
    assert [importer.encoding, importer.delimiter, importer.unused] == [
        export["encoding"],
        export["delimiter"],
        export["unused"],
    ]
    assert [row.lines for row in rows] == [row["lines"] for row in export["rows"]]
    for row, expected in zip(rows, export["rows"], strict=True):
        assert row.state == ("ready" if "sends" in expected else "refused"), expected
        assert [fault._asdict() for fault in row.faults] == expected.get("refused", [])
        if row.state == "ready":
            assert row.fields == expected["sends"]
    assert importer.total == len(rows)


@each_export
def test_a_reason_is_for_a_shop_owner(export: dict[str, Any]) -> None:
    for row in export["rows"]:
        for fault in row.get("refused", []):
            assert fault["line"] in row["lines"]
            assert 10 < len(fault["message"]) < 180 and fault["message"] == fault["message"].strip()


def command_of(export: dict[str, Any], folder: Path) -> list[str]:
    shutil.copy(DATA / export["file"], folder)
    options = [
        word
        for name, value in export["settings"].items()
        for word in (f"--{name}", str(ROOT / value) if name == "map" else value)
    ]
    return ["import", export["kind"], str(folder / export["file"]), *options]


@each_export
def test_the_command_sends_these_rows_and_no_others(export: dict[str, Any], tmp_path: Path) -> None:
    sandbox = package.Sandbox()
    with sandbox.serve() as url:
        address = {"PRIVY_BASE_URL": url, "PRIVY_API_TOKEN": sandbox.token}
        done = privy("--json", *command_of(export, tmp_path), env=address)
    report = done.json
    refused = [fault for row in export["rows"] for fault in row.get("refused", [])]
    assert report["counts"]["faulty"] == sum("refused" in row for row in export["rows"])
    assert done.code == (1 if refused or report["failures"] else 0)
    assert sorted((fault["line"], fault["message"]) for fault in report["faults"]) == sorted(
        (fault["line"], fault["message"]) for fault in refused
    )
    sent = [
        (request.headers.get("idempotency-key"), json.loads(request.body, parse_float=Decimal))
        for request in sandbox.requests
        if request.method == "POST"
    ]
    expected = [dict(row["sends"]) for row in export["rows"] if "sends" in row]
    if export["kind"] == "events":
        assert sorted(key for key, _ in sent) == sorted(fields.pop("idempotency_key") for fields in expected)
    order = json.JSONEncoder(sort_keys=True, default=str).encode
    assert sorted((body for _, body in sent), key=order) == sorted(expected, key=order)
