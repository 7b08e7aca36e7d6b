"""Records and JSON, for ``json.dumps``. Imported on first use."""

from __future__ import annotations

import json
import math
from datetime import datetime
from decimal import Decimal
from typing import Any

from ._core import Contact, EventReceipt, JSONObject, Order, Page


def json_default(value: object) -> object:
    """The ``default`` function of ``json.dumps``: ``json.dumps(contact.custom_fields, default=json_default)``.

    Converts records and read-only mappings to the dicts of ``to_dict(json=True)``, pages to lists of them, aware
    datetimes to ISO 8601 text, and Decimal to text.

    Raises:
        TypeError: the value is of another type.
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


def page_to_dict(page: Page, as_json: bool) -> dict[str, Any]:
    """What ``Page.to_dict`` returns."""
    return {"data": [record.to_dict(json=as_json) for record in page], "pagination": read(_pagination(page))}


def page_to_json(page: Page) -> str:
    """What ``Page.to_json`` returns."""
    return f'{{"data":[{",".join(record.to_json() for record in page)}],"pagination":{_pagination(page)}}}'


def _pagination(page: Page) -> str:
    """The pagination as JSON text, as received."""
    state: Any = page.__reduce__()[1]
    return state[1].decode() if state[1] else "{}"


def read(text: str) -> Any:
    """The values of a JSON text. A number that neither float nor int can hold stays text."""
    return json.loads(text, parse_float=_float, parse_int=_int)


def write(value: object) -> str:
    """The JSON text of plain values; Decimal becomes a number."""
    return json.dumps(_numbers(value), ensure_ascii=False, separators=(",", ":"), default=json_default)


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
