"""Whether the methods spell out the parameters of the core's tables, which take values by position."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable

from privy import _resources
from support import SCHEMA

NOT_SENT = {"self", "limit", "prefetch"}


def method(name: str) -> Callable[..., object]:
    resource, verb = name.split(".")
    found: Callable[..., object] = getattr(getattr(_resources, resource.capitalize()), verb)
    return found


def parameters(function: Callable[..., object]) -> list[str]:
    """The parameters before the options."""
    names = list(inspect.signature(function).parameters)
    return [name for name in names[: names.index("extra")] if name not in NOT_SENT]


def values(function: Callable[..., object]) -> list[str]:
    """The values that the method passes to the core: the names in ``params = …``."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "params" for target in targets):
            value = node.value  # type: ignore[attr-defined]
            if isinstance(value, ast.Tuple):
                return [item.id for item in value.elts if isinstance(item, ast.Name)]
            if isinstance(value, ast.Dict):
                return [key.value for key in value.keys if isinstance(key, ast.Constant)]
    raise AssertionError(f"{function.__qualname__} passes no params")


def difference(wanted: list[str], found: list[str]) -> str:
    """What to change in ``found``; empty if the lists are equal."""
    missing = [name for name in wanted if name not in found]
    unknown = [name for name in found if name not in wanted]
    if missing:
        return f"lacks {', '.join(missing)}"
    if unknown:
        return f"has {', '.join(unknown)}, which the table lacks"
    return "" if wanted == found else f"has another order than the table: {', '.join(wanted)}"


def first_difference() -> str:
    """A sentence about the first method that differs from its table; empty if all agree."""
    for operation in SCHEMA["operations"]:
        name, wanted = operation["name"], [param["name"] for param in operation["params"]]
        for what, found in (("signature", parameters(method(name))), ("params", values(method(name)))):
            if text := difference(wanted, found):
                return f"python/privy: {name}: its {what} {text}. Change the method first: values go by position."
    return ""
