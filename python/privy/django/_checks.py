"""The system checks. They create a client, which sends no request, and report what it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.checks import CheckMessage, Error, Warning

import privy

from . import _settings


def check_settings(app_configs: object, **_: object) -> list[CheckMessage]:
    """Checks ``PRIVY``: unknown names, invalid values, missing credentials.

    Credentials that the environment lacks are a warning, because a build of an image may have none.
    """
    found: list[CheckMessage] = []
    for alias, options in _settings.by_alias().items():
        found += _of_client(_settings.place(alias), options)
    return found


def check_deployment(app_configs: object, **_: object) -> list[CheckMessage]:
    """Checks, with ``check --deploy``, that no client uses a sandbox."""
    return [
        Warning(
            f"{_settings.place(alias)} uses a sandbox: nothing reaches Privy.",
            hint="Remove SANDBOX from the settings of the deployment.",
            id="privy.W002",
        )
        for alias, options in _settings.by_alias().items()
        if isinstance(options, Mapping) and options.get("SANDBOX")
    ]


def _of_client(place: str, options: object) -> list[CheckMessage]:
    if not isinstance(options, Mapping):
        return [Error(f"{place} {_settings.NO_DICT}, not {type(options).__name__}.", id="privy.E001")]
    unknown = [name for name in options if name not in _settings.OPTIONS]
    if unknown:
        return [_unknown(place, str(name)) for name in unknown]
    given = _settings.parameters(options)
    error = _refused(given)
    if error is None:
        return []
    if not given.keys() & _settings.CREDENTIALS and _refused({**given, "token": privy.Sandbox.token}) is None:
        hint = "Set TOKEN, or CLIENT_ID and CLIENT_SECRET, or SANDBOX: True for a Privy in memory."
        return [Warning(f"{place}: {error}", hint=hint, id="privy.W001")]
    return [Error(f"{place}: {error}", id="privy.E003")]


def _unknown(place: str, name: str) -> CheckMessage:
    meant = _settings.suggestion(name)
    hint = f"Did you mean {meant}?" if meant else f"Settings are {', '.join(sorted(_settings.OPTIONS))}."
    return Error(f"{place}: {name} is not a setting of a client.", hint=hint, id="privy.E002")


def _refused(given: dict[str, Any]) -> str | None:
    """Why a client cannot be created; None if it can."""
    try:
        privy.Client(**given).close()
    except privy.PrivyError as error:
        return str(error)
    return None
