"""Annotations as programs and editors read them: evaluated at run time, and completed by jedi."""

from __future__ import annotations

import ast
import inspect
import re
import typing
from pathlib import Path

import jedi
import privy
import privy.sandbox
import pytest
from privy._core import JSONObject

PUBLIC = [getattr(privy, name) for name in privy.__all__ if isinstance(getattr(privy, name), type)]
PUBLIC += [
    getattr(privy.sandbox, name) for name in privy.sandbox.__all__ if isinstance(getattr(privy.sandbox, name), type)
]


def functions(cls):
    """The functions of a class that users call, its own methods and those of privy that it inherits."""
    for base in inspect.getmro(cls):
        if base.__module__.partition(".")[0] != "privy":
            continue
        for name, value in vars(base).items():
            if name.startswith("_") and not name.startswith("__"):
                continue
            if isinstance(value, property):
                yield f"{base.__name__}.{name}", value.fget
            elif inspect.isfunction(value) and value.__module__.partition(".")[0] == "privy":
                yield f"{base.__name__}.{name}", value


@pytest.mark.parametrize("cls", PUBLIC, ids=lambda cls: cls.__name__)
def test_every_annotation_can_be_evaluated(cls):
    typing.get_type_hints(cls)
    for name, function in functions(cls):
        assert isinstance(typing.get_type_hints(function), dict), name


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("privy.celery", ["PrivyTask", "register_serializers"]),
        ("privy.django", ["async_client", "client"]),
        ("privy.django.test", ["SandboxMixin"]),
    ],
)
def test_annotations_of_what_belongs_to_a_framework_can_be_evaluated(module, names):
    module = pytest.importorskip(module)
    for value in [getattr(module, name) for name in names]:
        for name, function in [(value.__name__, value), *(functions(value) if isinstance(value, type) else ())]:
            assert isinstance(typing.get_type_hints(function), dict), name
            assert inspect.signature(function) is not None


def members(cls):
    """The public methods of a class and of its bases in privy."""
    for base in inspect.getmro(cls):
        if base.__module__.partition(".")[0] == "privy":
            for name in vars(base):
                if not name.startswith("_") and callable(getattr(cls, name)):
                    yield name, getattr(cls, name)


@pytest.mark.parametrize("cls", [*PUBLIC, JSONObject], ids=lambda cls: cls.__name__)
def test_every_method_has_a_signature(cls):
    for name, method in members(cls):
        assert "args" not in inspect.signature(method).parameters, name
    if "__init__" in vars(cls) and not issubclass(cls, Exception):
        assert list(inspect.signature(cls).parameters) == list(inspect.signature(cls.__init__).parameters)[1:]


def test_signatures_of_the_extension_are_those_of_the_stub():
    tree = ast.parse((Path(privy.__file__).parent / "_core.pyi").read_text("utf-8"))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    checked = set()
    for cls in (privy.Contact, privy.Order, privy.EventReceipt, privy.Page, JSONObject):
        nodes = [*classes[cls.__name__].body, *(classes["_Record"].body if cls is not privy.Page else ())]
        for node in nodes:
            if (
                not isinstance(node, ast.FunctionDef)
                or node.name.startswith("_")
                or node.name not in dict(members(cls))
            ):
                continue
            own = [name for name in inspect.signature(getattr(cls, node.name)).parameters if name != "self"]
            spelled = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            assert own == [argument.arg for argument in spelled if argument.arg not in ("self", "cls")], node.name
            checked.add(node.name)
    assert {"keys", "to_dict", "to_json", "from_json", "copy"} <= checked


def test_annotations_mean_what_they_say():
    hints = typing.get_type_hints(privy.Client.__init__)
    assert hints["token"] == str | None
    assert hints["sandbox"] == privy.Sandbox | None
    assert typing.get_type_hints(privy.Client)["orders"] is privy.Orders
    assert typing.get_type_hints(privy.Orders.upsert_many)["return"] == privy.Bulk[privy.Order]
    assert typing.get_type_hints(privy.Orders.upsert)["total"] == privy.types.Money | privy.Omit
    assert typing.get_type_hints(privy.types.OrderRow)["order_id"] == int | str
    assert typing.get_type_hints(privy.sandbox.app)["sandbox"] is privy.Sandbox


def test_every_type_for_annotations_exists_and_is_listed():
    assert privy.types.__all__ == sorted(privy.types.__all__)
    for name in privy.types.__all__:
        assert getattr(privy.types, name) is not None
    annotations = [method.__annotations__ for cls in PUBLIC for _, method in members(cls) if inspect.isfunction(method)]
    used = set(re.findall(r"privy\.types\.(\w+)", str(annotations)))
    assert {"EmailConsent", "OnSpentDay", "PlanMode", "Resume", "Rows"} <= used
    assert used - {"Any", "Self", "datetime", "timedelta"} <= set(privy.types.__all__)


# ---- editors ----


def completed(text):
    """What jedi would complete at the end of a program, without a type checker's knowledge of TYPE_CHECKING."""
    lines = text.splitlines()
    return {name.name for name in jedi.Script(text).complete(len(lines), len(lines[-1]))}


@pytest.mark.parametrize(
    ("program", "names"),
    [
        ("import privy\nprivy.Bu", {"Bulk"}),
        ("import privy\nprivy.types.Order", {"OrderRow"}),
        ("import privy\nprivy.Client().", {"contacts", "orders", "events", "rate_limit", "with_options"}),
        ("import privy\nwith privy.Client() as client:\n    client.", {"contacts", "close"}),
        ("import privy\nprivy.Client().with_options().", {"rate_limit", "with_options"}),
        ("import privy\nprivy.Sandbox().client().orders.", {"upsert", "upsert_many"}),
        ("import privy\nprivy.Client().contacts.create().", {"email_consent", "to_dict"}),
        ("import privy\nprivy.Client().contacts.list().", {"pages", "total_count"}),
        ("import privy\nprivy.Client().rate_limit.minute.", {"remaining", "resets_at"}),
        ("import privy\nprivy.Client().orders.upsert_many([]).", {"unsent"}),
        ("import privy\nfor one in privy.Client().contacts.list():\n    one.", {"email_consent"}),
        ("import privy\nprivy.AsyncClient().", {"contacts", "aclose"}),
        ("import privy\nprivy.Sandbox().requests[0].", {"operation", "status", "json"}),
        ("import privy\nprivy.Sandbox().orders[1].", {"total_amount", "to_dict"}),
        ("import privy\nprivy.AsyncClient().orders.", {"upsert", "upsert_many"}),
        (
            "import privy\nasync def f():\n    one = await privy.AsyncClient().contacts.get('')\n    one.",
            {"tags", "to_json"},
        ),
        ("import privy\nprivy.AsyncClient().contacts.list().", {"pages", "first"}),
        ("import privy\nprivy.Client().contacts.plan([]).", {"update", "apply", "requests", "duration"}),
        ("import privy\nprivy.Client().contacts.plan([]).update[0].", {"changes", "contact_id"}),
        ("import privy\nprivy.Client().contacts.plan([]).apply().refused.", {"to_pandas", "to_polars"}),
        ("import privy\nprivy.Client().contacts.export('contacts.csv').", {"contacts", "began_at"}),
        ("import privy\nwith privy.Journal('orders.db') as journal:\n    journal.", {"report", "rejects_csv"}),
        ("import privy\nprivy.Journal('orders.db').refused[0].", {"field", "request"}),
        (
            "import privy\nasync def f():\n    plan = await privy.AsyncClient().contacts.plan([])\n    plan.",
            {"update", "apply"},
        ),
        (
            "import privy\nasync def f():\n    report = await privy.AsyncClient().contacts.export('a.db')\n    report.",
            {"contacts"},
        ),
        ("import privy\nprivy.types.", {"OnSpentDay", "Resume"}),
        (
            "import privy\nasync def f():\n    plan = await privy.AsyncClient().contacts.plan([])\n"
            "    done = await plan.apply()\n    done.",
            {"unsent", "in_doubt"},
        ),
    ],
    ids=lambda value: value.rsplit("\n")[-1].strip() if isinstance(value, str) else None,
)
def test_an_editor_completes(program, names):
    assert names <= completed(program)


@pytest.mark.parametrize("kind", ["Client", "AsyncClient"])
def test_an_editor_shows_the_parameters_of_a_method(kind):
    text = f"import privy\nprivy.{kind}().contacts.update("
    (signature,) = jedi.Script(text).get_signatures(2, len(text.splitlines()[1]))
    assert [parameter.name for parameter in signature.params][:4] == ["id", "email", "phone_number", "first_name"]


@pytest.mark.parametrize("kind", ["Plan", "AsyncPlan"])
def test_an_editor_shows_the_parameters_of_apply(kind):
    text = f"import privy\ndef f(plan: privy.{kind}):\n    plan.apply("
    (signature,) = jedi.Script(text).get_signatures(3, len(text.splitlines()[2]))
    assert [parameter.name for parameter in signature.params][:3] == ["concurrency", "on_progress", "progress"]
