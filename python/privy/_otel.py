"""Spans and metrics of OpenTelemetry. Imported once the program has imported the API of OpenTelemetry.

The core gives a ``Watch`` the events of each call. A call is an INTERNAL span with the name of its operation; each
request is a CLIENT span inside it, with the attributes of the stable conventions for HTTP. Nothing here receives a
value that the user has passed: events hold templates of paths, names and numbers.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from opentelemetry import context, metrics, propagate, trace
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.trace import SpanKind, StatusCode

from . import _core

_Values: TypeAlias = tuple[Any, ...]
"""The values of an event, in the order of the fields of ``CallEvent``."""

_METHODS = frozenset(("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"))
_TOKEN_PATH = "/oauth/token"  # noqa: S105
_MOST_KNOWN = 256
"""Paths of ``Client.request`` are not bounded in number."""
_PHASES = ("privy.lookup", "privy.connect", "privy.tls")
_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
"""In seconds, as the conventions recommend for ``http.client.request.duration``."""
_SUPPRESS: list[str] = [
    "suppress_instrumentation",
    *(value for name, value in vars(context).items() if name.startswith("_SUPPRESS_") and isinstance(value, str)),
]
"""Keys by which exporters and other libraries suppress spans."""

_metrics = getattr(metrics, "_internal", None)
_watches: weakref.WeakSet[Watch] = weakref.WeakSet()


def _left(options: CallbackOptions) -> Iterable[Observation]:
    for watch in list(_watches):
        for window, left in (("minute", watch.minute_left), ("day", watch.day_left)):
            if left is not None:
                yield Observation(left, {**watch.server, "privy.window": window})


_tracer = trace.get_tracer("privy", _core.VERSION)
_meter = metrics.get_meter("privy", _core.VERSION)
_durations = _meter.create_histogram(
    "http.client.request.duration",
    unit="s",
    description="Duration of HTTP client requests.",
    explicit_bucket_boundaries_advisory=_BOUNDS,
)
_operations = _meter.create_histogram(
    "privy.client.operation.duration",
    unit="s",
    description="Duration of calls, with their retries and waits.",
    explicit_bucket_boundaries_advisory=[*_BOUNDS, 25, 50, 100, 500, 2500],
)
_waits = _meter.create_histogram(
    "privy.client.wait.duration",
    unit="s",
    description="Waits for the rate limit and before retries.",
    explicit_bucket_boundaries_advisory=[0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 500, 2500],
)
_limited = _meter.create_counter(
    "privy.client.rate_limited", unit="{response}", description="Responses with status 429."
)
_meter.create_observable_gauge(
    "privy.budget.remaining",
    callbacks=[_left],
    unit="{request}",
    description="Requests left of the rate limits, as of the latest response.",
)


def _is_real(provider: object) -> bool:
    """Whether a provider records something: those of the API alone do not."""
    return not type(provider).__module__.startswith(("opentelemetry.trace", "opentelemetry.metrics"))


def _may_be_set() -> bool:
    """False if no provider has been set, where the API lets one see that: its functions read the environment each
    time, which takes longer than all the rest."""
    return (
        getattr(trace, "_TRACER_PROVIDER", trace) is not None or getattr(_metrics, "_METER_PROVIDER", trace) is not None
    )


def _place(url: str, path: str) -> tuple[dict[str, Any], str]:
    """The attributes of a server, and the URL of a path on it, without user name, query and fragment."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    shown = f"[{host}]" if ":" in host else host
    origin = f"{parts.scheme}://{shown}" + (f":{parts.port}" if parts.port else "")
    return {"server.address": host, "server.port": port}, origin + path


class _Request(NamedTuple):
    name: str
    attributes: dict[str, Any]
    measured: dict[str, Any]
    """The attributes of metrics."""


def _inside(span: trace.Span, around: context.Context) -> context.Context:
    """The context of a span. Without an SDK old APIs make spans that have no context: the caller's is sent on then."""
    return trace.set_span_in_context(span, around) if span.get_span_context().is_valid else around


class _Call:
    """A call in progress: its span, the context of its requests, and how often each request was sent."""

    __slots__ = ("context", "operation", "requests", "sent", "span")

    def __init__(self, operation: str) -> None:
        self.operation = operation
        self.span = _tracer.start_span(operation)
        self.context = _inside(self.span, context.get_current())
        self.requests: dict[int, tuple[trace.Span, _Request]] = {}
        self.sent: dict[str, int] = {}


class Watch:
    """Makes spans and metrics of the events of a client, and the headers that carry the trace. Threads may share it."""

    minute_left: int | None = None
    day_left: int | None = None
    _real = False

    def __init__(self, base_url: str, token_url: str) -> None:
        self._api = _place(base_url, urlsplit(base_url).path.rstrip("/"))
        self._token = _place(token_url, urlsplit(token_url).path)
        self.server: dict[str, Any] = self._api[0]
        self._calls: dict[int, _Call] = {}
        self._known: dict[tuple[str, str], _Request] = {}
        self._on = {
            "response": self._response,
            "failure": self._response,
            "retry": self._retry,
            "wait": self._wait,
            "refused": self._refused,
            "end": self._end,
        }
        _watches.add(self)
        trace.get_tracer_provider()  # creates what the environment names
        metrics.get_meter_provider()

    def active(self) -> bool:
        """Whether spans, metrics or the trace context of the next call have a receiver."""
        if not self._real and _may_be_set():
            self._real = _is_real(trace.get_tracer_provider()) or _is_real(metrics.get_meter_provider())
        current = context.get_current()
        if not current:
            return self._real
        if not self._real and not trace.get_current_span(current).get_span_context().is_valid:
            return False
        return not any(current.get(key) for key in _SUPPRESS)

    def send(self, values: _Values) -> dict[str, str] | None:
        """Begins the span of a request. Returns the headers that carry its context."""
        call = self._calls.get(values[2]) or self._begin(values)
        if call is None:
            return None
        request = self._request(values[4], values[5])
        attributes = request.attributes
        repeated = call.sent.get(request.name, 0)
        call.sent[request.name] = repeated + 1
        if repeated:
            attributes = {**attributes, "http.request.resend_count": repeated}
        span = _tracer.start_span(request.name, call.context, SpanKind.CLIENT, attributes)
        call.requests[values[6]] = span, request
        headers: dict[str, str] = {}
        propagate.inject(headers, _inside(span, call.context))
        return headers

    def event(self, values: _Values) -> None:
        """Takes any other event of a call."""
        kind = values[0]
        call = self._calls.get(values[2])
        if call is None and (kind in ("start", "refused")):
            call = self._begin(values)
        if call is not None and kind in self._on:
            self._on[kind](call, values)

    def _begin(self, values: _Values) -> _Call | None:
        if not self.active():
            return None
        call = self._calls[values[2]] = _Call(values[3])
        return call

    def _request(self, method: str, path: str) -> _Request:
        known = self._known.get((method, path))
        if known is not None:
            return known
        server, url = (self._token[0], self._token[1]) if path == _TOKEN_PATH else (self._api[0], self._api[1] + path)
        name = method if method in _METHODS else "_OTHER"
        measured = {"http.request.method": name, **server}
        made = _Request(f"{name if name == method else 'HTTP'} {path}", {**measured, "url.full": url}, measured)
        if len(self._known) < _MOST_KNOWN:
            self._known[method, path] = made
        return made

    def _response(self, call: _Call, values: _Values) -> None:
        begun = call.requests.pop(values[6], None)
        if begun is None:
            return
        (span, request), status = begun, values[7]
        result: dict[str, Any] = {}
        if status is not None:
            result["http.response.status_code"] = status
        if status is not None and status >= 400:
            result["error.type"] = str(status)
        elif values[8] is not None or status is None:
            result["error.type"] = _error_type(values[8])
        if values[21] is not None:
            self.minute_left = values[21]
        if values[22] is not None:
            self.day_left = values[22]
        if status == 429:
            _limited.add(1, request.measured, call.context)
        if values[17] is not None:
            _durations.record(values[17], {**request.measured, **result}, call.context)
        if values[20] is False and span.is_recording():
            phases = ((_PHASES[at - 13], values[at]) for at in range(13, 16) if values[at] is not None)
            span.add_event("privy.connection", dict(phases))
        if result:
            span.set_attributes(result)
        if "error.type" in result:
            span.set_status(StatusCode.ERROR)
        span.end()

    def _retry(self, call: _Call, values: _Values) -> None:
        attributes = {"privy.seconds": values[11], "error.type": _cause(values)}
        call.span.add_event("privy.retry", attributes)
        _waits.record(values[11], {"privy.operation": call.operation, "privy.reason": "retry"}, call.context)

    def _wait(self, call: _Call, values: _Values) -> None:
        call.span.add_event("privy.budget_wait", {"privy.seconds": values[11]})
        _waits.record(values[11], {"privy.operation": call.operation, "privy.reason": "budget"}, call.context)

    def _refused(self, call: _Call, values: _Values) -> None:
        """A call that the rate limit refuses ends with an event of its own; an invalid request is no call."""
        if values[8] != "ValidationError":
            call.span.add_event("privy.refused", {} if values[11] is None else {"privy.seconds": values[11]})
        else:
            self._end(call, values)

    def _end(self, call: _Call, values: _Values) -> None:
        del self._calls[values[2]]
        for span, _ in call.requests.values():
            span.end()
        result: dict[str, Any] = {}
        if values[8] is not None or values[7] is None:
            result["error.type"] = _error_type(values[8])
            call.span.set_status(StatusCode.ERROR)
        _operations.record(values[17] or 0.0, {"privy.operation": call.operation, **result}, call.context)
        call.span.set_attributes({**result, "privy.requests": values[6], "privy.waited": values[12] or 0.0})
        call.span.end()


def _error_type(error: str | None) -> str:
    """The class of an error; without one the call was stopped."""
    return f"privy.{error}" if error else "stopped"


def _cause(values: _Values) -> str:
    return str(values[7]) if values[7] is not None else _error_type(values[8])
