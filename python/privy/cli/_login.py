"""``privy login`` and ``privy logout``."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from .._client import Client
from ._exit import CREDENTIALS, REFUSED, Failure, Usage, code_of, reason_of
from ._output import write_json
from ._state import is_sandbox, shared, state


def _secret(what: str) -> str:
    """A secret from the prompt of a terminal, or the first line of stdin."""
    if sys.stdin.isatty():
        text: str = click.prompt(what, hide_input=True, err=True)
    else:
        text = sys.stdin.readline()
    if not text.strip():
        raise Usage(f"{what}: stdin is empty")
    return text.strip()


@click.command()
@click.option("--client-id", metavar="ID", help="An OAuth client in place of a token; its secret is read instead.")
@click.option("--no-check", is_flag=True, help="Store it without a request to the API.")
@shared
def login_(client_id: str | None, no_check: bool) -> int:
    """Store a token after a check with the API.

    The token is read from a prompt, or from stdin, so that no shell remembers it: `privy login < token.txt`. It is
    stored in a file that only you can read, under the name of --profile (default).
    """
    from ._profiles import Profiles

    options = state()
    if options.sandbox:
        raise Usage("--sandbox needs no login")
    name = options.profile or os.environ.get("PRIVY_PROFILE") or "default"
    settings: dict[str, Any] = {}
    try:
        if client_id is None:
            settings["token"] = _secret("Token")
        else:
            settings |= {"client_id": client_id, "client_secret": _secret("Client secret")}
        with Client(**settings, base_url=options.base_url) as client:
            settings["base_url"] = client.base_url
            if not no_check:
                _check(client)
        profiles = Profiles()
        profiles.set(name, settings)
        if options.json:
            write_json("login", profile=name, base_url=settings["base_url"], file=profiles.path)
        options.note(f"the {'client' if client_id else 'token'} is stored as profile {name!r} in {profiles.path}")
    finally:  # an exception report may show local variables of its frames
        settings.clear()
    return 0


def _check(client: Client) -> None:
    """Raises Failure unless the API accepts the credentials. Costs one request."""
    from ._access import try_scopes

    access = try_scopes(client, most=1)
    if access.error is not None:
        raise Failure(
            f"nothing is stored: {reason_of(access.error).splitlines()[0]}",
            code_of(access.error),
            type(access.error).__name__,
        )
    if access.missing and not is_sandbox(client):
        refusal = access.scopes[access.missing[0]]
        if refusal is not None and refusal.code != "insufficient_scope":
            raise Failure(f"nothing is stored: {refusal}", CREDENTIALS, type(refusal).__name__)


@click.command()
@shared
def logout_() -> int:
    """Forget a stored token. It stays valid: revoke it in Privy's settings."""
    from ._profiles import Profiles

    options = state()
    profiles = Profiles()
    name = options.profile or os.environ.get("PRIVY_PROFILE") or profiles.default
    if not profiles.remove(name):
        raise Failure(f"there is no profile {name!r}", REFUSED, "CredentialsError")
    options.note(f"the profile {name!r} is forgotten; its token stays valid until it is revoked in Privy's settings")
    return 0
