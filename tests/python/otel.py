"""What the tests of OpenTelemetry share: the SDK with exporters in memory, set for one test."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader, MetricsData
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind


@dataclass
class Telemetry:
    """Finished spans, and what the instruments recorded since the start of the test."""

    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader
    read: list[MetricsData] = field(default_factory=list)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == name]

    @property
    def requests(self) -> list[ReadableSpan]:
        return [span for span in self.spans if span.kind is SpanKind.CLIENT]

    @property
    def operations(self) -> list[ReadableSpan]:
        return [span for span in self.spans if span.kind is SpanKind.INTERNAL]

    def points(self, name: str) -> list:
        """The data points of an instrument."""
        data = self.reader.get_metrics_data()
        if data is not None:
            self.read.append(data)
        scopes = [scope for one in self.read for resource in one.resource_metrics for scope in resource.scope_metrics]
        every = [metric for scope in scopes for metric in scope.metrics]
        return [point for metric in every if metric.name == name for point in metric.data.data_points]


# Each reading takes what was recorded since the one before: a server may get the port of one of an earlier test.
_exporter = InMemorySpanExporter()
_reader = InMemoryMetricReader(dict.fromkeys((Counter, Histogram), AggregationTemporality.DELTA))
_tracers = TracerProvider()
_tracers.add_span_processor(SimpleSpanProcessor(_exporter))
_meters = MeterProvider([_reader])
_set: list[bool] = []


@contextlib.contextmanager
def sdk() -> Iterator[Telemetry]:
    """The SDK as global provider. Instruments keep their first provider, so that a process has one only."""
    if not _set:
        metrics.set_meter_provider(_meters)
        _set.append(True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace, "_TRACER_PROVIDER", _tracers)
        patch.setattr("opentelemetry.metrics._internal._METER_PROVIDER", _meters)
        _exporter.clear()
        _reader.get_metrics_data()
        yield Telemetry(_exporter, _reader)
    pytest.MonkeyPatch().setattr("opentelemetry.metrics._internal._METER_PROVIDER", None)


def parent_of(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


def traceparent(span: ReadableSpan) -> str:
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
