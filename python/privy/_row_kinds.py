"""Rows that are no dicts: objects with fields, and rows of databases. Recognised by their attributes: no library is
imported."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ._errors import ValidationError
from .types import Details, Nulls, Row


def parts(row: Any, nulls: Nulls | None) -> tuple[Row, Row, Any, bool]:
    """The row as a mapping, its parameters, its ``extra``, and whether parameters that are null are not sent."""
    shown, omits = _mapping(row, nulls)
    if "extra" not in shown:
        return shown, shown, None, omits
    extra = shown["extra"]
    params = {name: value for name, value in shown.items() if name != "extra"}
    return shown, params, None if omits and _is_null(extra) else extra, omits


def _mapping(row: Any, nulls: Nulls | None) -> tuple[Row, bool]:
    """A mapping stays what it is. Other rows always have all their fields: their nulls are omitted by default."""
    if isinstance(row, Mapping):
        return row, nulls == "omit"
    omits = nulls != "send"
    fields = _of_database(row)
    if fields is None:
        fields = fields_of(row, omits)
    if fields is None:
        if hasattr(row, "items"):
            return row, nulls == "omit"
        raise _refusal(row)
    return {name: value for name, value in fields.items() if not _is_null(value)} if omits else fields, omits


def _of_database(row: Any) -> dict[str, Any] | None:
    """The columns of a row of SQLAlchemy, sqlite3 and others, or the fields of a named tuple or of a numpy record."""
    if hasattr(type(row), "_mapping") and isinstance(row._mapping, Mapping):  # SQLAlchemy: not always a tuple
        return dict(row._mapping)
    if isinstance(row, tuple):
        names = getattr(row, "_fields", None)
        return None if names is None else dict(zip(names, row, strict=True))
    if hasattr(type(row), "dtype") and getattr(row.dtype, "names", None) and row.ndim == 0:  # numpy
        return {name: row[name] for name in row.dtype.names}
    if hasattr(type(row), "keys") and hasattr(type(row), "__getitem__"):
        return {name: row[name] for name in row.keys()}  # noqa: SIM118
    return None


def fields_of(value: Any, omits: bool = False) -> dict[str, Any] | None:
    """The fields of a dataclass, or of an object of pydantic, attrs or msgspec, by their names; None for other objects.
    With ``omits`` those that are null are left out, also in objects that they hold."""
    kind = type(value)
    if hasattr(kind, "model_fields") and hasattr(kind, "model_dump"):  # pydantic
        return dict(value.model_dump(exclude_none=omits))
    names = getattr(kind, "__dataclass_fields__", None) or getattr(kind, "__struct_fields__", None)  # msgspec
    if names is None and hasattr(kind, "__attrs_attrs__"):
        names = [field.name for field in kind.__attrs_attrs__]
    elif hasattr(kind, "__dataclass_fields__"):
        from dataclasses import fields

        names = [field.name for field in fields(value)]  # without class variables
    if names is None or isinstance(value, type):
        return None
    found = {name: _inside(getattr(value, name), omits) for name in names}
    return {name: item for name, item in found.items() if item is not None} if omits else found


def _inside(value: Any, omits: bool) -> Any:
    """A value of a field. Objects inside it become dicts; the rest stays what it is."""
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return [_inside(item, omits) for item in value]
    fields = None if isinstance(value, (str, int, float, dict, type(None))) else fields_of(value, omits)
    return value if fields is None else fields


def _is_null(value: Any) -> bool:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if hasattr(type(value), "as_py"):  # a scalar of pyarrow
        return _is_null(value.as_py())
    scalar = isinstance(value, (float, Decimal)) or getattr(value, "ndim", None) == 0
    return scalar and bool(value != value)


def _refusal(row: Any) -> ValidationError:
    name = type(row).__name__
    if hasattr(type(row), "_meta") and hasattr(row, "_state"):
        message = f"must be a dict, not {name}: use values() of the queryset"
    elif hasattr(row, "_sa_instance_state"):
        message = f"must be a dict, not {name}: select its columns instead"
    else:
        message = f"must be a dict, not {name}"
    details: Details = [{"field": "base", "message": message, "code": "wrong_type"}]
    return ValidationError(f"the row is invalid: it {message}", details=details)
