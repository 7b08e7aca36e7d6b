"""Gives the cases on standard input to the Python client, and prints what comes of each: one line of JSON a case."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import privy
from privy import _core

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
Case = dict[str, Any]


def given(value: Case) -> Any:
    """The value that a tag stands for."""
    ((tag, inner),) = value.items()
    made: dict[str, Any] = {
        "s": lambda: inner,
        "y": lambda: inner,
        "i": lambda: int(inner),
        "d": lambda: Decimal(inner),
        "f": lambda: float(inner),
        "b": lambda: inner,
        "n": lambda: None,
        "t": lambda: EPOCH + timedelta(microseconds=inner),
        "day": lambda: date.fromisoformat(inner),
        "l": lambda: [given(one) for one in inner],
        "o": lambda: {given(key): given(one) for key, one in inner},
    }
    return made[tag]()


def digits(value: Decimal) -> str:
    """The decimal as 0.digits times a power of ten."""
    _, numbers, exponent = value.as_tuple()
    text = "".join(map(str, numbers)).lstrip("0")
    assert isinstance(exponent, int)
    point = len(text) + exponent
    text = text.rstrip("0")
    return f"{'-' if value < 0 else ''}{text}e{point}" if text else "0"


def shown(value: Any) -> Any:
    """The value of an answer in a form that both languages have."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return {"i": str(value)}
    if isinstance(value, Decimal):
        return {"d": digits(value)}
    if isinstance(value, datetime):
        return {"t": (value - EPOCH) // timedelta(microseconds=1)}
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return {"o": sorted([key, shown(one)] for key, one in value.items())}
    if isinstance(value, tuple):
        return [shown(one) for one in value]
    return record(value)


def record(value: Any) -> Any:
    if isinstance(value, _core.Page):
        place = [shown(getattr(value, name)) for name in ("page", "per_page", "total_count", "total_pages")]
        return {"page": place, "records": [record(one) for one in value]}
    known = {name: shown(getattr(value, name)) for name in type(value).__match_args__ if name in value}
    return {"class": type(value).__name__, "known": known, "extra": shown(value.extra), "json": value.to_json()}


def failure(error: privy.PrivyError) -> Case:
    reported: Case = {"error": type(error).__name__, "message": str(error), "details": error.details}
    reported |= {name: getattr(error, name) for name in ("status", "code", "path", "request_id", "attempts", "body")}
    reported["headers"] = {name.lower(): value for name, value in (error.headers or {}).items()}
    reported["contact_id"] = getattr(error, "contact_id", None)
    return reported


def reply(response: privy.Response) -> Case:
    headers = {name.lower(): value for name, value in response.headers.items()}
    try:
        body = shown(response.json())
    except privy.APIStatusError as error:
        body = failure(error)
    return {"status": response.status, "headers": headers, "json": body, "request_id": response.request_id}


def answered(client: privy.Client, number: int, operation: str) -> Any:
    if operation == "raw":
        return reply(client.request("GET", f"/raw/{number}"))
    if operation == "contacts.get":
        return record(client.contacts.get(f"cus_{number}"))
    if operation == "contacts.list":
        return record(next(client.contacts.list(page=number).pages()))
    if operation == "events.ingest":
        return record(client.events.ingest(f"case_{number}", email="a@b.c"))
    day = datetime(2026, 5, 12, tzinfo=timezone.utc)
    order = client.orders.upsert(
        order_id=1, email="a@b.c", total=1, currency="USD", order_date=day, customer_id=f"case_{number}"
    )
    return record(order)


def called(client: privy.Client, case: Case) -> Any:
    fields = {given(key): given(value) for key, value in case["fields"]}
    extra = case["extra"] and given(case["extra"])
    faults = _core.validate(case["operation"], fields, extra)
    result = client._core.call(case["operation"], fields, extra, None, None, None, None, None)
    return {"faults": faults, "result": record(result)}


def asked(client: privy.Client, case: Case) -> Any:
    parts = {name: given(case[name]) for name in ("params", "headers")}
    if case["body"] is not None:
        parts["body"] = given(case["body"])
    return reply(client.request(given(case["method"]), given(case["path"]), **parts))


def masked(text: str) -> Any:
    """What the repr of a record shows of a text."""
    contact = privy.Contact.from_json(json.dumps({"first_name": text}))
    return ast.literal_eval(repr(contact).removeprefix("Contact(first_name=").removesuffix(")"))


def settled(case: Case) -> str:
    settings = {"token": "t", case["name"]: given(case["value"])}
    privy.Client(**settings).close()
    return "taken"


def outcome(client: privy.Client, number: int, case: Case) -> Any:
    try:
        if case["kind"] == "answer":
            return answered(client, number, case["operation"])
        if case["kind"] == "call":
            return called(client, case)
        if case["kind"] == "raw":
            return asked(client, case)
        if case["kind"] == "setting":
            return settled(case)
        return masked(case["text"])
    except privy.PrivyError as error:
        return failure(error)


def main() -> None:
    client = privy.Client("t", base_url=sys.argv[1], max_retries=0)
    for number, line in enumerate(sys.stdin):
        print(json.dumps(outcome(client, number, json.loads(line)), sort_keys=True), flush=True)


main()
