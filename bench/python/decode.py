"""A page of contacts: bytes into objects, of which all are read, or only three, or all down to the custom fields.

All of them give the same: aware times, tuples or lists of tags, mappings of custom fields. Fractions among the custom
fields are decimals in privy and floats elsewhere, which is less work.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from plain import contact

Scalar = str | bool | int | float | None


def look(contacts):
    """Reads every field of each contact, as a program would."""
    for one in contacts:
        _ = one.id
        _ = one.email
        _ = one.phone_number
        _ = one.first_name
        _ = one.last_name
        _ = one.email_consent
        _ = one.sms_consent
        _ = one.tags
        _ = one.custom_fields
        _ = one.created_at
        _ = one.updated_at


def look_into(contacts):
    """The same, and every value of the custom fields."""
    look(contacts)
    for one in contacts:
        for _ in one.custom_fields.values():
            pass


def case(path, read, how):
    """`read` turns bytes into a sequence of contacts; `how` is "all", "three" or "members"."""
    body = Path(path).read_bytes()

    def all_fields():
        look(read(body))

    def three_contacts():
        contacts = read(body)
        look((contacts[0], contacts[11], contacts[23]))

    def all_members():
        look_into(read(body))

    work = {"all": all_fields, "three": three_contacts, "members": all_members}[how]
    return work, lambda: [contact(one) for one in read(body)]


def privy(path, how):
    import probe

    return case(path, probe.page, how)


def msgspec(path, how):
    import msgspec

    class Contact(msgspec.Struct, gc=False):
        id: str
        first_name: str | None
        last_name: str | None
        email: str | None
        phone_number: str | None
        email_consent: str
        sms_consent: str
        tags: list[str]
        custom_fields: dict[str, Scalar]
        created_at: datetime
        updated_at: datetime

    class Page(msgspec.Struct, gc=False):
        data: list[Contact]

    decode = msgspec.json.Decoder(Page).decode
    return case(path, lambda body: decode(body).data, how)


def orjson(path, how):
    """orjson gives dicts and text; dataclasses with times make them the same as the others."""
    import orjson

    @dataclass(slots=True)
    class Contact:
        id: str
        first_name: str | None
        last_name: str | None
        email: str | None
        phone_number: str | None
        email_consent: str
        sms_consent: str
        tags: list[str]
        custom_fields: dict[str, Scalar]
        created_at: datetime
        updated_at: datetime

        def __post_init__(self):
            self.created_at = datetime.fromisoformat(self.created_at)
            self.updated_at = datetime.fromisoformat(self.updated_at)

    loads = orjson.loads
    return case(path, lambda body: [Contact(**one) for one in loads(body)["data"]], how)


def pydantic(path, how):
    import pydantic

    class Contact(pydantic.BaseModel):
        id: str
        first_name: str | None
        last_name: str | None
        email: str | None
        phone_number: str | None
        email_consent: str
        sms_consent: str
        tags: list[str]
        custom_fields: dict[str, Any]
        created_at: datetime
        updated_at: datetime

    class Page(pydantic.BaseModel):
        data: list[Contact]

    validate = pydantic.TypeAdapter(Page).validate_json
    return case(path, lambda body: validate(body).data, how)
