"""Records and pages as types of pydantic: validation, serialization, JSON schema."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from decimal import Decimal

import jsonschema
import privy
import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from support import SCHEMA, table

RECORDS = ["Contact", "Order", "EventReceipt"]
TYPES = {"integer": "integer", "boolean": "boolean", "strings": "array", "flat": "object"}


def stored():
    """A record of each kind and a page, as a sandbox returns them."""
    client = privy.Sandbox().client()
    jane = client.contacts.create(
        email="jäne@example.com", tags=["vip"], custom_fields={"size": 39, "ratio": 1.5, "on": True, "none": None}
    )
    order = client.orders.upsert(
        order_id="0015", total="95.00", currency="USD", order_date="2026-05-12T10:00:00Z", email="jane@example.com"
    )
    receipt = client.events.ingest("seen", email="jane@example.com")
    return {"Contact": jane, "Order": order, "EventReceipt": receipt, "Page": next(client.contacts.list().pages())}


@pytest.mark.parametrize("name", [*RECORDS, "Page"])
def test_json_is_that_of_the_record_and_is_read_back(name):
    value, adapter = stored()[name], TypeAdapter(getattr(privy, name))
    assert json.loads(adapter.dump_json(value)) == value.to_dict(json=True) == json.loads(value.to_json())
    assert adapter.dump_python(value) == value.to_dict()
    assert adapter.dump_python(value, mode="json") == value.to_dict(json=True)
    assert adapter.validate_python(value) is value
    assert adapter.validate_json(adapter.dump_json(value)) == value
    assert adapter.validate_python(value.to_dict()) == value
    assert type(adapter.validate_python(value.to_dict())) is getattr(privy, name)


@pytest.mark.parametrize("name", RECORDS)
def test_a_mapping_of_the_fields_becomes_a_record(name):
    value = stored()[name]
    assert TypeAdapter(getattr(privy, name)).validate_python(dict(value)) == value


def test_unknown_fields_are_kept_and_absent_ones_stay_absent():
    adapter = TypeAdapter(privy.Contact)
    jane = adapter.validate_python({"email": "jane@example.com", "loyalty": {"points": 1.5}})
    assert jane.keys() == ["email", "loyalty"]
    assert jane.extra == {"loyalty": {"points": Decimal("1.5")}}
    assert jane.first_name is None
    assert json.loads(adapter.dump_json(jane)) == {"email": "jane@example.com", "loyalty": {"points": 1.5}}
    assert adapter.validate_python({"email_consent": "a newer one"}).email_consent == "a newer one"


def test_money_and_times_are_read_from_text_and_from_values():
    adapter = TypeAdapter(privy.Order)
    for amount in ("95.00", Decimal("95.00")):
        order = adapter.validate_python({"total_amount": amount, "placed_at": "2026-05-12T12:00:00+02:00"})
        assert str(order.total_amount) == "95.00"
        assert order.placed_at == datetime.fromisoformat("2026-05-12T10:00:00+00:00")


def test_all_mistakes_are_reported_by_field():
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(privy.Order).validate_python(
            {"order_id": [], "total_amount": "much", "placed_at": "2026-05-12T10:00:00", "created": "perhaps"}
        )
    assert {error["loc"][0] for error in caught.value.errors()} == {"order_id", "total_amount", "placed_at", "created"}
    for wrong in (5, "text", [("email", "a@b.c")], privy.Order.from_json("{}")):
        with pytest.raises(ValidationError, match="Input should be a Contact or a mapping"):
            TypeAdapter(privy.Contact).validate_python(wrong, strict=True)


def test_records_are_fields_of_models():
    class Row(BaseModel):
        record: privy.Order | privy.EventReceipt
        contacts: list[privy.Contact] = []
        page: privy.Page | None = None

    found = stored()
    row = Row(record=found["EventReceipt"], contacts=found["Page"], page=found["Page"])
    assert row.record is found["EventReceipt"]
    assert row.contacts == list(found["Page"])
    assert json.loads(row.model_dump_json()) == {
        "record": found["EventReceipt"].to_dict(json=True),
        "contacts": [contact.to_dict(json=True) for contact in found["Page"]],
        "page": found["Page"].to_dict(json=True),
    }
    assert set(Row.model_json_schema(mode="serialization")["$defs"]) == {"Contact", "EventReceipt", "Order", "Page"}


# ---- rows ----

ROW = {
    "order_id": 1001,
    "total": "95.00",
    "currency": "USD",
    "order_date": "2026-05-12T10:00:00Z",
    "email": "jane@example.com",
    "line_items": [{"sku": "a", "quantity": 2, "colour": "red"}],
    "billing_address": {"city": "Boston", "floor": 3},
}


def test_rows_are_types_of_pydantic():
    adapter = TypeAdapter(privy.types.OrderRow)
    assert adapter.validate_python(ROW) == ROW
    read = adapter.validate_json(json.dumps(ROW))
    assert str(read["total"]) == "95.00"
    assert (read["line_items"], read["billing_address"]) == (ROW["line_items"], ROW["billing_address"])
    client = privy.Sandbox().client()
    assert client.orders.upsert(**read).placed_at.isoformat() == "2026-05-12T10:00:00+00:00"
    assert adapter.json_schema()["required"] == ["order_id", "total", "currency", "order_date"]
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python({"order_id": 1001, "total": "95.00", "currency": 5, "discount": []})
    assert {error["loc"][0] for error in caught.value.errors()} == {"currency", "order_date", "discount"}


@pytest.mark.parametrize("name", ["ContactRow", "EventRow"])
def test_all_rows_refuse_unknown_names(name):
    with pytest.raises(ValidationError, match="emial"):
        TypeAdapter(getattr(privy.types, name)).validate_python({"event_type": "seen", "emial": "a@b.co"})


# ---- JSON schema ----


def schema_of(name):
    return TypeAdapter(getattr(privy, name)).json_schema(mode="serialization")


@pytest.mark.parametrize("name", RECORDS)
def test_the_json_schema_has_every_field_of_the_table(name):
    schema = schema_of(name)
    assert (schema["title"], schema["type"]) == (name, "object")
    assert "required" not in schema
    assert list(schema["properties"]) == [row["name"] for row in table(name)["fields"]]
    for row in table(name)["fields"]:
        field = schema["properties"][row["name"]]
        assert field["description"] == row["doc"]
        kinds = field.get("anyOf", [field])
        assert ({"type": "null"} in kinds) == row["nullable"]
        if row["kind"] == "order id":
            assert [kind["type"] for kind in kinds] == ["integer", "string"]
        else:
            assert kinds[0]["type"] == TYPES.get(row["kind"], "string"), row["name"]
        if row["kind"] == "time":
            assert kinds[0]["format"] == "date-time"
        if row["kind"] == "enum":
            (known,) = (enum["values"] for enum in SCHEMA["enums"] if enum["name"] == row["choices"])
            assert kinds == [{"type": "string", "enum": known}, {"type": "string"}]


@pytest.mark.parametrize("name", [*RECORDS, "Page"])
def test_what_is_written_satisfies_the_json_schema(name):
    validator = jsonschema.Draft202012Validator(schema_of(name))
    validator.check_schema(schema_of(name))
    written = json.loads(TypeAdapter(getattr(privy, name)).dump_json(stored()[name]))
    validator.validate(written)
    if name == "Contact":
        assert not validator.is_valid({**written, "tags": "vip"})
        assert not validator.is_valid({**written, "created_at": None})


def test_pydantic_is_imported_only_by_programs_that_use_it():
    code = (
        "import sys, json, privy; c = privy.Sandbox().client().contacts\n"
        "c.create(email='a@b.co'); next(c.list().pages()).to_json()\n"
        "assert not [name for name in sys.modules if name.startswith('pydantic')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
