"""An order as a program holds it: amounts are decimals, the date is an aware time, names are those of its source."""

import json
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path

AMOUNTS = {"total", "subtotal", "amount", "price"}


def convert(members):
    made = {}
    for name, value in members.items():
        if name in AMOUNTS:
            value = Decimal(value)
        elif name == "order_date":
            value = datetime.fromisoformat(value)
        elif isinstance(value, dict):
            value = convert(value)
        elif isinstance(value, list):
            value = [convert(element) for element in value]
        made[sys.intern(name)] = value
    return made


def order(path):
    return convert(json.loads(Path(path).read_text(encoding="utf-8")))


def plain_body(body):
    """A body as plain JSON, its times as one instant is reported."""
    members = json.loads(body)
    members["order_date"] = datetime.fromisoformat(members["order_date"]).isoformat(timespec="microseconds")
    return members
