"""Cases that both languages are given: requests, answers, raw requests, settings and texts, fixed ones and random ones.

A case is a dict that JSON can hold. Values that a program gives are tagged, because each language makes its own of
them: ``{"s": text}``, ``{"y": text}`` (a Symbol in Ruby), ``{"i": digits}``, ``{"d": digits}`` (a decimal),
``{"f": digits}``, ``{"b": true}``, ``{"n": 0}`` (None, nil), ``{"t": microseconds}`` (an instant), ``{"day": text}`` (a
date), ``{"l": [...]}``, ``{"o": [[key, value], ...]}``.
"""

from __future__ import annotations

import json
from base64 import b64encode
from random import Random
from typing import Any

Case = dict[str, Any]

OPERATIONS = {
    "contacts.list": ["email", "phone_number", "email_consent", "sms_consent", "page", "per_page"],
    "contacts.get": ["id"],
    "contacts.create": [
        "email",
        "phone_number",
        "first_name",
        "last_name",
        "email_consent",
        "sms_consent",
        "tags",
        "custom_fields",
        "send_welcome_sms",
    ],
    "contacts.update": ["id", "email", "phone_number", "first_name", "sms_consent", "tags", "custom_fields"],
    "contacts.upsert": ["email", "phone_number", "last_name", "email_consent", "sms_consent", "tags"],
    "contacts.delete": ["id"],
    "contacts.unsubscribe": ["id", "reason"],
    "orders.upsert": [
        "order_id",
        "email",
        "phone",
        "total",
        "currency",
        "order_date",
        "customer_id",
        "subtotal",
        "discounts",
        "tax_lines",
        "total_items",
        "financial_status",
        "line_items",
        "billing_address",
        "accepts_sms_marketing",
        "initial_sync",
        "integration_token",
    ],
    "events.ingest": ["event_type", "email", "phone", "privy_id", "event_time", "event_data", "idempotency_key"],
}
ANSWER_FIELDS = {
    "contacts.get": [
        "id",
        "email",
        "phone_number",
        "first_name",
        "email_consent",
        "email_permission",
        "sms_consent",
        "phone_permission",
        "contact_phone_permission",
        "tags",
        "custom_fields",
        "created_at",
        "updated_at",
    ],
    "orders.upsert": [
        "order_id",
        "email",
        "customer_id",
        "total_items",
        "accepts_email_marketing",
        "total_amount",
        "currency_code",
        "placed_at",
        "created_at",
        "created",
    ],
    "events.ingest": ["event_id", "status", "idempotent_replay"],
    "contacts.list": ["id", "email", "email_consent", "tags", "created_at"],
}


def text(value: str) -> Case:
    return {"s": value}


def whole(value: int) -> Case:
    return {"i": str(value)}


def tagged(value: object) -> Case:
    """A plain value as a tagged one."""
    if value is None:
        return {"n": 0}
    if isinstance(value, bool):
        return {"b": value}
    if isinstance(value, int):
        return whole(value)
    if isinstance(value, float):
        return {"f": repr(value)}
    if isinstance(value, list):
        return {"l": [tagged(one) for one in value]}
    if isinstance(value, dict):
        return {"o": [[tagged(key), tagged(one)] for key, one in value.items()]}
    return text(str(value))


def call(operation: str, extra: object = None, **fields: object) -> Case:
    members = [[text(name), tagged(value)] for name, value in fields.items()]
    return {"kind": "call", "operation": operation, "fields": members, "extra": extra and tagged(extra)}


def answer(operation: str, status: int, body: str | bytes, *headers: tuple[str, str]) -> Case:
    content = body.encode() if isinstance(body, str) else body
    return {
        "kind": "answer",
        "operation": operation,
        "status": status,
        "headers": headers,
        "body": b64encode(content).decode(),
    }


# ---- fixed cases: what hard use found ----

ORDER: dict[str, object] = {"order_id": 1, "email": "a@b.c", "total": "95.00", "currency": "USD"}
ORDER["order_date"] = "2026-05-12T10:00:00Z"
ODD_ADDRESSES = ["a@b.c\u00a0", "\u200ba@b.c", "\ufeffa@b.c", "a@b.c\u2028", "a\u3000@b.c", "\u202ea@b.c", "<a@b.c>"]
ODD_ADDRESSES += ["mailto:a@b.c", "a@b.c,", "'a@b.c'", "a b@c.d", "a@b@c", "jane+vip@example.com", "甲斐@黒川.example"]
ODD_NAMES = [
    "\ufefforder_id",
    " order_id",
    "order_id\n",
    "order_id\x1b[2J",
    "orderId",
    "emial",
    "",
    "\u200b",
    "Total Items",
]
IDS = ["cus_", "cus_1", "cus_" + "x" * 64, "cus_" + "x" * 65, "cus_a-b_c", "cus_é", "cus_a/b", "cus_a\u200b"]
INTEGERS = [0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64 + 1, -(2**63), -(2**70), 10**40]
SETTINGS: list[tuple[str, object]] = [
    *(
        (name, value)
        for name in ("timeout", "connect_timeout", "max_wait")
        for value in (-1, 0, 1, "5", "x", 1e7, True)
    ),
    *(("timeout", value) for value in (" 0.5 ", "", "5s", "1e3", "+1", ".5", "5.", [], {"a": 1}, False, 1e-9)),
    *(("max_retries", value) for value in (-1, 0, 1.5, "1", "1.0", "1.5", 100, 101, 2**70, True)),
    *((name, value) for name in ("max_response", "reserve") for value in (-1, 0, "7", "x", 1.5, 2**70, True)),
    *(
        (name, value)
        for name in ("token", "client_id", "base_url", "proxy", "ca_bundle")
        for value in (5, True, "a\0b")
    ),
    *(
        ("base_url", value)
        for value in ("ftp://a.b", "http://example.com", "https://", "https://a.b?x", "https://a\nb")
    ),
    *(("proxy", value) for value in ("host:1", "http://", "http://user:secret@", "ftp://a")),
    *(("token", value) for value in ("two words", "", "é", "t" * 5000)),
    *(("allow_plain_http", value) for value in (1, "yes")),
    *(("scopes", value) for value in (5, True, ["a", "b"], "a b", "a\0b")),
    ("ca_bundle", "/no/such/file"),
]
RAW: list[tuple[object, ...]] = [
    ("GET", "/a\0b", {}, {}),
    ("GET\0", "/a", {}, {}),
    ("get", "a", {}, {}),
    ("GRAB\n", "/../a", {}, {}),
    ("GET", "/a/%2e%2e/b", {}, {}),
    ("GET", "/a/..%2fb", {}, {}),
    ("GET", "/a b", {}, {}),
    ("GET", "/é", {}, {}),
    ("GET", "/echo?x=1", {"a b": "c&d", "é": "ü", "n": 5, "t": True}, {}),
    ("GET", "/echo", {"a": None, "b": [1], "": ""}, {}),
    ("GET", "/echo", {}, {"X-A": "1", "x-b": "two words"}),
    ("GET", "/echo", {}, {"Authorization": "x", "X A": "1", "X-C": "a\r\nb", "X-D": "a\0", "X\n": "1", "X-É": "1"}),
    ("GET", "/echo", {}, {"X-A": 5, "X-B": None}),
]
HEADERS = [
    ("X-A", "1"),
    ("x-a", "2"),
    ("Set-Cookie", "s=secret"),
    ("X-Request-Id", "r\t1"),
    ("Cookie", "secret"),
    ("X-Empty", ""),
    ("Authorization", "Bearer secret"),
]
BODIES: list[str | bytes] = [
    "",
    "null",
    "[]",
    '"text"',
    "5.0",
    "{",
    "<html>",
    "é" * 3000,
    b"\xff\xfe",
    b"x" * 2047 + "€".encode(),
    '{"error":{"code":"a\\nb","message":"gone\\r\\n\\u001b[2J jane@example.com +14155550171"}}',
    '{"error":{"message":"no","details":[{"field":"a\\nb","message":"c\\u202e"},{"message":5},"x",[1]]}}',
    '{"error":{"details":{"email":["is bad","is worse"],"\\u200b":"odd"}}}',
    '{"errors":["one",{"field":"","message":"two"}]}',
    '["one","two"]',
    '{"error":"invalid_client","error_description":"no\\u0000pe"}',
    '{"id":"cus_1"}',
    '{"error":{"id":"cus_a\\nb"}}',
    '{"data":{"id":"cus_2"}}',
    '{"data":null}',
    '{"data":[]}',
    '{"data":{}}',
]


def fixed() -> list[Case]:
    cases = [call("contacts.create", email=address) for address in ODD_ADDRESSES]
    cases += [call("contacts.create", phone_number="+1415555017" + end) for end in ("1", "\u00a0", "1\n", "", "12345")]
    cases += [call("orders.upsert", **{**ORDER, name: 1}) for name in ODD_NAMES]
    cases += [call("contacts.upsert", **{name: "a@b.c"}) for name in ODD_NAMES]
    cases += [call(operation, id=one) for one in IDS for operation in ("contacts.get", "contacts.delete")]
    cases += [call("events.ingest", event_type="x", privy_id=one) for one in IDS]
    for number in INTEGERS:
        cases += [call("orders.upsert", **{**ORDER, name: number}) for name in ("total_items", "order_id", "total")]
        cases += [call("contacts.list", page=number, per_page=1), call("contacts.list", per_page=number)]
        cases += [call("contacts.create", email="a@b", custom_fields={"n": number})]
    cases += [call("orders.upsert", **{**ORDER, "order_id": one}) for one in ("0", "000", "01", "-1", "1.0", "", "1 ")]
    cases += [call("contacts.create", email="a@b", custom_fields=one) for one in ({"a\n": []}, {"": {}}, {"é": None})]
    odd_key: Case = {"o": [[whole(5), whole(1)], [{"n": 0}, whole(2)], [{"f": "1.5"}, whole(3)]]}
    for name in ("event_data", "extra"):
        one = call("events.ingest", event_type="x", email="a@b")
        cases += [
            {**one, "extra": odd_key} if name == "extra" else {**one, "fields": [*one["fields"], [text(name), odd_key]]}
        ]
    cases += [{"kind": "call", "operation": "contacts.create", "fields": odd_key["o"], "extra": None}]
    for name, moment in (("order_date", {"day": "2026-05-12"}), ("order_date", {"t": 1_778_580_000_123_456})):
        fields = [[text(key), tagged(value)] for key, value in ORDER.items() if key != name] + [[text(name), moment]]
        cases += [{"kind": "call", "operation": "orders.upsert", "fields": fields, "extra": None}]
        data: Case = {"o": [[text("at"), moment], [text("in"), {"l": [moment]}]]}
        fields = [[text("event_type"), text("x")], [text("email"), text("a@b")], [text("event_data"), data]]
        cases += [
            {"kind": "call", "operation": "events.ingest", "fields": fields, "extra": {"o": [[text("x"), moment]]}}
        ]
    cases += [{"kind": "setting", "name": name, "value": tagged(value)} for name, value in SETTINGS]
    for method, path, params, headers in RAW:
        asked = {
            "method": text(str(method)),
            "path": text(str(path)),
            "params": tagged(params),
            "headers": tagged(headers),
        }
        cases += [{"kind": "raw", **asked, "body": None}]
    for body in BODIES:
        for status in (200, 204, 400, 404, 409, 422, 429, 500, 302):
            cases += [answer(operation, status, body, *HEADERS) for operation in ("contacts.get", "raw")]
        cases += [answer(operation, 200, body) for operation in ANSWER_FIELDS]
    numbers = [
        "5.0",
        "5e0",
        "1E3",
        "-0",
        "-0.0",
        "5.5",
        "1e400",
        "1e-7",
        "1e999999",
        "1e1000000",
        "123456789012345678901",
    ]
    for number in [*numbers, '"95.00"', '"9\\u0035.00"', '"1e5"', '" 5"', '"x"']:
        fields_text = ",".join(f'"{name}":{number}' for name in ANSWER_FIELDS["orders.upsert"])
        cases += [answer("orders.upsert", 201, f'{{"data":{{{fields_text},"x":{number}}}}}')]
    times = ["2026-05-12T10:00:00Z", "2026-05-12T12:00:00\\u002b02:00", "2026-05-12T10:00:00.1234567Z"]
    times += [
        "2016-12-31T23:59:60Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59.999Z",
        "2026-02-30T00:00:00Z",
        "\\u0000",
    ]
    cases += [
        answer("orders.upsert", 200, f'{{"data":{{"placed_at":"{one}","created_at":["{one}"]}}}}') for one in times
    ]
    return cases


# ---- random cases ----

TEXTS = [
    "",
    "a",
    "Jane",
    "é",
    "甲",
    "\U0001f600",
    "\ufeff",
    "\u200b",
    "\n",
    "\x1b[0m",
    "\0",
    "\\",
    '"',
    " ",
    "jane@x.io",
]
TEXTS += ["+14155550171", "415-555-0171", "2026-05-12T10:00:00Z", "2026-05-12T10:00:00", "USD", "subscribed", "pending"]
TEXTS += ["cus_1", "0", "12", "95.00", "-1", "true", "subscribd", "non_subscribed", "single_opt_in", "x" * 300]


class Maker:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def some_text(self) -> str:
        return "".join(self.random.choice(TEXTS) for _ in range(self.random.choice((1, 1, 1, 2, 3))))

    def number(self) -> Case:
        """One that both languages write in the same way: of 1e300 and 95.00 each has its own text."""
        roll = self.random.random()
        if roll < 0.4:
            return whole(self.random.choice([0, 1, 5, -3, 101, self.random.choice(INTEGERS)]))
        if roll < 0.7:
            return {"d": self.random.choice(["95.5", "0.1", "-0.5", "123456789.123456789"])}
        return {"f": repr(self.random.choice([0.5, -2.25, 3.0, 123456.75, self.random.random()]))}

    def value(self, depth: int = 0) -> Case:
        roll = self.random.random()
        if roll < 0.4:
            return text(self.some_text())
        if roll < 0.5:
            return {"y": self.random.choice(["subscribed", "unsubscribed", "never_subscribed", "x"])}
        if roll < 0.65:
            return self.number()
        if roll < 0.72:
            return {"b": self.random.random() < 0.5}
        if roll < 0.78:
            return {"n": 0}
        if roll < 0.84:
            return {"t": self.random.randrange(-(10**14), 4 * 10**14) * 10 + 1}
        if roll < 0.86:
            return {"day": "2026-05-12"}
        if depth > 3 or roll < 0.93:
            return {"l": [self.value(depth + 1) for _ in range(self.random.randrange(4))] if depth <= 3 else []}
        return {"o": self.members(self.random.randrange(4), depth + 1)}

    def members(self, count: int, depth: int) -> list[list[Case]]:
        names = self.random.sample([*TEXTS, "sku", "price", "quantity", "code", "city"], count)
        return [[text(name), self.value(depth)] for name in names]

    def deep(self) -> Case:
        inner = self.value(4)
        for _ in range(self.random.randrange(14)):
            inner = {"l": [inner]} if self.random.random() < 0.5 else {"o": [[text("k"), inner]]}
        return inner

    def field(self, name: str) -> Case:
        if name in ("custom_fields", "event_data", "billing_address") and self.random.random() < 0.7:
            return {"o": self.members(self.random.randrange(4), 1) + [[text("deep"), self.deep()]]}
        if name in ("tags", "line_items", "discounts", "tax_lines") and self.random.random() < 0.7:
            return {"l": [self.value(1) for _ in range(self.random.randrange(4))]}
        return self.value()

    def call(self) -> Case:
        operation = self.random.choice(list(OPERATIONS))
        names = [name for name in OPERATIONS[operation] if self.random.random() < 0.5]
        if self.random.random() < 0.3:
            names.append(self.odd_name(operation))
        self.random.shuffle(names)
        good = {"email": "a@b.c", "id": "cus_1", **{name: value for name, value in ORDER.items() if name != "email"}}
        fields = [
            [text(name), tagged(good[name]) if name in good and self.random.random() < 0.7 else self.field(name)]
            for name in dict.fromkeys(names)
        ]
        extra = {"o": self.members(self.random.randrange(1, 3), 1)} if self.random.random() < 0.2 else None
        return {"kind": "call", "operation": operation, "fields": fields, "extra": extra}

    def odd_name(self, operation: str) -> str:
        """A name of the operation with a letter changed, or one of another kind."""
        name = self.random.choice(OPERATIONS[operation])
        at = self.random.randrange(len(name))
        letter = self.random.choice(["", "x", "_", "E", " ", "\u200b", "é", "\n"])
        return self.random.choice([name[:at] + letter + name[at + 1 :], name.upper(), name + letter, self.some_text()])

    # Responses are written by hand, with numbers and escapes in every form of JSON.

    def json_text(self, value: str) -> str:
        parts = []
        for letter in value:
            roll = self.random.random()
            if roll < 0.15 and ord(letter) < 0x10000:
                parts.append(f"\\u{ord(letter):04{self.random.choice('xX')}}")
            elif ord(letter) < 0x20 or letter in '"\\':
                parts.append(json.dumps(letter)[1:-1])
            else:
                parts.append(letter)
        if self.random.random() < 0.02:
            parts.append(self.random.choice(["\\ud800", "\\udc00\\ud800", "\\ud83d\\ude00", "\\/", "\\b"]))
        return '"' + "".join(parts) + '"'

    def json_value(self, depth: int = 0) -> str:
        roll = self.random.random()
        if roll < 0.45:
            return self.json_text(self.some_text())
        if roll < 0.65:
            return self.random.choice(
                ["0", "-1", "5.0", "1e3", "0.10", "-0.0", "12345678901234567890", "1e20", "1.5E-3"]
            )
        if roll < 0.8:
            return self.random.choice(["true", "false", "null"])
        count = self.random.randrange(4) if depth < 4 else 0
        if roll < 0.9:
            return "[" + ",".join(self.json_value(depth + 1) for _ in range(count)) + "]"
        return self.json_object([self.some_text() for _ in range(count)], depth + 1)

    def json_object(self, names: list[str], depth: int = 0) -> str:
        space = self.random.choice(["", "", " ", "\n\t"])
        members = (f"{self.json_text(name)}{space}:{self.json_value(depth)}" for name in names)
        return "{" + space + f",{space}".join(members) + "}"

    def record(self, operation: str) -> str:
        names = [name for name in ANSWER_FIELDS[operation] if self.random.random() < 0.6]
        names += [self.random.choice([*ANSWER_FIELDS[operation], self.some_text()]) for _ in range(2)]
        self.random.shuffle(names)
        return self.json_object(names)

    def answer(self) -> Case:
        operation = self.random.choice(list(ANSWER_FIELDS))
        body = self.record(operation)
        if operation == "contacts.list":
            place = self.json_object(["page", "per_page", "total_count", "total_pages"])
            body = f'{{"data":[{",".join([body] * self.random.randrange(3))}],"pagination":{place}}}'
        elif operation != "events.ingest":
            body = f'{{"data":{body}}}'
        content = body.encode("utf-8", "surrogatepass")
        if self.random.random() < 0.2:
            at = self.random.randrange(len(content))
            content = content[:at] + bytes([self.random.randrange(256)]) + content[at + self.random.randrange(2) :]
        return answer(operation, self.random.choice((200, 201)), content)

    def failure(self) -> Case:
        error = self.json_object(["code", "message", "details", "id"])
        body = self.random.choice([f'{{"error":{error}}}', error, self.json_value(), self.json_object(["errors"])])
        status = self.random.choice((400, 401, 403, 404, 405, 409, 413, 418, 422, 429, 500, 503))
        headers = [(name, self.random.choice(["1", "a b", "\t", "2"])) for name, _ in self.random.sample(HEADERS, 3)]
        return answer("contacts.get", status, body.encode("utf-8", "surrogatepass"), *headers)

    def raw(self) -> Case:
        path = "/echo" + self.random.choice(["", "?a=1", "/" + self.some_text(), "/%2e%2e"])
        members = self.random.randrange(3)
        return {
            "kind": "raw",
            "method": text(self.random.choice(["GET", "POST", "PUT", "DELETE", "get", self.some_text()])),
            "path": text(path),
            "params": {"o": self.members(members, 4)},
            "headers": {"o": [[text(f"X-{number}"), self.value(4)] for number in range(members)]},
            "body": self.value() if self.random.random() < 0.5 else None,
        }

    def mask(self) -> Case:
        words = [*TEXTS, "<", ">", ",", "tel:", "@", ".", "-", "(415) ", "555", "0171", "a", "_", "mailto:", "%40", "="]
        return {"kind": "mask", "text": "".join(self.random.choice(words) for _ in range(self.random.randrange(1, 8)))}


def random(seed: int, count: int) -> list[Case]:
    maker = Maker(seed)
    kinds = [maker.call] * 4 + [maker.answer] * 3 + [maker.failure] * 2 + [maker.raw, maker.mask]
    return [maker.random.choice(kinds)() for _ in range(count)]
