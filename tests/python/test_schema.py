"""Every row of the core's tables has its parameter, its attribute and its stub; the extension repeats none of them."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import ForwardRef

import privy
import pytest
from privy import _core, _errors, _resources
from spelled import difference, first_difference, method, parameters, values
from support import SCHEMA, operation, table

ROOT = Path(__file__).parents[2]
PACKAGE = Path(privy.__file__).parent
OPTIONS = ["extra", "extra_headers", "timeout", "connect_timeout", "max_wait", "max_retries"]
POSITIONAL = {"id", "event_type"}
KIND_TYPES = {
    "string": "str",
    "integer": "int",
    "money": "Decimal",
    "boolean": "bool",
    "time": "datetime",
    "strings": "tuple[str, ...]",
    "flat": "Mapping[str, Any]",
    "order id": "int | str",
}
PARAM_TYPES = {
    "string": "str",
    "integer": "int",
    "money": "Money",
    "boolean": "bool",
    "time": "Time",
    "strings": "Sequence[str]",
    "flat": "Mapping[str, Scalar]",
    "any": "Mapping[str, object]",
    "object": "Mapping[str, object]",
    "objects": "Sequence[Mapping[str, object]]",
    "order id": "int | str",
}
ROWS = {"contacts.upsert": "ContactRow", "orders.upsert": "OrderRow", "events.ingest": "EventRow"}
PARTS = {"discounts": "Discount", "tax_lines": "TaxLine", "line_items": "LineItem", "billing_address": "Address"}
PARTS["shipping_address"] = "Address"
NAMES = [row["name"] for row in SCHEMA["operations"]]
RECORDS = sorted({row["object"] for row in SCHEMA["operations"]})


def stub_classes():
    tree = ast.parse((PACKAGE / "_core.pyi").read_text("utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def properties(node):
    return {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}


def test_the_session_stops_at_the_first_method_that_differs(monkeypatch):
    assert first_difference() == ""
    assert difference(["a", "b"], ["a"]) == "lacks b"
    assert difference(["a"], ["a", "b"]) == "has b, which the table lacks"
    assert difference(["a", "b"], ["b", "a"]) == "has another order than the table: a, b"
    rows = operation("contacts.unsubscribe")["params"]
    monkeypatch.setitem(operation("contacts.unsubscribe"), "params", [rows[0], {"name": "by"}, *rows[1:]])
    assert "contacts.unsubscribe: its signature lacks by." in first_difference()


@pytest.mark.parametrize("name", NAMES)
def test_the_values_are_passed_in_the_order_of_the_parameters(name):
    assert values(method(name)) == parameters(method(name))


@pytest.mark.parametrize("name", NAMES)
def test_parameters_stand_in_the_order_of_the_table(name):
    rows = [row["name"] for row in operation(name)["params"]]
    parameters = inspect.signature(method(name)).parameters
    own = ["limit", "prefetch"] if name == "contacts.list" else []
    assert list(parameters) == ["self", *rows, *own, *OPTIONS]
    for row in rows:
        parameter = parameters[row]
        if row in POSITIONAL:
            assert parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
            assert parameter.default is inspect.Parameter.empty
        else:
            assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
            assert parameter.default is privy.omit
    assert all(parameters[option].default is None for option in OPTIONS)


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_annotated_by_their_kind(name):
    annotations = method(name).__annotations__
    for row in operation(name)["params"]:
        annotation = annotations[row["name"]].removesuffix(" | Omit").replace("privy.types.", "")
        assert annotation.endswith(" | None") == row["nullable"], row["name"]
        base = annotation.removesuffix(" | None")
        if row["kind"] == "enum":
            assert re.fullmatch(r"(Email|NewSms|Sms)Consent(Filter)? \| str", base)
        else:
            assert base == PARAM_TYPES[row["kind"]], row["name"]
    assert annotations["return"]


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_documented(name):
    documentation = inspect.getdoc(method(name))
    assert documentation
    assert "Raises:" in documentation
    if name == "contacts.upsert":
        return
    for row in operation(name)["params"]:
        assert re.search(rf"\b{row['name']}\b", documentation), row["name"]


def test_every_operation_has_a_method():
    for name in NAMES:
        assert callable(method(name))
    spelled = {
        f"{resource.lower()}.{verb}"
        for resource in ("Contacts", "Orders", "Events")
        for verb in vars(getattr(_resources, resource))
        if not verb.startswith("_") and not verb.endswith("_many") and verb not in ("validate", "plan", "export")
    }
    assert spelled == set(NAMES)


@pytest.mark.parametrize("name", ["contacts.upsert", "orders.upsert", "events.ingest"])
def test_bulk_runs_have_one_shape(name):
    many = method(f"{name}_many")
    names = ["self", "rows", "nulls", "check_first", "concurrency", "on_progress", "progress"]
    names += ["journal", "resume", "on_spent_day", "until", *OPTIONS[1:]]
    assert list(inspect.signature(many).parameters) == names
    assert many.__annotations__["return"] == f"privy.Bulk[{method(name).__annotations__['return']}]"
    documentation = inspect.getdoc(many)
    assert all(re.search(rf"\b{word}\b", documentation) for word in names[1:])
    assert "Raises:" in documentation


@pytest.mark.parametrize("resource", ["Contacts", "Orders", "Events"])
def test_the_asynchronous_resources_have_every_method(resource):
    plain, made = getattr(_resources, resource), getattr(privy, f"Async{resource}")
    methods = [key for key, value in vars(plain).items() if inspect.isfunction(value) and not key.startswith("_")]
    assert [key for key in vars(made) if not key.startswith("_")] == methods
    for key in methods:
        assert inspect.signature(getattr(plain, key)) == inspect.signature(getattr(made, key))
        assert inspect.getdoc(getattr(plain, key)) == inspect.getdoc(getattr(made, key))
    assert inspect.signature(privy.Plan.apply) == inspect.signature(privy.AsyncPlan.apply)
    assert inspect.getdoc(privy.Plan.apply) == inspect.getdoc(privy.AsyncPlan.apply)
    for key in ("request", "with_options", "__init__"):
        one, two = getattr(privy.Client, key), getattr(privy.AsyncClient, key)
        assert inspect.signature(one) == inspect.signature(two)


def shape(source):
    """The methods of the classes of a file: name, parameters, result and first paragraph of the documentation."""
    found = {}
    for node in ast.parse(source.read_text("utf-8")).body:
        for item in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and not item.name.startswith("_"):
                result = re.sub(r"\b(Bulk|ContactList|Plan)\b", r"Async\1", ast.unparse(item.returns))
                documentation = ast.get_docstring(item).partition("\n\n")[0].split()
                name = f"{node.name.removeprefix('Async')}.{item.name}"
                found[name] = (ast.unparse(item.args), result.replace("AsyncAsync", "Async"), documentation)
    return found


def test_the_stub_of_the_asynchronous_resources_spells_out_every_method():
    plain = {}
    for name in ("contacts", "orders", "events"):
        plain |= shape(PACKAGE / "_resources" / f"{name}.py")
    stub = PACKAGE / "_async_resources.pyi"
    assert shape(stub) == plain
    for node in ast.parse(stub.read_text("utf-8")).body:
        for item in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
                made = getattr(getattr(privy, node.name), item.name)
                assert inspect.iscoroutinefunction(made) == isinstance(item, ast.AsyncFunctionDef), item.name


def test_the_stub_of_the_asynchronous_plan_spells_out_its_method():
    stub = shape(PACKAGE / "_async_plan.pyi")
    assert stub == {"Plan.apply": shape(PACKAGE / "_plan.py")["Plan.apply"]}
    assert inspect.iscoroutinefunction(privy.AsyncPlan.apply)
    assert privy.AsyncPlan.apply.__qualname__ == "AsyncPlan.apply"
    assert privy.AsyncPlan.apply.__module__ == privy.AsyncPlan.__module__


@pytest.mark.parametrize("name", RECORDS)
def test_every_field_has_an_attribute_and_a_stub(name):
    rows = [row["name"] for row in table(name)["fields"]]
    cls = getattr(privy, name)
    attributes = [key for key, value in vars(cls).items() if inspect.isdatadescriptor(value)]
    assert attributes == [*rows, "extra"]
    stubs = properties(stub_classes()[name])
    assert list(stubs) == rows
    for row in table(name)["fields"]:
        stub = stubs[row["name"]]
        kind = "ConsentFilter | str" if row["kind"] == "enum" else KIND_TYPES[row["kind"]]
        assert re.fullmatch(rf"(Email|Sms)?{re.escape(kind)}( \| None)?", ast.unparse(stub.returns)), row["name"]
        assert ast.unparse(stub.returns).endswith(" | None") == row["nullable"], row["name"]
        assert ast.get_docstring(stub)


def test_a_page_has_every_field_of_its_table():
    rows = [row["name"] for row in table("Pagination")["fields"]]
    assert [name for name in vars(privy.Page) if name in rows] == rows
    assert [name for name in properties(stub_classes()["Page"]) if name in rows] == rows


def test_stubs_and_module_agree():
    tree = ast.parse((PACKAGE / "_core.pyi").read_text("utf-8"))
    stubbed = set()
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            stubbed.add(node.name)
        elif isinstance(node, ast.AnnAssign):
            stubbed.add(node.target.id)
    exported = {name for name in vars(_core) if not name.startswith("__")}
    assert stubbed - {"_Record"} == exported
    for name in ("Client", "Group", "Sandbox"):
        stubs = {key for key in properties(stub_classes()[name]) if not key.startswith("__")}
        assert stubs == {key for key in vars(getattr(_core, name)) if not key.startswith("__")}


def literals(alias):
    tree = ast.parse((PACKAGE / "types.py").read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and node.target.id == alias:
            return [constant.value for constant in ast.walk(node.value) if isinstance(constant, ast.Constant)]
    raise AssertionError(f"no type is called {alias}")


@pytest.mark.parametrize("name", NAMES)
def test_literals_are_what_an_operation_accepts(name, recorder):
    for row in operation(name)["params"]:
        if row["kind"] != "enum":
            continue
        (values,) = (enum["values"] for enum in SCHEMA["enums"] if enum["name"] == row["choices"])
        alias = method(name).__annotations__[row["name"]].removesuffix(" | str | Omit").removeprefix("privy.types.")
        accepted = [value for value in values if accepts(recorder, name, row["name"], value)]
        assert literals(alias) == accepted


def plainly(annotation):
    return (annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else annotation).removesuffix(" | None")


@pytest.mark.parametrize("name", ROWS)
def test_rows_have_the_parameters_of_their_operation(name):
    row, params = getattr(privy.types, ROWS[name]), operation(name)["params"]
    assert set(row.__annotations__) == {param["name"] for param in params} | {"extra"}
    assert row.__required_keys__ == {param["name"] for param in params if param["required"]}
    for param in params:
        annotation = plainly(row.__annotations__[param["name"]])
        spelled = method(name).__annotations__[param["name"]].replace("privy.types.", "").removesuffix(" | Omit")
        part = PARTS.get(param["name"])
        if part:
            spelled = spelled.replace("Mapping", f"{part} | Mapping")
        assert annotation == spelled.removesuffix(" | None"), param["name"]


@pytest.mark.parametrize("field", PARTS)
def test_parts_of_rows_have_the_members_of_their_table(field):
    (param,) = (param for param in operation("orders.upsert")["params"] if param["name"] == field)
    part = getattr(privy.types, PARTS[field])
    assert {key: plainly(kind) for key, kind in part.__annotations__.items()} == {
        member["name"]: PARAM_TYPES[member["kind"]] for member in param["members"]
    }
    assert not part.__required_keys__


def accepts(recorder, name, field, value):
    given = {"email": "a@b.c", "phone_number": "+14155550171", field: value}
    arguments = ["cus_0123456789abcdef"] if name == "contacts.update" else []
    resource, verb = name.split(".")
    try:
        result = getattr(getattr(recorder.client(), resource), verb)(*arguments, **given)
        if name == "contacts.list":
            next(result.pages())
    except privy.ValidationError:
        return False
    except privy.APIStatusError:
        pass
    return True


def test_the_extension_holds_no_field_endpoint_or_value():
    words = {"email", "phone"}
    for row in SCHEMA["operations"]:
        words |= {row["name"], row["path"], row["scope"]} | {param["name"] for param in row["params"]}
    for row in SCHEMA["objects"]:
        words |= {field["name"] for field in row["fields"]}
    for row in SCHEMA["enums"]:
        words |= set(row["values"])
    for path in sorted((ROOT / "python" / "ext").glob("*.[ch]")):
        for literal in re.findall(r'"((?:[^"\\\n]|\\.)*)"', path.read_text("utf-8")):
            assert literal not in words, f"{path.name} names {literal}"
            assert not literal.startswith("/"), f"{path.name} names {literal}"


def test_the_extension_includes_only_the_public_headers():
    public = {path.name for path in (ROOT / "csrc").glob("*.h")}
    own = {path.name for path in (ROOT / "python" / "ext").glob("*.h")}
    for path in sorted((ROOT / "python" / "ext").glob("*.[ch]")):
        for name in re.findall(r'#include "([^"]+)"', path.read_text("utf-8")):
            assert name in public | own, f"{path.name} includes {name}"


def test_public_names_are_documented():
    assert privy.__all__ == sorted(privy.__all__, key=lambda name: (name.lower(), name)) or len(
        set(privy.__all__)
    ) == len(privy.__all__)
    for name in privy.__all__:
        assert getattr(privy, name) is not None
    assert set(_errors.__all__) <= set(privy.__all__)
    assert set(privy.__all__) <= set(dir(privy))
    with pytest.raises(AttributeError, match="nothing"):
        _ = privy.nothing


def test_everything_public_is_documented():
    for name in privy.__all__:
        thing = getattr(privy, name)
        if isinstance(thing, type):
            assert thing.__doc__, name
            for key, value in vars(thing).items():
                if not key.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                    assert inspect.getdoc(value), f"{name}.{key}"
    assert privy.types.__doc__
