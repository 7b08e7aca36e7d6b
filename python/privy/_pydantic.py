"""How pydantic, and with it FastAPI, reads and writes records and pages. Imported by the hooks that pydantic calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from . import _core
from ._json import json_default, write

Validator = Callable[[Any], Any]


def schema_of(kind: type[Any], handler: Any) -> CoreSchema:
    """The schema of a record or of a page. Instances pass; mappings are validated by the tables of the API."""
    if kind is _core.Page:
        return _schema(kind, _page_fields(handler), _page_from)
    return _schema(kind, _fields(kind.__name__), _record_from)


def json_schema_of(kind: type[Any], schema: CoreSchema, handler: Any) -> dict[str, Any]:
    """The JSON schema, with the documentation of the fields."""
    reference: dict[str, Any] = handler(schema)
    written = handler.resolve_ref_schema(reference)
    written.update(title=kind.__name__, description=kind.__doc__)
    for row in _rows("Pagination" if kind is _core.Page else kind.__name__):
        _properties(kind, written)[row["name"]]["description"] = row["doc"]
    return reference


def _properties(kind: type[Any], schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["properties"]
    return found["pagination"]["properties"] if kind is _core.Page else found


def _schema(kind: type[Any], fields: CoreSchema, made: Callable[[type[Any], Any], Any]) -> CoreSchema:
    def validated(value: object, inner: Validator) -> object:
        if isinstance(value, kind):
            return value
        if not isinstance(value, Mapping):
            raise PydanticCustomError("privy_type", "Input should be a {kind} or a mapping", {"kind": kind.__name__})
        return made(kind, inner(value))

    def written(value: Any, info: core_schema.SerializationInfo) -> dict[str, Any]:
        result: dict[str, Any] = value.to_dict(json=info.mode_is_json())
        return result

    return core_schema.no_info_wrap_validator_function(
        validated,
        fields,
        ref=f"{kind.__module__}.{kind.__qualname__}:{id(kind)}",
        serialization=core_schema.plain_serializer_function_ser_schema(written, info_arg=True),
    )


# ---- from the tables to schemas ----


def _rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = next(row for row in _core.schema()["objects"] if row["name"] == name)["fields"]
    return rows


def _fields(name: str) -> CoreSchema:
    rows = {row["name"]: core_schema.typed_dict_field(_field(row), required=False) for row in _rows(name)}
    return core_schema.typed_dict_schema(rows, extra_behavior="allow")


def _field(row: dict[str, Any]) -> CoreSchema:
    schema = _values(row)
    return core_schema.nullable_schema(schema) if row["nullable"] else schema


def _values(row: dict[str, Any]) -> CoreSchema:
    text = core_schema.str_schema()
    match row["kind"]:
        case "integer":
            return core_schema.int_schema()
        case "money":
            return core_schema.decimal_schema()
        case "boolean":
            return core_schema.bool_schema()
        case "time":
            return core_schema.datetime_schema(tz_constraint="aware")
        case "enum":  # the API may add values
            enums = _core.schema()["enums"]
            known = next(enum["values"] for enum in enums if enum["name"] == row["choices"])
            return core_schema.union_schema([core_schema.literal_schema(known), text], mode="left_to_right")
        case "strings":
            return core_schema.list_schema(text)
        case "flat":
            return core_schema.dict_schema(text, core_schema.any_schema())
        case "order id":
            return core_schema.union_schema([core_schema.int_schema(ge=1), text])
        case _:
            return text


def _page_fields(handler: Any) -> CoreSchema:
    parts = {
        "data": core_schema.list_schema(handler.generate_schema(_core.Contact)),
        "pagination": _fields("Pagination"),
    }
    return core_schema.typed_dict_schema({name: core_schema.typed_dict_field(part) for name, part in parts.items()})


# ---- from validated values to records ----


def _record_from(kind: type[Any], values: dict[str, Any]) -> object:
    kinds = {row["name"]: row["kind"] for row in _rows(kind.__name__)}
    as_text = {
        name: json_default(value)
        for name, value in values.items()
        if kinds.get(name) in ("money", "time") and value is not None
    }
    return kind.from_json(write({**values, **as_text}))


def _page_from(kind: type[Any], values: dict[str, Any]) -> object:
    return _core._load_page(tuple(values["data"]), write(values["pagination"]).encode())
