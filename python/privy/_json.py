"""Values of answers for ``json``: imported when they are first asked for."""

from __future__ import annotations

import json
import math
from datetime import datetime
from decimal import Decimal
from typing import Any

from ._core import Contact, EventReceipt, JSONObject, Order, Page


def json_default(value: object) -> object:
    """What ``json.dumps`` writes for a value of an answer: ``json.dumps(contact.custom_fields, default=json_default)``.

    Records and read-only mappings become dicts as ``to_dict(json=True)`` gives them, pages lists of such, an aware
    datetime ISO 8601 text, a Decimal text. Raises TypeError for anything else, as ``json`` does by itself.
    """
    if isinstance(value, (Contact, Order, EventReceipt, JSONObject)):
        return value.to_dict(json=True)
    if isinstance(value, Page):
        return [record.to_dict(json=True) for record in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def read(text: str) -> Any:
    """The plain values of a JSON text. A number that Python has no float or int for stays text."""
    return json.loads(text, parse_float=_float, parse_int=_int)


def write(value: object) -> str:
    """A JSON text of plain values and of decimals, which are numbers."""
    return json.dumps(_numbers(value), ensure_ascii=False, separators=(",", ":"))


def _numbers(value: object) -> object:
    if isinstance(value, dict):
        return {name: _numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return _float(str(value)) if isinstance(value, Decimal) else value


def _float(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _int(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:  # more digits than sys.set_int_max_str_digits allows
        return text
