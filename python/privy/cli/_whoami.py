"""``privy whoami``."""

from __future__ import annotations

from typing import Any

import click

from .._client import Client
from .._counted import counted
from .._errors import PrivyError
from .._limits import RateLimitWindow
from ._access import Access, try_scopes
from ._exit import CREDENTIALS, DONE, code_of, moment
from ._output import write_json, write_pairs
from ._state import is_sandbox, shared, state


@click.command()
@shared
def whoami_() -> int:
    """Show what the credentials may do, and the budget that is left.

    This costs one request for each scope. Those that would write are incomplete, so that Privy refuses them and stores
    nothing.
    """
    options = state()
    with options.client() as client:
        access = try_scopes(client)
        if options.json:
            write_json("whoami", **_described(client, access))
        else:
            write_pairs(_lines(client, access))
    if access.error is not None:
        options.warn(str(access.error))
        return code_of(access.error)
    return DONE if access.granted else CREDENTIALS


def _kind(client: Client) -> str:
    return "sandbox" if is_sandbox(client) else "live"


def _described(client: Client, access: Access) -> dict[str, Any]:
    limit = client.rate_limit
    return {
        "base_url": client.base_url,
        "kind": _kind(client),
        "access": access.word,
        "scopes": {scope: refusal is None for scope, refusal in access.scopes.items()},
        "budget": {"minute": _window(limit.minute), "day": _window(limit.day)},
        "error": None if access.error is None else str(access.error),
    }


def _window(window: RateLimitWindow) -> dict[str, Any] | None:
    if not window.known:
        return None
    return {"limit": window.limit, "remaining": window.remaining, "resets_at": window.resets_at}


def _lines(client: Client, access: Access) -> list[tuple[str, str]]:
    lines = [("API", f"{client.base_url} ({_kind(client)})"), ("access", access.word)]
    if access.granted:
        lines.append(("scopes", ", ".join(access.granted)))
    if access.missing:
        reason: PrivyError | None = access.scopes[access.missing[0]]
        lines += [("missing", ", ".join(access.missing)), ("", str(reason))]
    limit = client.rate_limit
    return lines + [("minute", _left(limit.minute)), ("day", _left(limit.day))]


def _left(window: RateLimitWindow) -> str:
    if window.limit is None:
        return "no limit is known"
    end = f", next window at {moment(window.resets_at)}" if window.resets_at else ""
    return f"{window.remaining:,} of {counted(window.limit, 'request', ',')} left{end}"
