"""``privy api``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

import click

from .._core import omit
from .._errors import PrivyError
from .._response import Response
from ._exit import DONE, Usage, code_of, reason_of
from ._output import write_json
from ._state import shared, state


@click.command("api")
@click.argument("method")
@click.argument("path")
@click.option("-f", "--raw-field", "raw", multiple=True, metavar="NAME=VALUE", help="A field whose value is a text.")
@click.option(
    "-F", "--field", "typed", multiple=True, metavar="NAME=VALUE", help="A field whose value is JSON, else a text."
)
@click.option("--input", "file", metavar="FILE", help="The body, as JSON; - is stdin.")
@click.option("-H", "--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="A header field.")
@click.option("-i", "--include", is_flag=True, help="Print status and header fields too.")
@shared
def api_(
    method: str,
    path: str,
    raw: tuple[str, ...],
    typed: tuple[str, ...],
    file: str | None,
    headers: tuple[str, ...],
    include: bool,
) -> int:
    """Send one request to any path, and print the body of the response.

    Fields are parameters of the query for GET and DELETE, and members of a JSON body otherwise.

    \b
      privy api GET /contacts -f email=jane@example.com
      privy api POST /events -f event_type=visit -f email=jane@example.com
    """
    options = state()
    method = method.upper()
    fields = _fields(raw, typed)
    if file is not None and fields:
        raise Usage("--input and fields exclude each other: write the fields into the input")
    in_query = method in ("GET", "DELETE", "HEAD")
    body: Any = omit if file is None else _read(file)
    if file is None and fields and not in_query:
        body = fields
    with options.client() as client:
        try:
            response = client.request(
                method,
                path if path.startswith("/") else f"/{path}",
                params=fields if in_query else None,
                body=body,
                headers=_headers(headers),
            )
        except PrivyError as error:
            if error.status is None or options.json:
                raise
            click.echo(error.body or "", nl=bool(error.body))
            options.warn(reason_of(error))
            return code_of(error)
    _show(response, include)
    return DONE


def _show(response: Response, include: bool) -> None:
    if state().json:
        write_json("api", status=response.status, headers=dict(response.headers), body=_value(response), error=None)
        return
    if include:
        click.echo(f"HTTP {response.status}")
        for name, value in response.headers.items():
            click.echo(f"{name}: {value}")
        click.echo()
    text = response.body.decode("utf-8", "replace")
    if sys.stdout.isatty() and _value(response) is not None:
        text = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    click.echo(text, nl=not text.endswith("\n"))


def _value(response: Response) -> Any:
    """The value of the body; None if the body is not JSON."""
    try:
        return json.loads(response.body)
    except ValueError:
        return None


def _fields(raw: Iterable[str], typed: Iterable[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for option, pairs in (("-f", raw), ("-F", typed)):
        for pair in pairs:
            name, separator, value = pair.partition("=")
            if not separator or not name:
                raise Usage(f"{option} {pair}: write NAME=VALUE")
            fields[name] = value if option == "-f" else _typed(value)
    return fields


def _typed(text: str) -> Any:
    try:
        return json.loads(text, parse_float=_decimal)
    except ValueError:
        return text


def _decimal(text: str) -> object:
    from decimal import Decimal

    return Decimal(text)


def _read(file: str) -> Any:
    with click.open_file(file, encoding="utf-8") as stream:
        text = stream.read()
    try:
        return json.loads(text, parse_float=_decimal)
    except ValueError as error:
        raise Usage(f"--input {file} is not JSON: {error}") from None


def _headers(given: Iterable[str]) -> dict[str, str] | None:
    headers = {}
    for header in given:
        name, separator, value = header.partition(":")
        if not separator:
            raise Usage(f"-H {header!r}: write 'NAME: VALUE'")
        headers[name.strip()] = value.strip()
    return headers or None
