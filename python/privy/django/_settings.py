"""The setting ``PRIVY``: aliases, and the options of a client."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

import privy

DEFAULT = "default"
"""The alias of a ``PRIVY`` without aliases."""
OPTIONS = {name.upper(): name for name in inspect.signature(privy.Client).parameters}
"""The parameters of ``privy.Client`` by the names of their settings."""
NO_DICT = "must be a dict of settings"
CREDENTIALS = {"token", "client_id", "client_secret", "scopes"}
OF_SANDBOXES = set(inspect.signature(privy.Sandbox.client).parameters) - CREDENTIALS - {"self"}
"""Parameters that a client of a sandbox keeps: no credentials and no addresses."""


def by_alias() -> Mapping[str, Any]:
    """The options of each client. Their types are not checked."""
    found: Any = getattr(settings, "PRIVY", {})
    if isinstance(found, Mapping) and found and all(isinstance(options, Mapping) for options in found.values()):
        return found
    return {DEFAULT: found}


def place(alias: str) -> str:
    """How messages name the options of an alias."""
    return "PRIVY" if by_alias().keys() == {DEFAULT} else f"PRIVY[{alias!r}]"


def options(alias: str) -> Mapping[str, Any]:
    """The options of an alias, all of them known."""
    found = by_alias().get(alias)
    if found is None:
        raise ImproperlyConfigured(f"PRIVY has no alias {alias!r}")
    if not isinstance(found, Mapping):
        raise ImproperlyConfigured(f"{place(alias)} {NO_DICT}")
    unknown = [f"{name} is not a setting of a client" for name in found if name not in OPTIONS]
    if unknown:
        raise ImproperlyConfigured(f"{place(alias)}: {'; '.join(unknown)}")
    return found


def suggestion(name: str) -> str | None:
    """The setting that an unknown name may mean."""
    return next(iter(get_close_matches(name.upper(), OPTIONS, 1)), None)


def parameters(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as parameters of ``privy.Client``. ``SANDBOX: True`` becomes a new sandbox."""
    found = {OPTIONS[name]: value for name, value in options.items()}
    sandbox = found.pop("sandbox", None)
    if sandbox:
        found["sandbox"] = privy.Sandbox() if sandbox is True else sandbox
    return found


def for_sandbox(options: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters for a client of a sandbox that replaces Privy."""
    return {name: value for name, value in parameters(options).items() if name in OF_SANDBOXES}
