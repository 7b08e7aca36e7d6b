"""Converts values of third-party types for the core. Imported when the first such value is sent.

Values of numpy, pandas and other libraries are recognised by their methods. None of these libraries is imported.
"""

from __future__ import annotations

import enum
import operator
from collections import UserString
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from ._row_kinds import fields_of

_MISSING = {"NaTType": b"NaT", "NAType": b"NA"}
"""Missing values of pandas, by the name of their type."""
_BYTES = (bytes, bytearray, memoryview)


def plain(value: object) -> object:
    """The value as a str, bool, int, float, Decimal, date, datetime, list, dict, or another type that can be
    converted again.

    A missing value becomes its name as bytes. Returns NotImplemented if JSON has no form for the value. An exception
    becomes an error detail of the field.
    """
    if isinstance(value, enum.Enum):
        return value.value
    if type(value).__name__ in _MISSING:
        return _MISSING[type(value).__name__]
    if isinstance(value, (*_BYTES, timedelta)):
        return NotImplemented
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, UserString):
        return value.data
    if _can(value, "as_py"):  # a scalar of pyarrow
        return value.as_py()  # type: ignore[attr-defined]
    if getattr(value, "ndim", None) == 0 and _can(value, "item"):
        return _scalar(value)
    if isinstance(value, Sequence) or _is_array(value):
        return list(value)  # type: ignore[call-overload]
    fields = fields_of(value)
    return _converted(value) if fields is None else fields


def _can(value: object, method: str) -> bool:
    return callable(getattr(type(value), method, None))


def _is_array(value: object) -> bool:
    """Whether this is an array of one or more dimensions, or a column of a frame. Iterating a frame returns column
    names."""
    return _can(value, "__array__") and _can(value, "__len__") and not hasattr(type(value), "columns")


def _scalar(value: Any) -> object:
    """The value of a zero-dimensional array, or of an element of an array."""
    kind = getattr(value.dtype, "kind", None)
    if kind == "f":
        return Decimal(str(value))  # the shortest form: the nearest float may have more digits
    if kind == "M":
        return _from_datetime64(str(value))
    item = NotImplemented if kind == "m" else value.item()
    return NotImplemented if type(item) is type(value) else item


def _from_datetime64(text: str) -> object:
    """A datetime64 from its ISO 8601 text: a date, or a datetime without a zone."""
    if text == "NaT":
        return b"NaT"
    return datetime.fromisoformat(text[:26]) if "T" in text else date.fromisoformat(text)


def _converted(value: Any) -> object:
    if _can(value, "__index__"):
        return operator.index(value)
    if _can(value, "__float__"):
        return float(value)
    if _can(value, "item"):
        return value.item()
    text = value.isoformat() if _can(value, "isoformat") else None
    return text if isinstance(text, str) else NotImplemented
