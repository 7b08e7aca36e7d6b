"""The example for FastAPI under a real uvicorn, over HTTP."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import httpx
import jsonschema
import privy
import pytest
from fastapi import Body, FastAPI
from fastapi.testclient import TestClient
from support import served

ROOT = Path(__file__).parents[2]
ORDER = {
    "order_id": 1001,
    "email": "jane@example.com",
    "total": "95.00",
    "currency": "USD",
    "order_date": "2026-05-12T12:00:00+02:00",
}


@contextmanager
def uvicorn(**variables):
    """The URL of the running example."""
    command = [sys.executable, "-m", "uvicorn", "fastapi_app:app", "--app-dir", "examples", "--port", "0"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PRIVY_")}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**kept, "PYTHONDONTWRITEBYTECODE": "1", **variables},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            for line in process.stderr:
                found = re.search(r"running on (http://\S+)", line)
                if found:
                    break
            else:
                raise AssertionError("uvicorn has ended")
            with httpx.Client(base_url=found[1], timeout=300) as http:
                yield http
        finally:
            process.terminate()
            rest = process.stderr.read()
        assert "Application shutdown complete" in rest
        assert "Traceback" not in rest, rest


@pytest.fixture(scope="module")
def sandbox():
    return privy.Sandbox()


@pytest.fixture(scope="module")
def http(sandbox):
    with served(sandbox) as server, uvicorn(PRIVY_API_TOKEN=sandbox.token, PRIVY_BASE_URL=server.base_url) as http:
        yield http


@pytest.fixture(autouse=True)
def empty(sandbox):
    sandbox.reset()
    sandbox.clear_faults()


def test_without_a_token_the_example_works_on_a_sandbox():
    with uvicorn() as http:
        assert http.post("/contacts", json={"email": "jane@example.com"}).status_code == 201
        assert http.get("/contacts").json()["pagination"]["total_count"] == 1


def test_in_the_process_of_a_test_the_example_uses_the_active_sandbox(sandbox, monkeypatch):
    """Its client is made by the lifespan, in the event loop of the test client's thread."""
    monkeypatch.syspath_prepend(ROOT / "examples")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PRIVY_API_TOKEN", "any-token")
    import fastapi_app

    with sandbox.activate(), TestClient(fastapi_app.app) as http:
        assert http.post("/contacts", json={"email": "jane@example.com"}).status_code == 201
        sandbox.assert_contact("jane@example.com")
        assert http.post("/contacts", json={"email": "jane@example.com"}).status_code == 409


def test_a_view_returns_a_record(http, sandbox):
    response = http.post("/contacts", json={"email": "jane@example.com", "tags": ["vip"]})
    assert response.status_code == 201
    (jane,) = sandbox.contacts.values()
    assert response.json() == jane.to_dict(json=True)
    assert http.get(f"/contacts/{jane.id}").json() == response.json()


def test_a_view_returns_a_page(http):
    for number in range(3):
        http.post("/contacts", json={"email": f"jane{number}@example.com"})
    body = http.get("/contacts", params={"page": 2, "per_page": 2}).json()
    assert body["pagination"] == {"page": 2, "per_page": 2, "total_count": 3, "total_pages": 2}
    assert [contact["email"] for contact in body["data"]] == ["jane2@example.com"]


def test_records_are_fields_of_a_response_model(http):
    first, second = http.post("/orders", json=ORDER), http.post("/orders", json={**ORDER, "total": "89.90"})
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["order"]["total_amount"] == "89.90"
    assert second.json()["order"]["placed_at"] == "2026-05-12T10:00:00Z"
    assert second.json()["contact"]["email"] == "jane@example.com"


def test_a_row_is_the_body_of_a_request(http):
    refused = http.post("/orders", json={"order_id": 1001, "total": "95.00", "currency": "USD", "emial": "a@b.co"})
    assert refused.status_code == 422
    assert {error["loc"][-1] for error in refused.json()["detail"]} == {"order_date", "emial"}
    invalid = http.post("/orders", json={**ORDER, "email": "nobody"})
    assert invalid.json()["detail"][0]["field"] == "email"
    items = [{"sku": "a", "quantity": 1, "price": 95, "colour": "red"}]
    assert http.post("/orders", json={**ORDER, "line_items": items}).status_code == 201


def test_a_record_is_the_body_of_a_request():
    app = FastAPI()

    @app.post("/echo")
    def echo(contact: Annotated[privy.Contact, Body()]) -> privy.Contact:
        return contact

    with TestClient(app) as http:
        sent = {"email": "jane@example.com", "created_at": "2026-01-01T00:00:00Z", "loyalty": {"points": 1.5}}
        assert http.post("/echo", json=sent).json() == sent
        refused = http.post("/echo", json={"email": 5})
        assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body", "email"])
        body = http.get("/openapi.json").json()["paths"]["/echo"]["post"]["requestBody"]["content"]
        assert body["application/json"]["schema"] == {"$ref": "#/components/schemas/Contact"}


def test_errors_become_responses(http, sandbox):
    refused = http.post("/contacts", json={"email": "nobody"})
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["field"] == "email"
    jane = http.post("/contacts", json={"email": "jane@example.com"}).json()
    again = http.post("/contacts", json={"email": "jane@example.com"})
    assert (again.status_code, again.json()["contact_id"]) == (409, jane["id"])
    assert http.get("/contacts/cus_0000000000000000").status_code == 404
    sandbox.fail(status=429, retry_after=40)
    busy = http.get("/contacts")
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "41")


def test_an_unreachable_api_is_a_bad_gateway(http, sandbox):
    sandbox.revoke_token(sandbox.token)
    try:
        assert http.get("/contacts").status_code == 502
    finally:
        sandbox.add_token(sandbox.token)


def test_open_api_describes_records_by_the_tables(http):
    api = http.get("/openapi.json").json()
    schemas = api["components"]["schemas"]
    assert {"Contact", "Order", "Page"} <= set(schemas)
    get = api["paths"]["/contacts/{id}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert get == {"$ref": "#/components/schemas/Contact"}
    assert schemas["Stored"]["properties"]["order"] == {"$ref": "#/components/schemas/Order"}
    assert schemas["Page"]["properties"]["data"]["items"] == {"$ref": "#/components/schemas/Contact"}
    assert schemas["Order"]["properties"]["total_amount"]["type"] == "string"
    assert schemas["OrderRow"]["required"] == ["order_id", "total", "currency", "order_date"]
    assert "compliance_suppressed" in schemas["Contact"]["properties"]["email_consent"]["anyOf"][0]["enum"]
    jane = http.post("/contacts", json={"email": "jane@example.com"}).json()
    jsonschema.Draft202012Validator({**schemas["Contact"], "components": api["components"]}).validate(jane)
