"""``privy doctor``: what a call needs, one line each."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import click

from .. import _core
from .._client import Client
from .._errors import PrivyError
from ._exit import CREDENTIALS, DONE, REFUSED, Failure
from ._output import terminal_width, write_json
from ._state import State, is_sandbox, shared, state

PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")
INDENT = 20
"""Columns before the text of a line."""
MOST_SKEW = 5.0
"""Seconds that the clock of this machine may differ from that of the server. The journal and event times use it."""
EXTRAS = ("click", "rich", "charset_normalizer", "phonenumbers", "platformdirs", "tzdata")


NETWORK_HINTS = (
    (("resolve proxy",), "the name of the proxy cannot be resolved: check https_proxy"),
    (("resolve",), "the name cannot be resolved: check DNS, or set https_proxy"),
    (("tunnel", "proxy"), "the proxy refuses the connection: check https_proxy, its user and its password"),
    (
        ("expired", "not yet valid", "not yet activated"),
        "check the date and the time of this machine; if they are right, the certificate has to be renewed: Privy's by "
        "Privy, that of a company's proxy by the company",
    ),
    (
        ("subject name", "host name", "hostname"),
        "another server has answered, such as a proxy or the login page of a network: check --base-url, DNS and "
        "https_proxy",
    ),
    (
        ("wrong version", "unknown protocol", "http request", "packet length", "record layer"),
        "this server does not use TLS on this port: check the port of --base-url, and https_proxy",
    ),
    (
        ("certificate", "ssl"),
        "the certificate is not trusted: see the line CA file; if a company's proxy reads the traffic, set "
        "SSL_CERT_FILE to a PEM file with the certificate of the company",
    ),
)
OTHER_NETWORK_HINT = "check the firewall, and https_proxy"


@dataclass
class Check:
    """One line of the report."""

    name: str
    status: str
    """``ok``, ``warn`` or ``fail``."""
    text: str
    hint: str = ""


@click.command("doctor")
@shared
def doctor_() -> int:
    """Check this machine, the network and the access to the API.

    Each line is ok, warn or fail. It sends one request; `privy whoami` tries all scopes.
    """
    options = state()
    checks: list[Check] = []
    for check in _checks(options):
        checks.append(check)
        if not options.json:
            _show(check)
    code = _exit_code(checks)
    if options.json:
        write_json("doctor", ok=code == DONE, checks=[vars(check) for check in checks])
    return code


def _exit_code(checks: list[Check]) -> int:
    failed = [check.name for check in checks if check.status == "fail"]
    if not failed:
        return DONE
    return CREDENTIALS if set(failed) <= {"access", "credentials"} else REFUSED


def _show(check: Check) -> None:
    colour = {"ok": "green", "warn": "yellow", "fail": "red"}[check.status]
    lines = [line for text in (check.text, check.hint) if text for line in _wrapped(text)]
    click.echo(f"{click.style(check.status.ljust(4), fg=colour)}  {check.name.ljust(12)}  {lines[0]}")
    for line in lines[1:]:
        click.echo(" " * INDENT + line)


def _wrapped(text: str) -> list[str]:
    """The text in lines that fit a terminal; elsewhere one line."""
    if not sys.stdout.isatty():
        return [text]
    import textwrap

    return textwrap.wrap(text, max(terminal_width() - INDENT, 20), break_on_hyphens=False)


def _checks(options: State) -> Iterator[Check]:
    yield Check("privy", "ok", f"{_core.VERSION}, Python {platform.python_version()}, {_system()}")
    yield from _extras()
    libraries = _core.libraries()
    yield _library(libraries["sqlite"], "sqlite", "journals of bulk runs cannot be used")
    curl = libraries["libcurl"]
    yield _library(curl, "libcurl", "no request can be sent")
    if isinstance(curl, str):
        return
    yield Check("TLS", "ok", curl[1]) if curl[1] else Check("TLS", "fail", "this libcurl has no TLS library")
    try:
        client = options.client(on_event=(timings := Timings()), timeout=15, max_wait=0, max_retries=0)
    except Failure as error:
        lines = error.message.splitlines()
        yield Check("credentials" if error.code == CREDENTIALS else "settings", "fail", lines[0], " ".join(lines[1:]))
        return
    except PrivyError as error:
        yield Check("settings", "fail", str(error), _setting_hint(str(error)))
        return
    with client:
        yield _credentials(options, client)
        yield _certificates(client, curl)
        yield _proxy(client)
        yield from _network(client, timings)


def _setting_hint(message: str) -> str:
    if "SSL_CERT_FILE" in message:
        return "set SSL_CERT_FILE to a file of certificates in PEM form, or unset it"
    return ""


def _system() -> str:
    return f"{platform.system()} {platform.machine()}"


def _extras() -> Iterator[Check]:
    from importlib.util import find_spec

    missing = [name for name in EXTRAS if find_spec(name) is None]
    if missing:
        hint = "pip install 'privy-marketing[cli]' installs them"
        yield Check("extra [cli]", "warn", f"without {', '.join(missing)}", hint)


def _library(found: str | tuple[str | None, ...], name: str, loss: str) -> Check:
    if isinstance(found, str):
        return Check(name, "fail", found, loss)
    return Check(name, "ok", str(found[0]))


def _credentials(options: State, client: Client) -> Check:
    kind = "sandbox" if is_sandbox(client) else "live"
    if options.sandbox:
        return Check("credentials", "ok", "a sandbox in memory")
    names = ("PRIVY_API_TOKEN", "PRIVY_CLIENT_ID")
    given = next((name for name in names if os.environ.get(name)), None)
    if options.profile is None and given is not None:
        source = f"of the environment ({given})"
    else:
        source = f"of the profile {options.profile or os.environ.get('PRIVY_PROFILE') or 'default'!r}"
    return Check("credentials", "ok", f"{source}, for {client.base_url} ({kind})")


def _certificates(client: Client, curl: tuple[str | None, ...]) -> Check:
    own = client._core.ca_file
    if own is not None:
        return Check("CA file", "ok", f"{own} (SSL_CERT_FILE)")
    file, folder = curl[2], curl[3]
    problem = _core.ca_file_problem(file) if file else "is not configured"
    if file and problem is None:
        return Check("CA file", "ok", f"{file} (of libcurl)")
    if folder and os.path.isdir(folder) and os.listdir(folder):
        return Check("CA file", "ok", f"{folder} (folder of libcurl)")
    hint = "install the package ca-certificates, or set SSL_CERT_FILE to a file in PEM form"
    return Check("CA file", "warn" if _is_plain(client) else "fail", f"{file or 'of libcurl'} {problem}", hint)


def _is_plain(client: Client) -> bool:
    return str(client.base_url).startswith("http:")


def _proxy(client: Client) -> Check:
    found = [f"{name}={_without_user(os.environ[name])}" for name in PROXIES if os.environ.get(name)]
    if not found:
        return Check("proxy", "ok", "none in the environment")
    if _is_plain(client):
        return Check("proxy", "ok", f"{', '.join(found)}; not used for plain HTTP to loopback")
    return Check("proxy", "ok", ", ".join(found))


def _without_user(url: str) -> str:
    """The URL of a proxy without its user and password."""
    scheme, separator, rest = url.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


class Timings:
    """Keeps the last response of the calls."""

    def __init__(self) -> None:
        self.last: Any = None

    def __call__(self, event: Any) -> None:
        if event.kind in ("response", "failure"):
            self.last = event


def _network(client: Client, timings: Timings) -> Iterator[Check]:
    before = time.time()
    error: PrivyError | None = None
    headers: Any = None
    _, method, path, query, _ = _core.probes()[0]
    try:
        headers = client.request(method, f"{path}?{query}").headers
    except PrivyError as failure:
        error, headers = failure, failure.headers
    after = time.time()
    yield _connection(client, timings.last, error)
    if headers is not None:
        yield from _clock(headers.get("date"), before, after, is_sandbox(client))
    if error is None or error.status is not None:
        yield _access(error)
        yield _budget(client)


def _connection(client: Client, event: Any, error: PrivyError | None) -> Check:
    host = urlsplit(str(client.base_url)).netloc
    if error is not None and error.status is None:
        return Check("network", "fail", str(error), _network_hint(str(error)))
    if state().sandbox or event is None or event.lookup is None:
        return Check("network", "ok", "the sandbox responds in memory")
    steps = [("lookup", event.lookup), ("connect", event.connect), ("TLS", event.tls), ("response", event.first_byte)]
    shown = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in steps if seconds is not None)
    slow = event.total is not None and event.total > 5
    return Check("network", "warn" if slow else "ok", f"{host}: {shown}", "the network is slow" if slow else "")


def _network_hint(message: str) -> str:
    """What to do about the message of libcurl and its TLS library, by the first words that it has."""
    text = message.lower()
    return next((hint for words, hint in NETWORK_HINTS if any(word in text for word in words)), OTHER_NETWORK_HINT)


def _clock(date: str | None, before: float, after: float, simulated: bool) -> Iterator[Check]:
    from email.utils import parsedate_to_datetime

    try:
        server = parsedate_to_datetime(str(date)).timestamp()
    except ValueError:
        return
    skew = before - (server + 1) if before > server + 1 else min(after - server, 0)
    if abs(skew) <= MOST_SKEW:
        yield Check("clock", "ok", "agrees with the server's")
        return
    word = "ahead of" if skew > 0 else "late by comparison with"
    hint = "set the clock: event times and the journal's record of what is in doubt depend on it"
    yield Check("clock", "warn", f"{abs(skew):.0f} s {word} the server's", "" if simulated else hint)


def _access(error: PrivyError | None) -> Check:
    if error is None:
        return Check("access", "ok", "the credentials are accepted; `privy whoami` tries all scopes")
    if error.code == "insufficient_scope":
        return Check("access", "warn", "accepted, but not to read contacts", "`privy whoami` tries all scopes")
    return Check("access", "fail" if error.status in (401, 403) else "warn", str(error))


def _budget(client: Client) -> Check:
    limit = client.rate_limit
    known = [
        f"{window.remaining:,} of {window.limit:,} of the {name}"
        for name, window in (("minute", limit.minute), ("day", limit.day))
        if window.known
    ]
    spent = any(window.known and not window.remaining for window in (limit.minute, limit.day))
    return Check("budget", "warn" if spent else "ok", ", ".join(known) or "no limit is known")
