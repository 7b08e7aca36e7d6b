"""One call on a kept connection, with OpenTelemetry: off, its API alone, spans of privy, and the same spans by hand."""

import os
import time


def _case(get, contact_id):
    from plain import contact

    return (lambda: get(contact_id)), (lambda: {"data": contact(get(contact_id))})


def _contacts(base_url, token):
    import privy

    return privy.Client(base_url=base_url, token=token).contacts


def off(base_url, token, contact_id):
    """With the API imported: what a program pays that turns it off."""
    os.environ["PRIVY_OTEL"] = "0"
    return api(base_url, token, contact_id)


def none(base_url, token, contact_id):
    return _case(_contacts(base_url, token).get, contact_id)


def api(base_url, token, contact_id):
    from opentelemetry import metrics, trace  # noqa: F401

    return _case(_contacts(base_url, token).get, contact_id)


def _set_up():
    from opentelemetry import metrics, trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

    class Dropped(SpanExporter):
        def export(self, spans):
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Dropped()))
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider([InMemoryMetricReader()]))


def spans(base_url, token, contact_id):
    _set_up()
    return _case(_contacts(base_url, token).get, contact_id)


def by_hand(base_url, token, contact_id):
    """Two spans with their attributes, the header, and two histograms, as a careful user writes them."""
    os.environ["PRIVY_OTEL"] = "0"
    _set_up()
    from opentelemetry import metrics, propagate, trace
    from opentelemetry.trace import SpanKind

    tracer, meter = trace.get_tracer("hand"), metrics.get_meter("hand")
    requests = meter.create_histogram("http.client.request.duration", unit="s")
    operations = meter.create_histogram("privy.client.operation.duration", unit="s")
    server = {"http.request.method": "GET", "server.address": "127.0.0.1", "server.port": 80}
    asked = {**server, "url.full": f"{base_url}/contacts/{{id}}"}
    contacts = _contacts(base_url, token)

    def get(contact_id):
        began = time.perf_counter()
        with tracer.start_as_current_span("contacts.get") as operation:
            with tracer.start_as_current_span("GET /contacts/{id}", kind=SpanKind.CLIENT, attributes=asked) as span:
                headers = {}
                propagate.inject(headers)
                contact = contacts.get(contact_id, extra_headers=headers)
                span.set_attribute("http.response.status_code", 200)
            seconds = time.perf_counter() - began
            requests.record(seconds, {**server, "http.response.status_code": 200})
            operation.set_attributes({"privy.requests": 1, "privy.waited": 0.0})
            operations.record(seconds, {"privy.operation": "contacts.get"})
        return contact

    return _case(get, contact_id)
