"""The rows of faults.json, whole: what a row leaves out comes from the defaults."""

from __future__ import annotations

import json
from pathlib import Path

HERE = Path(__file__).parent


def load() -> list[dict]:
    table = json.loads((HERE / "faults.json").read_text())
    defaults = table["defaults"]
    return [
        {**defaults, **row, "options": {**defaults["options"], **row.get("options", {})}} for row in table["faults"]
    ]


def raised(row: dict) -> list[str]:
    """The classes that the row's call may raise; empty when it must return."""
    return either(row.get("raised", []))


def either(values: object) -> list:
    """What a row allows: one value, or one of several."""
    return values if isinstance(values, list) else [values]


def returns(row: dict) -> bool:
    """Whether the row's call may return."""
    return row.get("value", False) or row.get("or") == "value"
