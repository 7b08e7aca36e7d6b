"""Contacts as plain JSON, by any client, so that they can be compared."""

from datetime import datetime, timezone
from decimal import Decimal

FIELDS = (
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


def plain(value):
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat(timespec="microseconds")
    if isinstance(value, Decimal):
        return float(value)
    if hasattr(value, "items"):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(element) for element in value]
    return value


def contact(record):
    return {name: plain(getattr(record, name)) for name in FIELDS}
