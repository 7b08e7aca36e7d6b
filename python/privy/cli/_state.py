"""The options that every command has, and the client that they lead to."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import click

from .. import _core
from .._client import Client
from ._exit import CREDENTIALS, Failure, Usage

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class State:
    """What the options of the command line say."""

    profile: str | None = None
    base_url: str | None = None
    sandbox: bool = False
    verbose: int = 0
    json: bool = False
    quiet: bool = False
    command: str = ""
    _client: Client | None = field(default=None, repr=False)
    _timings: Callable[[Any], object] | None = field(default=None, repr=False)

    def client(self, on_event: Callable[[Any], object] | None = None, **settings: Any) -> Client:
        """The client of this command. The options decide on its credentials, then the environment, then the profile.

        Raises:
            Failure: there are no credentials.
            PrivyError: a setting is invalid.
        """
        listener = on_event or (self._show_event if self.verbose else None)
        if self.sandbox:
            return self._of_sandbox(listener, settings)
        return Client(**self._credentials(), **settings, on_event=listener)

    def _of_sandbox(self, listener: Callable[[Any], object] | None, settings: dict[str, Any]) -> Client:
        if self.base_url or self.profile:
            raise Usage("--sandbox goes with neither --base-url nor --profile: it uses no network")
        from ..sandbox import Sandbox

        self.note("sandbox: nothing is sent to Privy")
        return Sandbox().client(**settings, on_event=listener)

    def _credentials(self) -> dict[str, Any]:
        """The settings of the client by which it is accepted."""
        from ._profiles import Profiles

        environment = any(os.environ.get(name) for name in ("PRIVY_API_TOKEN", "PRIVY_CLIENT_ID"))
        named = self.profile or os.environ.get("PRIVY_PROFILE")
        if environment and self.profile is None:
            return {"base_url": self.base_url} if self.base_url else {}
        profiles = Profiles()
        name = named or profiles.default
        profile = profiles.get(name)
        if profile is None:
            known = f"; there are: {', '.join(profiles.names)}" if profiles.names else ""
            what = f"there is no profile {named!r}{known}" if named else "there are no credentials"
            option = f" --profile {named}" if named else ""
            raise Failure(
                f"{what}\nRun `privy login{option}`, or set PRIVY_API_TOKEN. `--sandbox` needs none.",
                CREDENTIALS,
                "CredentialsError",
            )
        if self.base_url and self.base_url.rstrip("/") != profile.get("base_url", self.base_url).rstrip("/"):
            raise Usage(
                f"--base-url: the profile {name!r} is for {profile['base_url']}, and its token is sent nowhere else\n"
                "Run `privy login` with this --base-url and another --profile, or set PRIVY_API_TOKEN."
            )
        return dict(profile)

    def _show_event(self, event: Any) -> None:
        if self.verbose > 1 or event.kind not in ("start", "request", "end"):
            print(f"privy: {event}", file=sys.stderr)

    def note(self, text: str) -> None:
        """Writes a line for people to stderr, unless ``--quiet``."""
        if not self.quiet:
            click.echo(f"privy: {text}", err=True)

    def warn(self, text: str) -> None:
        """Writes a line to stderr, also with ``--quiet``."""
        click.echo(f"privy: {text}", err=True)


def state() -> State:
    """The options of the running command."""
    found: State = click.get_current_context().ensure_object(State)
    return found


def _store(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keeps what is given, at whichever place of the command line."""
    kept = context.ensure_object(State)
    if parameter.name and value not in (None, False, 0):
        setattr(kept, parameter.name, value)


_SHARED = (
    click.option(
        "-q", "--quiet", is_flag=True, expose_value=False, callback=_store, help="No notes and no progress on stderr."
    ),
    click.option(
        "-v", "--verbose", count=True, expose_value=False, callback=_store, help="Show each response; -vv: each event."
    ),
    click.option("--json", is_flag=True, expose_value=False, callback=_store, help="Print one JSON document."),
    click.option("--base-url", metavar="URL", expose_value=False, callback=_store, help="Another URL of the API."),
    click.option(
        "--profile", metavar="NAME", expose_value=False, callback=_store, help="Credentials of `privy login`."
    ),
    click.option(
        "--sandbox", is_flag=True, expose_value=False, callback=_store, help="A new sandbox in memory; no network."
    ),
)


def shared(function: F) -> F:
    """Adds the options that every command has."""
    for option in _SHARED:
        function = option(function)
    return function


def is_sandbox(client: Client) -> bool:
    """Whether a sandbox handles the calls of the client."""
    core: _core.Client = client._core
    return core.is_sandbox
