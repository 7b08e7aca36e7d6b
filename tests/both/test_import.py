"""The same files to the imports of both languages: rows, changes, faults and rejects must be the same."""

from __future__ import annotations

import base64
import json
import os
import random
import subprocess
from typing import Any

import privy
from privy import _core, _import
from test_both import HERE, ROOT, RUBY, SEED, environment

EXAMPLES = ROOT / "examples"
COUNT = int(os.environ.get("BOTH_CASES", "4000")) // 20
BITS = [
    b'"',
    b",",
    b";",
    b"\n",
    b"\r\n",
    b"1,234",
    b"1.5E+10",
    b"03/04/2026",
    b"(5)",
    b"\xff",
    b"\xe2\x82\xac",
    b"#",
    b"NULL",
]
PRESETS = {
    "shopify-orders.csv": "orders.upsert",
    "shopify-customers.csv": "contacts.upsert",
    "woocommerce-orders.csv": "orders.upsert",
    "magento-orders.csv": "orders.upsert",
}
MAPS = {"invoices.csv": ("orders.upsert", "invoices.toml"), "newsletter.tsv": ("contacts.upsert", "newsletter.toml")}


def fixed() -> list[dict[str, Any]]:
    cases = [
        {"operation": operation, "map": None, "preset": "auto", "bytes": (EXAMPLES / "data" / name).read_bytes()}
        for name, operation in PRESETS.items()
    ]
    for name, (operation, path) in MAPS.items():
        text = _core.import_toml((EXAMPLES / path).read_bytes())
        cases.append(
            {"operation": operation, "map": text, "preset": None, "bytes": (EXAMPLES / "data" / name).read_bytes()}
        )
    return cases


def changed(case: dict[str, Any], source: random.Random) -> dict[str, Any]:
    """The case with a file that some bytes were added to or removed from."""
    data = bytearray(case["bytes"])
    for _ in range(source.randrange(1, 8)):
        at = source.randrange(len(data))
        if source.random() < 0.3:
            del data[at : at + source.randrange(1, 12)]
        else:
            data[at:at] = source.choice(BITS)
    return {**case, "bytes": bytes(data)}


def in_python(case: dict[str, Any]) -> Any:
    try:
        core = _core.Import(
            case["operation"], case["map"], case["preset"], "US", "USD", "Europe/Berlin", None, _import._offset, ""
        )
        core.survey(case["bytes"])
        core.end_survey()
        rows = core.feed(case["bytes"]) + core.finish()
    except privy.ValidationError as error:
        return [str(error), [dict(detail) for detail in error.details]]
    return [rows, core.preset, core.encoding, core.delimiter, core.unused, core.surveyed, core.rejects_header()]


def in_ruby(cases: list[dict[str, Any]]) -> list[Any]:
    asked = "".join(
        json.dumps({**case, "bytes": None, "file": base64.b64encode(case["bytes"]).decode()}) + "\n" for case in cases
    )
    command = [*RUBY, str(HERE / "import_rows.rb")]
    done = subprocess.run(command, input=asked, capture_output=True, encoding="utf-8", env=environment(), timeout=600)
    assert done.returncode == 0, done.stderr[-4000:]
    return [json.loads(line) for line in done.stdout.split("\n") if line]  # splitlines() splits at U+2028 too


def test_both_languages_make_the_same_rows() -> None:
    source = random.Random(SEED)
    files = fixed()
    cases = files + [changed(source.choice(files), source) for _ in range(COUNT)]
    ruby = in_ruby(cases)
    assert len(ruby) == len(cases)
    states = set()
    for case, found in zip(cases, ruby, strict=True):
        expected = json.loads(json.dumps(in_python(case)))
        assert found == expected, case["bytes"]
        states |= {row[0] for row in expected[0] if isinstance(row, list)}
    assert states >= {"ready", "refused"}
