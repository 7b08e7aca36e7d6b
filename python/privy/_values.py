"""Values that the core has no type for, as such that it has: imported when the first one is sent.

Values of numpy, pandas and other libraries are known by what they can do. None of these libraries is imported.
"""

from __future__ import annotations

import enum
import operator
from collections import UserString
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

_MISSING = {"NaTType": b"NaT", "NAType": b"NA"}
"""What pandas has for a value that is missing, by the name of its type."""
_BYTES = (bytes, bytearray, memoryview)


def plain(value: object) -> object:
    """The same value as a str, bool, int, float, Decimal, date, datetime, list, or another that can be converted again.

    The name of a missing value comes as bytes. NotImplemented stands for a value that JSON has no form for. What
    converting raises is a fault of the field that the value is for.
    """
    if isinstance(value, enum.Enum):
        return value.value
    if type(value).__name__ in _MISSING:
        return _MISSING[type(value).__name__]
    if isinstance(value, _BYTES):
        return NotImplemented
    if isinstance(value, UserString):
        return value.data
    if getattr(value, "ndim", None) == 0 and _can(value, "item"):
        return _scalar(value)
    if isinstance(value, Sequence) or _is_array(value):
        return list(value)  # type: ignore[call-overload]
    return _converted(value)


def _can(value: object, method: str) -> bool:
    return callable(getattr(type(value), method, None))


def _is_array(value: object) -> bool:
    """One- and more-dimensional arrays, columns of frames. A frame itself would give its columns' names."""
    return _can(value, "__array__") and _can(value, "__len__") and not hasattr(type(value), "columns")


def _scalar(value: Any) -> object:
    """The value of an array without dimensions, and of an array's element."""
    kind = getattr(value.dtype, "kind", None)
    if kind == "f":
        return Decimal(str(value))  # by its shortest form: the nearest float may have more digits
    if kind == "M":
        return _instant(str(value))
    item = NotImplemented if kind == "m" else value.item()
    return NotImplemented if type(item) is type(value) else item


def _instant(text: str) -> object:
    """A datetime64 by its ISO 8601 text of any precision: a date, or a time, which has no zone."""
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
