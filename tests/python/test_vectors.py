"""The shared cases: the public client against a recording HTTP server on a real socket."""

from __future__ import annotations

import json
import re
import warnings
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import privy
import pytest
from support import Reply, recording

FILES = sorted((Path(__file__).parents[1] / "vectors").glob("*.json"))
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in FILES
    for case in json.loads(path.read_text("utf-8"), parse_float=Decimal)
]
CONTACT_ID = "cus_0123456789abcdef"
ORDER = {"order_id": 1, "email": "a@b.c", "total": 1, "currency": "USD", "order_date": "2026-05-12T10:00:00Z"}
ENOUGH = {
    "contacts.list": {},
    "contacts.get": {"id": CONTACT_ID},
    "contacts.create": {"email": "a@b.c"},
    "contacts.update": {"id": CONTACT_ID, "first_name": "A"},
    "contacts.upsert": {"email": "a@b.c"},
    "contacts.unsubscribe": {"id": CONTACT_ID},
    "contacts.delete": {"id": CONTACT_ID},
    "orders.upsert": ORDER,
    "events.ingest": {"event_type": "seen", "email": "a@b.c"},
    "request": {"method": "GET", "path": "/account"},
}
POSITIONAL = {"id", "event_type", "method", "path"}
ON_EVERY_REQUEST = {"host", "user-agent", "authorization", "content-length", "accept-encoding"}


def test_there_are_enough_cases():
    assert len(CASES) >= 250


@pytest.fixture(scope="module")
def server():
    with recording() as recorder:
        yield recorder


@pytest.fixture(scope="module")
def client(server):
    with server.client() as made:
        yield made


def call(client, operation, params, extra=None, extra_headers=None):
    """Calls the method of an operation as a user would; required parameters left out are `omit`."""
    method = client
    for name in operation.split("."):
        method = getattr(method, name)
    given = {name: params.get(name, privy.omit) for name in ENOUGH[operation] if name in POSITIONAL} | params
    arguments = [given.pop(name) for name in list(given) if name in POSITIONAL]
    if operation != "request":
        given |= {"extra": extra, "extra_headers": extra_headers}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        result = method(*arguments, **given)
    return next(result.pages()) if operation == "contacts.list" else result


def success(request):
    if request.method == "HEAD":
        return Reply(raw=b"HTTP/1.1 200 OK\r\n\r\n", close=True)
    if request.target.startswith("/events"):
        return Reply(body='{"event_id": "evt_1", "status": "accepted"}')
    if request.target.partition("?")[0] == "/contacts" and request.method == "GET":
        return Reply(
            body='{"data": [], "pagination": {"page": 1, "per_page": 100, "total_count": 0, "total_pages": 0}}'
        )
    return Reply()


def check_request(server, client, case):
    server.answer = success
    call(client, case["operation"], case["params"], case.get("extra"), case.get("extra_headers"))
    (request,) = server.requests
    expected = case["request"]
    assert (request.method, request.target) == (expected["method"], expected["target"])
    assert request.body.decode() == expected["body"]
    sent = [(name, value) for name, value in request.headers if name.lower() not in ON_EVERY_REQUEST]
    if case["operation"] == "events.ingest" and "Idempotency-Key" not in expected["headers"]:
        (own,) = [(name, value) for name, value in sent if name == "Idempotency-Key"]
        assert re.fullmatch(r"[0-9a-f]{32}", own[1])
        sent.remove(own)
    assert sorted(sent) == sorted(expected["headers"].items())


def check_details(server, client, case):
    with pytest.raises(privy.ValidationError) as caught:
        call(client, case["operation"], case["params"], case.get("extra"), case.get("extra_headers"))
    assert caught.value.details == case["details"]
    assert caught.value.attempts == 0
    assert server.requests == []


def same(expected, actual):
    """Whether a value of a response is as in a case, where money and times are strings."""
    if isinstance(actual, datetime):
        text = actual.astimezone(timezone.utc).isoformat().removesuffix("+00:00")
        return expected == (text.rstrip("0") if "." in text else text) + "Z"
    if isinstance(actual, Decimal) and isinstance(expected, str):
        return expected == str(actual)
    if isinstance(actual, dict):
        return (
            isinstance(expected, dict)
            and list(expected) == list(actual)
            and all(map(same_item(expected), actual.items()))
        )
    if isinstance(actual, list):
        return isinstance(expected, list) and len(expected) == len(actual) and all(map(same, expected, actual))
    return type(expected) is type(actual) and expected == actual


def same_item(expected):
    return lambda item: same(expected[item[0]], item[1])


def assert_record(expected, record):
    if expected is None:
        assert record is None
        return
    actual = record.to_dict()
    assert sorted(actual) == sorted(expected)
    for name, value in expected.items():
        assert same(value, actual[name]), (name, value, actual[name])
        assert record[name] == (getattr(record, name) if name not in record.extra else record.extra[name])


def check_page(page, expected):
    for name, value in expected["pagination"].items():
        assert same(value, page.extra[name] if name in page.extra else getattr(page, name))
    assert len(page) == len(expected["records"])
    for record, wanted in zip(page, expected["records"], strict=True):
        assert_record(wanted, record)


def check_error(error, expected):
    for name, value in expected.items():
        if name == "class":
            assert type(error) is getattr(privy, value)
        else:
            assert getattr(error, name) == value, name


def check_response(server, client, case):
    response = case["response"]
    server.answer = lambda request: Reply(
        response["status"], {"Content-Type": "application/json"} | response.get("headers", {}), response["body"]
    )
    params = ENOUGH[case["operation"]]
    if "error" in case:
        with pytest.raises(privy.PrivyError) as caught:
            call(client, case["operation"], params)
        check_error(caught.value, case["error"])
    elif "page" in case:
        check_page(call(client, case["operation"], params), case["page"])
    else:
        assert_record(case["object"], call(client, case["operation"], params))
    assert len(server.requests) >= 1


@pytest.mark.parametrize("case", CASES)
def test_a_call_does_what_its_vector_says(server, client, case):
    server.requests.clear()
    if "request" in case:
        check_request(server, client, case)
    elif "details" in case:
        check_details(server, client, case)
    else:
        check_response(server, client, case)
