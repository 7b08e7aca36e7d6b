"""Maximum lengths: a longer request is invalid and is not sent; the error names its part."""

from __future__ import annotations

import privy
import pytest

BODY = 64 * 2**20
HEAD = 32 * 2**10
TOO_LONG = f"is too long: a body is at most {BODY} bytes"


def faults(ask) -> list[tuple[str, str]]:
    with pytest.raises(privy.ValidationError) as caught:
        ask()
    return [(detail["field"], detail["message"]) for detail in caught.value.details]


def test_values_that_no_body_holds(sandbox):
    client, text = sandbox.client(), "x" * (BODY + 1)
    assert faults(lambda: client.contacts.create(email="a@b.c", first_name=text)) == [("first_name", TOO_LONG)]
    assert faults(lambda: client.request("POST", "/x", body={"a": [text]})) == [("body.a[0]", TOO_LONG)]
    assert sandbox.counts.requests == 0


def test_bodies_that_grow_too_large(sandbox):
    client, fields = sandbox.client(), {str(number): "x" * 2**20 for number in range(65)}
    ((field, message),) = faults(lambda: client.contacts.create(email="a@b.c", custom_fields=fields))
    assert field == "base"
    assert message.startswith("the body is 6")
    assert message.endswith(f" bytes; at most {BODY} are accepted")


def test_names_that_are_too_long(sandbox):
    ((field, message),) = faults(lambda: sandbox.client().request("POST", "/x", body={"x" * 100_000: 1}))
    assert (field, message) == ("body." + "x" * 32, "has a name that is too long")


def test_heads_that_are_too_large(sandbox):
    client = sandbox.client()
    for more in ({"params": {"q": "x" * HEAD}}, {"headers": {"X-H": "x" * HEAD}}):
        ((field, message),) = faults(lambda more=more: client.request("GET", "/x", **more))
        assert field == "base"
        assert message.endswith(f" bytes; at most {HEAD} are accepted")
    with pytest.raises(privy.NotFoundError):
        client.request("GET", "/x", params={"q": "x" * (HEAD - 100)})
