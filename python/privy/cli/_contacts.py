"""``privy contacts``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

import click

from .._client import Client
from .._core import Contact, omit
from .._errors import PrivyError
from ._exit import DONE, REFUSED, Failure, Usage, code_of, reason_of
from ._output import (
    document,
    dump,
    error_of,
    terminal_width,
    write_csv,
    write_json,
    write_pairs,
    write_table,
    write_tabs,
)
from ._state import shared, state

EMAIL_CONSENTS = ["subscribed", "unsubscribed", "never_subscribed", "suppressed"]
SMS_CONSENTS = ["subscribed", "unsubscribed", "never_subscribed", "single_opt_in"]
COLUMNS = (
    "id",
    "email",
    "phone_number",
    "first_name",
    "last_name",
    "email_consent",
    "sms_consent",
    "tags",
    "custom_fields",
    "created_at",
    "updated_at",
)
"""The columns of ``--csv`` and of lines that are not for a terminal."""
SHOWN = ((0, COLUMNS[:2] + COLUMNS[5:7]), (110, COLUMNS[:7]), (140, COLUMNS[:8]))
"""The columns of a table, from this width of the terminal."""


@click.group("contacts")
def contacts_() -> None:
    """List, get, upsert and delete contacts."""


@contacts_.command("list")
@click.option("--email", metavar="ADDRESS", help="The contact of this e-mail address.")
@click.option("--phone-number", metavar="NUMBER", help="The contact of this phone number, in E.164.")
@click.option("--email-consent", type=click.Choice([*EMAIL_CONSENTS, "compliance_suppressed"]), metavar="CONSENT")
@click.option("--sms-consent", type=click.Choice([*SMS_CONSENTS, "pending"]), metavar="CONSENT")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many contacts.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with a header.")
@shared
def list_(
    email: str | None,
    phone_number: str | None,
    email_consent: str | None,
    sms_consent: str | None,
    limit: int | None,
    as_csv: bool,
) -> int:
    """List contacts: a table on a terminal, otherwise tab-separated lines without a header.

    Each request reads 100 contacts. A consent is subscribed, unsubscribed, never_subscribed, suppressed or
    compliance_suppressed; for SMS also single_opt_in or pending.
    """
    filters: dict[str, Any] = {
        "email": email,
        "phone_number": phone_number,
        "email_consent": email_consent,
        "sms_consent": sms_consent,
    }
    options = state()
    if as_csv and options.json:
        raise Usage("--csv and --json exclude each other")
    with options.client() as client:
        found = client.contacts.list(**{key: value for key, value in filters.items() if value is not None}, limit=limit)
        if options.json:
            return _list_json(found)
        if as_csv:
            write_csv(COLUMNS, (cells(contact, COLUMNS) for contact in found))
        elif sys.stdout.isatty():
            columns = next(names for width, names in reversed(SHOWN) if terminal_width() >= width)
            write_table(columns, [cells(contact, columns) for contact in found])
        else:
            write_tabs(cells(contact, COLUMNS) for contact in found)
    return DONE


def _list_json(found: Iterable[Contact]) -> int:
    """Writes the document as the pages come. An error becomes its last member."""
    head = dump(document("contacts"))[:-1]
    click.echo(f'{head}, "contacts": [', nl=False)
    failure: PrivyError | None = None
    try:
        for number, contact in enumerate(found):
            click.echo(f"{', ' if number else ''}{contact.to_json()}", nl=False)
    except PrivyError as error:
        failure = error
        click.echo(f"privy: {reason_of(error)}", err=True)
    shown = None if failure is None else error_of(type(failure).__name__, str(failure), code_of(failure), failure)
    click.echo(f'], "error": {dump(shown)}}}')
    return DONE if failure is None else code_of(failure)


def cells(contact: Contact, columns: Iterable[str]) -> list[object]:
    """The values of a contact as text: tags separated by commas, custom fields as JSON."""
    fields = contact.to_dict(json=True)

    def text(name: str) -> object:
        value = fields.get(name)
        if name == "tags":
            return ",".join(value or ())
        if name == "custom_fields":
            return dump(value) if value else ""
        return value

    return [text(name) for name in columns]


def _find(client: Client, who: str) -> Contact:
    """The contact of an id, an e-mail address or a phone number in E.164."""
    if "@" in who:
        found = list(client.contacts.list(email=who, limit=1))
    elif who.startswith("+"):
        found = list(client.contacts.list(phone_number=who, limit=1))
    else:
        return client.contacts.get(who)
    if not found:
        raise Failure(f"there is no contact {who}", REFUSED, "NotFoundError")
    return found[0]


def _show(contact: Contact) -> None:
    if state().json:
        write_json("contact", contact=contact.to_dict(json=True))
        return
    shown = zip(COLUMNS, cells(contact, COLUMNS), strict=True)
    write_pairs((name, str(value)) for name, value in shown if value not in (None, ""))


@contacts_.command("get")
@click.argument("contact")
@shared
def get_(contact: str) -> int:
    """Show one contact: CONTACT is an id, an e-mail address or a phone number in E.164."""
    with state().client() as client:
        _show(_find(client, contact))
    return DONE


def _fields(pairs: Iterable[str]) -> Iterator[tuple[str, str]]:
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator or not name:
            raise Usage(f"--custom-field {pair}: write NAME=VALUE")
        yield name, value


@contacts_.command("upsert")
@click.option("--email", metavar="ADDRESS", help="E-mail address.")
@click.option("--phone-number", metavar="NUMBER", help="Phone number in E.164, such as +14155550171.")
@click.option("--first-name", metavar="NAME", help="First name.")
@click.option("--last-name", metavar="NAME", help="Last name.")
@click.option("--email-consent", type=click.Choice(EMAIL_CONSENTS), metavar="CONSENT", help="Consent to e-mail.")
@click.option("--sms-consent", type=click.Choice(SMS_CONSENTS), metavar="CONSENT", help="Consent to SMS.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A tag; may be repeated. All tags are replaced.")
@click.option(
    "--custom-field", "fields", multiple=True, metavar="NAME=VALUE", help="May be repeated. All are replaced."
)
@click.option("--no-welcome-sms", is_flag=True, help="No welcome SMS when this subscribes the contact.")
@shared
def upsert_(tags: tuple[str, ...], fields: tuple[str, ...], no_welcome_sms: bool, **given: str | None) -> int:
    """Create a contact, or update the one that has this e-mail address or phone number.

    A consent is subscribed, unsubscribed, never_subscribed or suppressed; for SMS single_opt_in in place of suppressed.
    What is not given stays as it is.
    """
    values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    with state().client() as client:
        contact = client.contacts.upsert(
            **values,
            tags=list(tags) or omit,
            custom_fields=dict(_fields(fields)) or omit,
            send_welcome_sms=False if no_welcome_sms else omit,
        )
        _show(contact)
    return DONE


@contacts_.command("delete")
@click.argument("contact")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@shared
def delete_(contact: str, yes: bool) -> int:
    """Delete one contact: CONTACT is an id, an e-mail address or a phone number in E.164."""
    if not yes and not sys.stdin.isatty():
        raise Usage("stdin is not a terminal that can be asked: pass --yes")
    with state().client() as client:
        found = _find(client, contact)
        if not yes:
            click.confirm(f"Delete {found.email or found.phone_number or found.id}?", abort=True, err=True)
        deleted = client.contacts.delete(found.id)
        _show(deleted if isinstance(deleted, Contact) else found)
    return DONE
