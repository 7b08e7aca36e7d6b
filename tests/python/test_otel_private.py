"""No span, event or metric holds what a user has passed: random addresses, numbers, ids, keys and queries."""

from __future__ import annotations

import asyncio
import contextlib
import json
import warnings

import privy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from otel import sdk
from support import TOKEN, Reply, recording

TEXT = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=6, max_size=12).map(lambda text: f"q7{text}")
EMAIL = st.builds("{}@{}.example".format, TEXT, TEXT)
PHONE = st.integers(10_000_000, 99_999_999).map(lambda number: f"+1415{number}")
ID = TEXT.map(lambda text: f"cus_{text}")
STATUS = st.sampled_from([200, 201, 204, 400, 401, 403, 404, 409, 413, 422, 429, 500, 503, "cut", "text"])
ORDER = {"total": 1, "currency": "USD", "order_date": "2026-05-12T10:00:00Z"}


@st.composite
def calls(draw):
    """A call, and the values that nothing may hold."""
    email, phone, text, contact = draw(EMAIL), draw(PHONE), draw(TEXT), draw(ID)
    number = draw(st.integers(7 * 10**17, 8 * 10**17))  # in no time or id by chance
    choice = draw(
        st.sampled_from(
            [
                ("contacts.create", (), {"email": email, "phone_number": phone, "first_name": text}),
                ("contacts.create", (), {"email": f"{email} {text}", "tags": [text]}),
                ("contacts.get", (contact,), {}),
                ("contacts.get", (f"{contact}/{text}",), {}),
                ("contacts.update", (contact,), {"first_name": text, "custom_fields": {text: email}}),
                ("contacts.upsert", (), {"email": email, "extra": {text: phone}}),
                ("contacts.delete", (contact,), {}),
                ("contacts.unsubscribe", (contact,), {"reason": text}),
                ("contacts.list", (), {"email": email, "phone_number": phone}),
                ("orders.upsert", (), {"order_id": number, "email": email, "integration_token": text, **ORDER}),
                ("events.ingest", (text,), {"email": email, "idempotency_key": text, "event_data": {text: phone}}),
                ("contacts.create", (), {"email": email, "extra_headers": {"X-Job": text}}),
                ("request", ("GET", f"/contacts/{contact}?email={email}"), {"params": {"q": text}}),
                ("request", ("POST", f"/contacts/{email}/{phone}"), {"body": {text: text}, "headers": {"X-A": text}}),
                ("request", ("GET", f"/people/{number}"), {}),
                (
                    "contacts.upsert_many",
                    ([{"email": email, "tags": [text]}, {"phone_number": phone}, {"x": text}],),
                    {},
                ),
                ("events.ingest_many", ([{"event_type": text, "email": email, "idempotency_key": text}],), {}),
                ("contacts.plan", ([{"email": email, "first_name": text}],), {"extra_headers": {"X-Job": text}}),
            ]
        )
    )
    return choice, {email, phone, phone[1:], text, contact, str(number)}


def reply_of(status, secrets):
    message = f"refused: {' '.join(sorted(secrets))}"
    body = json.dumps(
        {"error": {"code": "bad", "message": message, "details": [{"field": message, "message": message}]}}
    )
    if status == "cut":
        return Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", close=True)
    if status == "text":
        return Reply(body=message)
    return Reply(status=status, body=body, headers={"Retry-After": "0", "X-Request-Id": "req-q7secret"})


def made(client, name, first, named):
    method = client
    for part in name.split("."):
        method = getattr(method, part)
    result = method(*first, **named)
    if name == "contacts.list":
        return result.total_count()
    return result.run() if name.endswith("_many") else result


async def made_in_loop(base_url, name, first, named):
    async with privy.AsyncClient(TOKEN, base_url=base_url, max_retries=1, max_wait=1) as client:
        await made(client, name, first, named)


def texts(telemetry):
    """Every text of every span, event and data point."""
    for span in telemetry.spans:
        yield from (span.name, repr(dict(span.attributes)), repr(span.status.description))
        for event in span.events:
            yield from (event.name, repr(dict(event.attributes)))
        yield span.to_json()
    data = telemetry.reader.get_metrics_data()
    if data is not None:
        yield data.to_json()


@pytest.mark.random
@given(call=calls(), statuses=st.lists(STATUS, min_size=2, max_size=2), asynchronous=st.booleans())
def test_nothing_that_was_passed_is_recorded(call, statuses, asynchronous):
    (name, first, named), secrets = call
    waiting = [reply_of(status, secrets) for status in statuses]
    with recording(lambda request: waiting.pop(0) if len(waiting) > 1 else waiting[0]) as recorder, sdk() as telemetry:
        with warnings.catch_warnings(), contextlib.suppress(privy.PrivyError):
            warnings.simplefilter("ignore", DeprecationWarning)
            if asynchronous:
                asyncio.run(made_in_loop(recorder.base_url, name, first, named))
            else:
                with recorder.client(max_retries=1, max_wait=1) as client:
                    made(client, name, first, named)
        assert telemetry.operations
        contexts = {f"{span.context.span_id:016x}" for span in telemetry.requests}
        arrived = [request.header("traceparent").split("-")[2] for request in recorder.requests]
        assert set(arrived) <= contexts
        assert len(arrived) == len(set(arrived))
        for text in texts(telemetry):
            for secret in (*secrets, TOKEN, "req-q7secret", "?"):
                assert secret not in text, text
