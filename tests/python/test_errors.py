"""Errors: each class, its attributes, and that none holds a secret."""

from __future__ import annotations

import copy
import json
import pickle
import socket
import traceback
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import privy
import pytest
from privy import _errors
from support import SCHEMA, TOKEN, Reply

CONTACT = "cus_0123456789abcdef"


def envelope(code, message="no", **more):
    return json.dumps({"error": {"code": code, "message": message, **more}})


def answered(recorder, reply, call=lambda client: client.contacts.get(CONTACT)):
    recorder.answer = lambda request: reply
    with pytest.raises(privy.PrivyError) as caught:
        call(recorder.client())
    return caught.value


def test_the_tree_is_the_tables(client):
    names = {row["name"] for row in SCHEMA["errors"]}
    assert names == set(_errors.__all__)
    for row in SCHEMA["errors"]:
        cls = getattr(privy, row["name"])
        parent = Exception if row["parent"] is None else getattr(privy, row["parent"])
        assert cls.__bases__ == (parent,)
        assert cls.__doc__


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, privy.ValidationError),
        (401, privy.AuthenticationError),
        (403, privy.PermissionDeniedError),
        (404, privy.NotFoundError),
        (409, privy.ConflictError),
        (413, privy.PayloadTooLargeError),
        (418, privy.APIStatusError),
        (422, privy.ValidationError),
        (429, privy.RateLimitError),
        (500, privy.ServerError),
        (503, privy.ServerError),
        (302, privy.APIStatusError),
    ],
)
def test_class_by_status(recorder, status, kind):
    body = envelope("some_code", "it went wrong", details=[{"field": "email", "message": "is odd"}])
    error = answered(recorder, Reply(status, {"X-Request-Id": "req-7", "X-More": "1"}, body))
    assert type(error) is kind
    assert error.status == status
    assert error.code == "some_code"
    assert "it went wrong" in error.message
    assert str(error) == error.message
    assert error.details == [{"field": "email", "message": "is odd", "code": "rejected"}]
    assert (error.method, error.path) == ("GET", f"/contacts/{CONTACT}")
    assert error.request_id == "req-7"
    assert error.attempts == 1
    assert error.headers["x-more"] == "1"
    assert error.body == body


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"error": {"code": "conflict", "message": "taken", "id": CONTACT}}),
        json.dumps({"error": {"code": "conflict", "message": "taken"}, "id": CONTACT}),
        json.dumps({"error": {"code": "conflict", "message": "taken"}, "data": {"id": CONTACT}}),
        json.dumps({"error": {"code": "conflict", "message": "taken", "details": {"id": CONTACT}}}),
    ],
)
def test_conflict_names_the_contact(recorder, body):
    error = answered(recorder, Reply(409, body=body), lambda client: client.contacts.create(email="a@b.c"))
    assert isinstance(error, privy.ConflictError)
    assert error.contact_id == CONTACT


def test_conflict_over_the_sandbox(client):
    jane = client.contacts.create(email="jane@example.com")
    with pytest.raises(privy.ConflictError) as caught:
        client.contacts.create(email="jane@example.com")
    assert caught.value.contact_id == jane.id
    assert caught.value.code == "conflict"


def test_a_rate_limit_error_says_when_to_retry(recorder):
    error = answered(recorder, Reply(429, {"Retry-After": "17"}, envelope("rate_limited")))
    assert isinstance(error, privy.RateLimitError)
    assert error.retry_after == 17
    assert error.resets_at is None or error.resets_at.tzinfo is timezone.utc


def test_rate_limit_of_the_sandbox(sandbox):
    sandbox.set_clock(1_800_000_000)
    sandbox.set_limits(per_minute=1)
    client = sandbox.client(max_retries=0, max_wait=0)
    client.contacts.create(email="a@b.c")
    with pytest.raises(privy.RateLimitError) as caught:
        client.contacts.create(email="b@b.c")
    assert caught.value.status in (429, None)
    if caught.value.resets_at is not None:
        assert isinstance(caught.value.resets_at, datetime)
        assert 1_800_000_000 <= caught.value.resets_at.timestamp() <= 1_800_000_060


def test_events_error_list(recorder):
    reply = Reply(400, body='{"errors": ["event_type is missing", {"field": "email", "message": "is odd"}]}')
    error = answered(recorder, reply, lambda client: client.events.ingest("seen", email="a@b.c"))
    assert isinstance(error, privy.ValidationError)
    assert error.details[0]["message"] == "event_type is missing"
    assert error.details[1] == {"field": "email", "message": "is odd", "code": "rejected"}
    assert error.status == 400


@pytest.mark.parametrize("status", [200, 201, 502, 404])
def test_html_of_a_proxy(recorder, status):
    error = answered(recorder, Reply(status, {"Content-Type": "text/html"}, "<html>" + "x" * 9000))
    assert isinstance(error, privy.APIStatusError)
    assert error.status == status
    assert error.body.startswith("<html>")
    assert len(error.body) == 2048
    assert error.headers["Content-Type"] == "text/html"


def test_an_empty_body(recorder):
    assert isinstance(answered(recorder, Reply(502, body="")), privy.ServerError)
    assert isinstance(answered(recorder, Reply(200, body="")), privy.APIStatusError)


def test_a_refused_connection_raises_a_connection_error():
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    with pytest.raises(privy.APIConnectionError) as caught:
        privy.Client(TOKEN, base_url=f"http://127.0.0.1:{port}/v1", max_retries=0).contacts.get(CONTACT)
    error = caught.value
    assert type(error) is privy.APIConnectionError
    assert (error.status, error.headers, error.body) == (None, None, None)
    assert (error.method, error.path) == ("GET", f"/contacts/{CONTACT}")


def test_a_response_after_the_timeout_raises_a_timeout_error(sandbox, client):
    sandbox.fail(delay=5, count=0)
    with pytest.raises(privy.APITimeoutError) as caught:
        client.contacts.create(email="a@b.c", timeout=0.2, max_retries=0)
    assert isinstance(caught.value, privy.APIConnectionError)


@pytest.mark.parametrize("fault", [{"drop": True}, {"truncate": True}])
def test_a_response_that_breaks_off_raises_a_connection_error(sandbox, client, fault):
    jane = client.contacts.create(email="a@b.c")
    sandbox.fail(**fault, count=0)
    with pytest.raises(privy.APIConnectionError):
        client.contacts.get(jane.id, max_retries=0)
    sandbox.clear_faults()
    assert client.contacts.get(jane.id) == jane


def test_a_setting_that_cannot_be_used():
    for settings in (
        {"base_url": "ftp://example.com"},
        {"base_url": "http://example.com/v1"},
        {"allow_plain_http": True, "token": "privy_" + "0" * 40, "base_url": "http://example.com/v1"},
        {"allow_plain_http": False, "base_url": "http://example.com/v1"},
        {"timeout": -1},
        {"timeout": 0},
        {"timeout": float("nan")},
        {"connect_timeout": float("inf")},
        {"max_wait": -0.5},
        {"max_retries": -3},
        {"max_retries": 10**30},
        {"reserve": -1},
        {"proxy": "example.com:3128"},
        {"proxy": "ftp://example.com"},
        {"reserve": -(10**30)},
    ):
        with pytest.raises(privy.PrivyError) as caught:
            privy.Client(**{"token": TOKEN, **settings})
        assert type(caught.value) is privy.PrivyError
        assert list(settings)[-1] in caught.value.message


SETTINGS_LOOKED_AT = [
    ({"ca_bundle": "/no/such/bundle.pem"}, "ca_bundle does not exist"),
    ({"ca_bundle": Path(__file__).parent}, "ca_bundle is not a file"),
    ({"ca_bundle": Path(__file__)}, "ca_bundle holds no certificate in PEM form"),
    ({"base_url": "https://api.example:99999"}, "base_url cannot be used: "),
    ({"token_url": "https://[::zz]"}, "token_url cannot be used: "),
    ({"token": "t" * 5000}, "token must be at most 4096 bytes"),
    ({"token": "a\0b"}, "token must not hold a NUL character"),
    ({"proxy": "http://p\0q"}, "proxy must not hold a NUL character"),
]


@pytest.mark.parametrize(("settings", "message"), SETTINGS_LOOKED_AT, ids=repr)
@pytest.mark.parametrize("kind", [privy.Client, privy.AsyncClient])
def test_files_and_urls_are_looked_at_when_the_client_is_made(kind, settings, message):
    with pytest.raises(privy.PrivyError) as caught:
        kind(**{"token": TOKEN, **settings})
    assert type(caught.value) is privy.PrivyError
    assert caught.value.message.startswith(message)


def test_a_bundle_of_the_environment_is_looked_at_where_it_is_used(monkeypatch, recorder, sandbox):
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/bundle.pem")
    with pytest.raises(privy.PrivyError, match=r"ca_bundle \(from SSL_CERT_FILE\) does not exist"):
        privy.Client(TOKEN)
    assert recorder.client().contacts.get("cus_0123456789abcdef") is not None
    assert sandbox.client().contacts.create(email="a@b.c").email == "a@b.c"


def test_a_client_without_credentials_raises():
    with pytest.raises(privy.PrivyError, match="token"):
        privy.Client()


TEXTS = {"token": 5, "client_id": b"x", "client_secret": True, "base_url": 5, "token_url": [], "proxy": 5}
PATHS = {"ca_bundle": 5, "scopes": 5}
NUMBERS = {
    "timeout": ("number of seconds: more than 0, at most 1,000,000", (0, -1, "0", "5 s", True, [], b"5", float("nan"))),
    "connect_timeout": ("number of seconds: more than 0, at most 1,000,000", (0, "x", False, float("inf"))),
    "max_wait": ("number of seconds from 0 to 1,000,000", (-1, -0.5, "-1", True, 2e6, "soon")),
    "max_retries": ("whole number from 0 to 100", (-1, 1.5, "1.5", True, 101, 10**400)),
    "max_response": ("whole number of bytes, 1 or more", (0, -1, "1 MB", True)),
    "reserve": ("whole number of requests a minute, 0 or more", (-1, "few", False)),
}


@pytest.mark.parametrize(("name", "value"), [*TEXTS.items(), *PATHS.items(), ("proxy", "\ud800")])
def test_settings_that_are_not_text(name, value):
    with pytest.raises(privy.PrivyError) as caught:
        privy.Client(**{"token": TOKEN, name: value})
    assert str(caught.value) == f"{name} must be text"


def test_settings_that_are_neither_true_nor_false():
    with pytest.raises(privy.PrivyError) as caught:
        privy.Client(TOKEN, allow_plain_http=1)
    assert str(caught.value) == "allow_plain_http must be true or false"


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in NUMBERS for value in NUMBERS[name][1]])
def test_numbers_that_cannot_be(name, value):
    with pytest.raises(privy.PrivyError) as caught:
        privy.Client(TOKEN, **{name: value})
    assert str(caught.value) == f"{name} must be a {NUMBERS[name][0]}"
    if name in ("max_response", "reserve"):
        return
    with pytest.raises(privy.PrivyError) as caught:
        privy.Client(TOKEN).contacts.delete(CONTACT, **{name: value})
    assert str(caught.value) == f"{name} must be a {NUMBERS[name][0]}"


def test_numbers_may_be_text(sandbox):
    client = sandbox.client(
        timeout="5", connect_timeout=" 2.5 ", max_wait="0", max_retries="1", max_response="1000000", reserve="2"
    )
    assert client.contacts.create(email="a@b.c", timeout="0.5", max_retries="0").email == "a@b.c"
    sandbox.fail(status=503, count=2)
    with pytest.raises(privy.ServerError) as caught:
        client.with_options(max_wait="60").contacts.get(CONTACT)
    assert caught.value.attempts == 2


def test_wrong_types_are_type_errors():
    with pytest.raises(TypeError):
        privy.Client(TOKEN, sandbox=5)


def all_errors():
    common = {
        "details": [{"field": "email", "message": "is odd"}],
        "status": 499,
        "code": "odd",
        "method": "GET",
        "path": "/contacts",
        "request_id": "r",
        "attempts": 2,
        "waited": 1.5,
        "idempotency_key": "k",
        "headers": privy.Headers([("X-A", "1")]),
        "body": "{}",
    }
    for name in _errors.__all__:
        error = getattr(privy, name)("it is odd", **common)
        if name == "ConflictError":
            error.contact_id = CONTACT
        if name == "RateLimitError":
            error.retry_after, error.resets_at = 3.0, datetime(2026, 5, 12, tzinfo=timezone.utc)
        yield error


class ShopError(privy.NotFoundError):
    """A subclass of an application: made from other arguments, with attributes of its own."""

    __slots__ = ("shelf", "unset")

    def __init__(self, shop, shelf):
        super().__init__(f"no {shop}", status=404)
        self.shop = shop
        self.shelf = shelf


class BareError(privy.RateLimitError):
    """One that fills nothing."""

    def __init__(self):
        pass


COPIES = {
    **{f"pickle {protocol}": partial(pickle.dumps, protocol=protocol) for protocol in range(6)},
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def copied(error, way):
    made = COPIES[way](error)
    return pickle.loads(made) if isinstance(made, bytes) else made


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("error", list(all_errors()), ids=lambda error: type(error).__name__)
def test_copies_hold_every_attribute(error, way):
    error.__notes__ = ["said later"]
    error.ticket = 17
    again = copied(error, way)
    assert again is not error
    assert type(again) is type(error)
    assert again.args == error.args
    assert vars(again) == vars(error)
    assert again.__notes__ == ["said later"]
    assert str(again) == "it is odd"


@pytest.mark.parametrize("way", COPIES)
def test_copies_of_an_application_s_own_errors(way):
    again = copied(ShopError("here", ("top", 3)), way)
    assert (again.shop, again.shelf, again.status, str(again)) == ("here", ("top", 3), 404, "no here")
    assert not hasattr(again, "unset")
    bare = BareError()
    bare.unsent = [(1, {"email": "a@b.c"})]
    assert copied(bare, way).unsent == bare.unsent


def test_a_deep_copy_shares_nothing():
    error = privy.ValidationError("no", details=[{"field": "email", "message": "is odd"}])
    again = copy.deepcopy(error)
    again.details[0]["message"] = "is even"
    assert error.details == [{"field": "email", "message": "is odd"}]


def test_pickle_of_one_that_was_raised(recorder):
    error = answered(recorder, Reply(429, {"Retry-After": "17"}, envelope("rate_limited")))
    again = pickle.loads(pickle.dumps(error))
    assert vars(again) == vars(error)


def test_an_error_has_the_idempotency_key(recorder):
    reply = Reply(500, body="")
    error = answered(recorder, reply, lambda c: c.events.ingest("seen", email="a@b.c", idempotency_key="k-1"))
    assert error.idempotency_key == "k-1"


def test_no_secret_ever(recorder):
    headers = {"Set-Cookie": "session=very-secret", "Proxy-Authorization": "Basic very-secret"}
    error = answered(recorder, Reply(401, headers, envelope("unauthorized")))
    texts = [repr(error), str(error), repr(vars(error)), "".join(traceback.format_exception(error))]
    texts.append(repr(dict(error.headers)))
    texts.append(pickle.dumps(error).decode("latin-1"))
    client = recorder.client()
    texts += [repr(client), str(client), repr(client.with_options(timeout=3)), repr(vars(type(client)))]
    for text in texts:
        assert TOKEN not in text
        assert "very-secret" not in text


def test_headers_are_a_mapping():
    headers = privy.Headers([("X-A", "1"), ("Content-Type", "text/html")])
    assert headers["X-a"] == "1"
    assert "CONTENT-TYPE" in headers
    assert 5 not in headers
    assert dict(headers) == {"X-A": "1", "Content-Type": "text/html"}
    assert len(headers) == 2
    assert headers.get("nothing") is None
    assert headers == privy.Headers([("x-A", "1"), ("content-type", "text/html")])
    assert hash(headers) == hash(privy.Headers([("x-A", "1"), ("content-type", "text/html")]))
    assert pickle.loads(pickle.dumps(headers)) == headers
    with pytest.raises(KeyError):
        headers["nothing"]
