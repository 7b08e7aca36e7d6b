"""Headers of a call: on every request of it, and refused before the first one."""

from __future__ import annotations

import asyncio

import privy
import pytest
from support import Reply, recording

HEADERS = {"X-Job": "7"}
TAKEN = "is set by the client"


@pytest.fixture
def recorder():
    with recording() as server:
        yield server


def jobs(recorder):
    return [request.header("X-Job") for request in recorder.requests]


def test_both_requests_of_an_upsert_have_the_headers():
    sandbox = privy.Sandbox()
    sandbox.client().contacts.create(email="jane@example.com")
    sandbox.client().contacts.upsert(email="jane@example.com", first_name="Jane", extra_headers=HEADERS)
    seen = [(request.method, request.headers.get("X-Job")) for request in sandbox.requests]
    assert seen == [("POST", None), ("POST", "7"), ("PATCH", "7")]


def test_retries_have_the_headers(recorder):
    replies = iter([Reply(status=503), Reply()])
    recorder.answer = lambda request: next(replies)
    with recorder.client(max_retries=1) as client:
        client.contacts.create(email="a@b.c", extra_headers=HEADERS)
    assert jobs(recorder) == ["7", "7"]


def test_each_page_of_a_list_has_the_headers():
    sandbox = privy.Sandbox()
    for number in range(3):
        sandbox.client().contacts.create(email=f"{number}@example.com")
    assert len(list(sandbox.client().contacts.list(per_page=1, extra_headers=HEADERS))) == 3
    pages = [request for request in sandbox.requests if request.method == "GET"]
    assert [page.headers.get("X-Job") for page in pages] == ["7"] * 3


def test_each_row_of_a_bulk_run_has_the_headers(recorder):
    rows = [{"email": f"{number}@example.com"} for number in range(3)]
    with recorder.client() as client:
        assert client.contacts.upsert_many(rows, extra_headers=HEADERS).run().ok
    assert jobs(recorder) == ["7"] * 3


def test_methods_of_the_asynchronous_client_have_the_headers(recorder):
    async def calls():
        async with privy.AsyncClient(privy.Sandbox.token, base_url=recorder.base_url) as client:
            await client.contacts.get("cus_1", extra_headers=HEADERS)
            await client.contacts.upsert_many([{"email": "a@b.c"}], extra_headers=HEADERS).run()

    asyncio.run(calls())
    assert jobs(recorder) == ["7", "7"]


@pytest.mark.parametrize("name", ["Authorization", "content-type", "Host", "Idempotency-Key"])
def test_a_bulk_run_refuses_headers_before_the_first_row(recorder, name):
    with recorder.client() as client, pytest.raises(privy.ValidationError) as caught:
        client.orders.upsert_many([{}], extra_headers={name: "x", "X-A": "a\nb"})
    assert [detail["field"] for detail in caught.value.details] == [f"extra_headers.{name}", "extra_headers.X-A"]
    assert caught.value.details[0]["message"] == TAKEN
    assert recorder.requests == []


def test_headers_that_are_no_mapping_raise_type_error(recorder):
    with recorder.client() as client:
        for call in (client.contacts.create, lambda **given: client.contacts.upsert_many([], **given)):
            with pytest.raises(TypeError, match="extra_headers must be a dict or None"):
                call(extra_headers=["X-Job"])


def test_a_refusal_of_headers_is_traced_without_their_values(recorder):
    events = []
    with recorder.client(on_event=events.append) as client, pytest.raises(privy.ValidationError):
        client.contacts.create(email="a@b.c", extra_headers={"X-Secret-Name": "secret\n"})
    assert [event.reason for event in events] == ["invalid: extra_headers"]
    assert "ecret" not in str(events)


def test_the_sandbox_keeps_no_secret_headers():
    sandbox = privy.Sandbox()
    headers = {"Cookie": "session=1", "X-Api-Key": "hidden", "X-Job": "7"}
    sandbox.client().contacts.create(email="jane@example.com", extra_headers=headers)
    kept = sandbox.requests[0].headers
    assert kept["X-Job"] == "7"
    assert "Cookie" not in kept
    assert "X-Api-Key" not in kept
