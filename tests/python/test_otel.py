"""Spans and metrics of calls, and the trace context that requests carry, over real sockets and with the real SDK."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import subprocess
import sys
import threading

import privy
import pytest
from opentelemetry import context, propagate, trace
from opentelemetry.trace import SpanKind, StatusCode
from otel import parent_of, sdk, traceparent
from privy._trace import CallEvent
from support import TOKEN, Reply, served

JANE = "jane@example.com"


@pytest.fixture
def telemetry():
    with sdk() as made:
        yield made


def sent(recorder):
    return [request.header("traceparent") for request in recorder.requests]


def attributes(span):
    return dict(span.attributes)


# ---- spans ----


def test_a_call_is_a_span_around_the_span_of_its_request(telemetry, recorder):
    with recorder.client() as client:
        client.contacts.get("cus_1")
    request, operation = telemetry.spans
    host, port = recorder.base_url.removeprefix("http://").removesuffix("/v1").split(":")
    assert (operation.name, operation.kind, parent_of(operation)) == ("contacts.get", SpanKind.INTERNAL, None)
    assert attributes(operation) == {"privy.requests": 1, "privy.waited": 0.0}
    assert (request.name, request.kind) == ("GET /contacts/{id}", SpanKind.CLIENT)
    assert parent_of(request) == operation.context.span_id
    assert attributes(request) == {
        "http.request.method": "GET",
        "server.address": host,
        "server.port": int(port),
        "url.full": f"{recorder.base_url}/contacts/{{id}}",
        "http.response.status_code": 200,
    }
    assert {span.status.status_code for span in telemetry.spans} == {StatusCode.UNSET}
    assert [event.name for event in request.events] == ["privy.connection"]


def test_each_attempt_is_a_span_whose_context_is_sent(telemetry, recorder):
    replies = iter([Reply(status=503), Reply(status=503, headers={"Retry-After": "0"}), Reply()])
    recorder.answer = lambda request: next(replies)
    with recorder.client(max_retries=2) as client:
        client.contacts.create(email=JANE)
    requests, (operation,) = telemetry.requests, telemetry.operations
    assert sent(recorder) == [traceparent(span) for span in requests]
    assert len(set(sent(recorder))) == 3
    assert [span.attributes.get("http.request.resend_count") for span in requests] == [None, 1, 2]
    assert [span.attributes.get("error.type") for span in requests] == ["503", "503", None]
    assert [span.status.status_code for span in requests] == [StatusCode.ERROR, StatusCode.ERROR, StatusCode.UNSET]
    assert {parent_of(span) for span in requests} == {operation.context.span_id}
    assert [(event.name, event.attributes["error.type"]) for event in operation.events] == [("privy.retry", "503")] * 2
    assert operation.events[0].attributes["privy.seconds"] > 0
    assert operation.attributes["privy.requests"] == 3
    assert operation.status.status_code is StatusCode.UNSET


def test_the_second_request_of_an_upsert_is_not_a_resend(telemetry):
    with served(privy.Sandbox()) as server, privy.Client(TOKEN, base_url=server.base_url) as client:
        client.contacts.create(email=JANE)
        client.contacts.upsert(email=JANE, first_name="Jane")
    names = [(span.name, span.attributes.get("http.request.resend_count")) for span in telemetry.requests]
    assert names == [("POST /contacts", None), ("POST /contacts", None), ("PATCH /contacts/{id}", None)]
    assert telemetry.requests[1].attributes["error.type"] == "409"
    assert telemetry.named("contacts.upsert")[0].status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("status", [400, 404, 500])
def test_an_error_status_is_the_error_of_both_spans(telemetry, recorder, status):
    recorder.answer = lambda request: Reply(status=status)
    with recorder.client() as client, pytest.raises(privy.PrivyError) as caught:
        client.orders.upsert(order_id=1, email=JANE, total=1, currency="USD", order_date="2026-05-12T10:00:00Z")
    request, operation = telemetry.spans
    assert request.attributes["error.type"] == str(status)
    assert operation.attributes["error.type"] == f"privy.{type(caught.value).__name__}"
    assert {span.status.status_code for span in telemetry.spans} == {StatusCode.ERROR}
    assert {span.status.description for span in telemetry.spans} == {None}


def test_a_request_without_a_response_names_the_exception(telemetry, recorder):
    recorder.answer = lambda request: Reply(raw=b"", close=True)
    with recorder.client() as client, pytest.raises(privy.APIConnectionError):
        client.contacts.get("cus_1")
    request, operation = telemetry.spans
    assert request.attributes["error.type"] == operation.attributes["error.type"] == "privy.APIConnectionError"
    assert "http.response.status_code" not in request.attributes


def test_a_response_that_cannot_be_read_names_the_exception(telemetry, recorder):
    recorder.answer = lambda request: Reply(body="{")
    with recorder.client() as client, pytest.raises(privy.APIStatusError):
        client.contacts.get("cus_1")
    request, _ = telemetry.spans
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["error.type"] == "privy.APIStatusError"
    assert request.status.status_code is StatusCode.ERROR


def test_an_invalid_request_is_a_span_without_requests(telemetry, recorder):
    with recorder.client() as client, pytest.raises(privy.ValidationError):
        client.contacts.create(email="nobody")
    (operation,) = telemetry.spans
    assert operation.name == "contacts.create"
    assert attributes(operation) == {"error.type": "privy.ValidationError", "privy.requests": 0, "privy.waited": 0.0}


def test_waits_and_refusals_of_the_rate_limit_are_events(telemetry):
    sandbox = privy.Sandbox()
    sandbox.set_limits(per_minute=1)
    sandbox.set_clock(1_800_000_000)
    client = sandbox.client(max_wait=0)
    client.contacts.create(email=JANE)
    with pytest.raises(privy.RateLimitError):
        client.contacts.create(email=JANE)
    refused = telemetry.operations[-1]
    assert [event.name for event in refused.events] == ["privy.refused"]
    assert refused.events[0].attributes["privy.seconds"] > 0
    assert refused.attributes["error.type"] == "privy.RateLimitError"
    hurried = client.with_options(
        max_wait=90, on_event=lambda event: event.kind == "wait" and sandbox.advance(event.seconds)
    )
    hurried.contacts.list(per_page=1).total_count()
    waited = telemetry.operations[-1]
    assert [event.name for event in waited.events] == ["privy.budget_wait"]
    assert 0 < waited.events[0].attributes["privy.seconds"] <= 60
    assert waited.attributes["privy.waited"] > 0


def test_requests_for_tokens_are_spans(telemetry):
    sandbox = privy.Sandbox()
    with served(sandbox) as server:
        settings = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret, "base_url": server.base_url}
        with privy.Client(**settings) as client:
            client.contacts.list().total_count()
    token, pages = telemetry.requests
    assert token.name == "POST /oauth/token"
    assert token.attributes["url.full"] == f"{server.base_url.removesuffix('/v1')}/oauth/token"
    assert pages.name == "GET /contacts"
    assert pages.attributes["url.full"] == f"{server.base_url}/contacts"
    assert [parent_of(span) for span in (token, pages)] == [telemetry.operations[0].context.span_id] * 2


def test_values_of_events_come_in_the_order_of_their_fields(telemetry, recorder, monkeypatch):
    seen = []
    events = []
    with recorder.client(on_event=events.append) as client:
        client.contacts.get("cus_1")
        from privy._otel import Watch

        plain = Watch.event
        monkeypatch.setattr(Watch, "event", lambda self, values: (seen.append(values), plain(self, values)))
        events.clear()
        client.contacts.get("cus_1")
    names = [field.name for field in dataclasses.fields(CallEvent) if field.name != "message"]
    expected = [tuple(getattr(event, name) for name in names) for event in events if event.kind != "request"]
    assert seen == expected
    assert len(seen) == 3


# ---- parents ----


def test_the_span_of_the_caller_is_the_parent_in_each_thread(telemetry, recorder):
    tracer = trace.get_tracer("test")
    with recorder.client() as client:

        def work(number):
            with tracer.start_as_current_span(f"work {number}"):
                client.contacts.get(f"cus_{number}")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    works = {span.context.span_id for span in telemetry.spans if span.name.startswith("work")}
    operations = {span.context.span_id: parent_of(span) for span in telemetry.named("contacts.get")}
    assert set(operations.values()) == works
    assert len(operations) == 8
    assert {parent_of(span) for span in telemetry.requests} == set(operations)
    assert sorted(sent(recorder)) == sorted(map(traceparent, telemetry.requests))


def test_the_span_of_the_task_is_the_parent(telemetry, recorder):
    tracer = trace.get_tracer("test")

    async def work(client, number):
        with tracer.start_as_current_span(f"work {number}"):
            await client.contacts.get(f"cus_{number}")

    async def main():
        async with privy.AsyncClient(TOKEN, base_url=recorder.base_url) as client:
            await asyncio.gather(*(work(client, number) for number in range(8)))

    asyncio.run(main())
    works = {span.context.span_id for span in telemetry.spans if span.name.startswith("work")}
    operations = telemetry.named("contacts.get")
    assert {parent_of(span) for span in operations} == works
    assert {parent_of(span) for span in telemetry.requests} == {span.context.span_id for span in operations}
    assert sorted(sent(recorder)) == sorted(map(traceparent, telemetry.requests))


@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_span_of_the_loop_is_the_parent_of_each_row(telemetry, recorder, asynchronous):
    rows = [{"email": f"{number}@example.com"} for number in range(20)]
    tracer = trace.get_tracer("test")

    async def main():
        async with privy.AsyncClient(TOKEN, base_url=recorder.base_url) as client:
            with tracer.start_as_current_span("import"):
                await client.contacts.upsert_many(rows).run()

    if asynchronous:
        asyncio.run(main())
    else:
        with recorder.client() as client, tracer.start_as_current_span("import"):
            client.contacts.upsert_many(rows).run()
    (outside,) = telemetry.named("import")
    operations = telemetry.named("contacts.upsert")
    assert len(operations) == 20
    assert {parent_of(span) for span in operations} == {outside.context.span_id}
    assert {parent_of(span) for span in telemetry.requests} == {span.context.span_id for span in operations}
    assert sorted(sent(recorder)) == sorted(map(traceparent, telemetry.requests))


@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_span_of_the_reader_is_the_parent_of_each_page(telemetry, asynchronous):
    sandbox = privy.Sandbox()
    for number in range(30):
        sandbox.client().contacts.create(email=f"{number}@example.com")
    telemetry.exporter.clear()
    tracer = trace.get_tracer("test")

    async def read(base_url):
        async with privy.AsyncClient(TOKEN, base_url=base_url) as client:
            with tracer.start_as_current_span("export"):
                assert len([contact async for contact in client.contacts.list(per_page=10)]) == 30

    with served(sandbox) as server:
        if asynchronous:
            asyncio.run(read(server.base_url))
        else:
            with privy.Client(TOKEN, base_url=server.base_url) as client, tracer.start_as_current_span("export"):
                assert len(list(client.contacts.list(per_page=10))) == 30
    (outside,) = telemetry.named("export")
    assert [parent_of(span) for span in telemetry.named("contacts.list")] == [outside.context.span_id] * 3
    contexts = [request.headers.get("traceparent") for request in sandbox.requests[-3:]]
    assert contexts == [traceparent(span) for span in telemetry.requests]


def test_a_copy_of_a_client_makes_spans(telemetry, recorder):
    with recorder.client() as client:
        client.with_options(timeout=20).contacts.get("cus_1")
        client.contacts.get("cus_1")
    assert len(telemetry.operations) == len(telemetry.requests) == 2


def test_a_cancelled_task_ends_both_spans(telemetry, recorder):
    arrived = threading.Event()
    leave = threading.Event()

    def slow(request):
        arrived.set()
        leave.wait(60)
        return Reply()

    recorder.answer = slow

    async def main():
        async with privy.AsyncClient(TOKEN, base_url=recorder.base_url) as client:
            task = asyncio.create_task(client.contacts.get("cus_1"))
            while not arrived.is_set():
                await asyncio.sleep(0.01)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    asyncio.run(main())
    leave.set()
    assert [span.attributes["error.type"] for span in telemetry.spans] == ["stopped", "stopped"]


# ---- the context that is sent ----


def test_a_header_of_the_caller_replaces_that_of_the_span(telemetry, recorder):
    own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with recorder.client() as client:
        client.contacts.get("cus_1", extra_headers={"Traceparent": own})
        client.request("GET", "/contacts", headers={"TRACEPARENT": own})
    assert sent(recorder) == [own, own]
    assert [request.headers for request in recorder.requests][0].count(("Traceparent", own)) == 1


def test_a_propagator_that_raises_does_not_fail_the_call(telemetry, recorder, monkeypatch):
    unraisable = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)

    def broken(*given):
        raise RuntimeError("broken")

    monkeypatch.setattr(propagate, "inject", broken)
    with recorder.client() as client:
        assert client.contacts.get("cus_1") is not None
    assert [str(one.exc_value) for one in unraisable] == ["broken"]
    assert sent(recorder) == [None]
    assert len(telemetry.operations) == 1


def test_a_propagator_cannot_replace_headers_of_the_client(telemetry, recorder, monkeypatch):
    def inject(carrier, *given):
        carrier.update(
            {"authorization": "Bearer x", "X-A": "a\r\nX-B: b", "X C": "c", "X-D": "d", "accept": "text/csv"}
        )

    monkeypatch.setattr(propagate, "inject", inject)
    with recorder.client() as client:
        client.contacts.get("cus_1")
    (request,) = recorder.requests
    assert request.header("Authorization") == f"Bearer {TOKEN}"
    assert request.header("Accept") == "application/json"
    assert request.header("X-D") == "d"
    assert {"x-a", "x-b", "x c"}.isdisjoint(name.lower() for name, _ in request.headers)


@pytest.mark.parametrize(
    "key", ["suppress_instrumentation", context._SUPPRESS_INSTRUMENTATION_KEY], ids=["name", "key"]
)
def test_suppressed_calls_make_no_spans(telemetry, recorder, key):
    token = context.attach(context.set_value(key, True))
    try:
        with recorder.client() as client:
            client.contacts.get("cus_1")
    finally:
        context.detach(token)
    assert telemetry.spans == ()
    assert sent(recorder) == [None]


def test_calls_of_an_exporter_make_no_spans(recorder):
    with recorder.client() as client, sdk() as telemetry:
        plain = telemetry.exporter.export
        telemetry.exporter.export = lambda spans: (client.contacts.get("cus_2"), plain(spans))[1]
        try:
            client.contacts.get("cus_1")
        finally:
            del telemetry.exporter.export
        assert len(telemetry.spans) == 2
    assert sent(recorder).count(None) == 2


# ---- on and off ----


def test_the_variable_turns_it_off(telemetry, recorder, monkeypatch):
    monkeypatch.setenv("PRIVY_OTEL", "0")
    with recorder.client() as client:
        client.contacts.get("cus_1")
    assert telemetry.spans == ()
    assert sent(recorder) == [None]


def test_the_sdk_may_be_set_up_after_the_client(recorder):
    with recorder.client() as client:
        client.contacts.get("cus_1")
        with sdk() as telemetry:
            client.contacts.get("cus_1")
            assert len(telemetry.spans) == 2


def test_the_api_alone_makes_no_spans_and_sends_the_context_of_the_caller():
    code = """if True:
        import privy
        from opentelemetry import trace
        from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
        sandbox = privy.Sandbox()
        client = sandbox.client()
        client.contacts.create(email="a@b.c")
        with trace.use_span(NonRecordingSpan(SpanContext(0xABC, 0xDEF, True, TraceFlags(1)))):
            client.contacts.create(email="b@b.c")
        contexts = [request.headers.get("traceparent") for request in sandbox.requests]
        assert contexts == [None, f"00-{0xABC:032x}-{0xDEF:016x}-01"], contexts
    """
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_a_program_without_opentelemetry_imports_nothing_of_it():
    code = """if True:
        import sys, privy
        privy.Sandbox().client().contacts.create(email="a@b.c")
        assert not [name for name in sys.modules if name.startswith("opentelemetry")], sys.modules
        assert "privy._otel" not in sys.modules
        from opentelemetry import trace
        client = privy.Sandbox().client()
        client.contacts.create(email="a@b.c")
        assert "privy._otel" in sys.modules
    """
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


# ---- metrics ----


def test_requests_and_calls_are_measured(telemetry, recorder):
    with recorder.client() as client:
        client.contacts.get("cus_measured")
    port = telemetry.requests[0].attributes["server.port"]
    (point,) = [p for p in telemetry.points("http.client.request.duration") if p.attributes["server.port"] == port]
    assert (point.count, point.attributes["http.request.method"]) == (1, "GET")
    assert point.attributes["http.response.status_code"] == 200
    assert 0 < point.sum < 60
    calls = telemetry.points("privy.client.operation.duration")
    assert any(p.attributes == {"privy.operation": "contacts.get"} for p in calls)


def test_the_budget_that_is_left_is_a_gauge(telemetry):
    sandbox = privy.Sandbox()
    sandbox.set_limits(per_minute=10, per_day=100)
    with served(sandbox) as server, privy.Client(TOKEN, base_url=server.base_url) as client:
        for number in range(3):
            client.contacts.create(email=f"{number}@example.com")
        port = telemetry.requests[0].attributes["server.port"]
        points = [p for p in telemetry.points("privy.budget.remaining") if p.attributes["server.port"] == port]
        assert {point.attributes["privy.window"]: point.value for point in points} == {"minute": 7, "day": 97}


def test_refused_requests_and_waits_are_counted(telemetry, recorder):
    replies = iter([Reply(status=429, headers={"Retry-After": "0"}), Reply()])
    recorder.answer = lambda request: next(replies)
    with recorder.client(max_retries=1) as client:
        client.contacts.delete("cus_1")
    port = telemetry.requests[0].attributes["server.port"]
    (limited,) = [p for p in telemetry.points("privy.client.rate_limited") if p.attributes["server.port"] == port]
    assert limited.value == 1
    assert [p for p in telemetry.points("privy.client.wait.duration") if "contacts.delete" in p.attributes.values()]
