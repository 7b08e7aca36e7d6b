"""The clients of a process, one of each kind for each alias."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

import privy

from . import _settings

C = TypeVar("C", privy.Client, privy.AsyncClient)

_clients: dict[tuple[type[Any], str], Any] = {}
_sandboxes: dict[str, privy.Sandbox] = {}
_replacement: privy.Sandbox | None = None


def client(alias: str = _settings.DEFAULT) -> privy.Client:
    """The client of this process for an alias of ``PRIVY``. The first call creates it; all threads share it. After a
    fork each process has its own connections.

    Raises:
        ImproperlyConfigured: ``PRIVY`` lacks the alias, or a setting is unknown, missing or invalid.
    """
    return _client(privy.Client, alias)


def async_client(alias: str = _settings.DEFAULT) -> privy.AsyncClient:
    """The same for asynchronous views. Each event loop has its own connections.

    Raises:
        ImproperlyConfigured: as for ``client``.
    """
    return _client(privy.AsyncClient, alias)


@contextmanager
def replaced_by(sandbox: privy.Sandbox) -> Iterator[None]:
    """Lets all clients of the process call a sandbox while a block runs."""
    global _replacement
    before, _replacement = _replacement, sandbox
    forget()
    try:
        yield
    finally:
        _replacement = before
        forget()


def forget() -> None:
    """Lets the next calls create new clients. Callers that hold a client may continue to use it."""
    _clients.clear()
    _sandboxes.clear()


def _changed(*, setting: str, **_: object) -> None:
    if setting == "PRIVY":
        forget()


setting_changed.connect(_changed)


def _client(kind: type[C], alias: str) -> C:
    found: C | None = _clients.get((kind, alias))
    # Two threads may create a client at the same time: the first one that is stored is used. No lock, so that a fork
    # cannot copy a locked one.
    return _clients.setdefault((kind, alias), _created(kind, alias)) if found is None else found


def _created(kind: type[C], alias: str) -> C:
    options: Any = None
    parameters: Any = None
    try:
        options = _settings.options(alias)
        if _replacement is not None:
            return kind(**_settings.for_sandbox(options), sandbox=_replacement)
        parameters = _settings.parameters(options)
        if "sandbox" in parameters:  # one for both kinds of client
            parameters["sandbox"] = _sandboxes.setdefault(alias, parameters["sandbox"])
        return kind(**parameters)
    except privy.PrivyError as error:
        raise ImproperlyConfigured(f"{_settings.place(alias)}: {error}") from None
    finally:  # an exception report may show local variables of its frames
        options = parameters = None
