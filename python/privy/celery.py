"""Tasks of Celery that wait for the rate limit in the queue, and records as arguments and results of tasks.

Importing the module registers the records of privy with the JSON serializer of kombu.
"""

from __future__ import annotations

import random
import time
from _collections_abc import Mapping
from datetime import datetime, timedelta, timezone

import celery  # type: ignore[import-untyped]
from celery.exceptions import Reject, Retry  # type: ignore[import-untyped]
from kombu.utils.json import register_type

import privy

from . import _core
from ._job import job
from .types import Any

__all__ = ["PrivyTask", "register_serializers"]

_NONE: Mapping[str, Any] = {}
_SINCE, _FAILURES = "privy_since", "privy_failures"
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


class PrivyTask(celery.Task):  # type: ignore[misc]
    """A base class of tasks that call the Privy API: ``@app.task(base=PrivyTask)``.

    An exception of privy that the task does not catch

    - reschedules the task if it is ``retryable``: ``RateLimitError``, ``APIConnectionError``, ``APITimeoutError``,
      ``ServerError``. The task runs again at the error's ``retry_at``, or after a growing delay of 1 s to 10 minutes.
      Its state is RETRY, and none of its retries is spent.
    - fails the task at once if it is not: ``ValidationError``, ``AuthenticationError``, ``PermissionDeniedError``,
      ``NotFoundError``, ``ConflictError``.

    Both also hold for ``self.retry(exc=error)`` and ``autoretry_for``; ``max_retries`` counts retries after other
    exceptions only. A task that was rescheduled for ``give_up_after`` fails with the last error.

    Calls inside the task do not wait for the rate limit: see ``privy.job``. A call that passes ``max_wait`` waits, and
    so do bulk runs. A task that is called as a function makes its calls as usual. A task of ``task_always_eager`` or
    ``apply`` does not wait and fails with the error, because there is no queue to wait in.

    A task may run more than once: after it was rescheduled, and with ``acks_late`` after its worker died. Orders and
    contacts are upserts, so that a second run has no second effect; pass ``idempotency_key`` to ``events.ingest``:

    >>> import celery, privy
    >>> from privy.celery import PrivyTask
    >>> app = celery.Celery("shop", broker="memory://")
    >>> client = privy.Sandbox().client()
    >>> @app.task(base=PrivyTask, bind=True, acks_late=True)
    ... def viewed(self, email, sku):
    ...     client.events.ingest(
    ...         "Viewed", email=email, event_data={"sku": sku}, idempotency_key=self.idempotency_key
    ...     )
    """

    abstract = True

    give_up_after: float | str | timedelta = "1d"
    """How long a task may be rescheduled in total, from its first error: seconds, a timedelta, or text such as
    ``"90s"``, ``"30m"``, ``"12h"`` and ``"1d"``. An attribute of the class and an option of ``@app.task``."""

    longest_countdown: float = 1500
    """Seconds that a worker holds a task at most before it runs the task again. Brokers deliver a task once more that a
    worker holds for longer than ``visibility_timeout`` (Redis, 1 h) or ``consumer_timeout`` (RabbitMQ, 30 minutes)."""

    @property
    def idempotency_key(self) -> str:
        """A key for the one event that this task sends: the id of the task, which is the same in all of its runs. A
        task that sends several events appends a name to it, a different one for each."""
        return f"celery-{self.request.id}"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        request = self.request
        # A task may call itself as a function.
        direct = request.called_directly or getattr(request, "privy_runs", False)
        try:
            if direct:
                return super().__call__(*args, **kwargs)
            request.privy_runs = True
            with job():
                return self.run(*args, **kwargs)
        except privy.PrivyError as error:
            result = error if direct else self._rescheduled(error)
            if result is error:
                raise
            raise result from error
        finally:  # an exception report may show local variables of its frames
            del args, kwargs, request

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        _seconds(cls.give_up_after)

    def retry(
        self,
        args: Any = None,
        kwargs: Any = None,
        exc: BaseException | None = None,
        throw: bool = True,
        eta: datetime | None = None,
        countdown: float | None = None,
        max_retries: int | None = None,
        **options: Any,
    ) -> Any:
        """As ``celery.Task.retry``. With an exception of privy as ``exc`` it reschedules the task as the class says;
        then ``eta``, ``countdown`` and ``max_retries`` have no effect."""
        try:
            if not isinstance(exc, privy.PrivyError) or self.request.called_directly:
                return super().retry(args, kwargs, exc, throw, eta, countdown, max_retries, **options)
            result = self._rescheduled(exc, args, kwargs, options)
            if throw or not isinstance(result, Retry):
                raise result
            return result
        finally:
            del args, kwargs, options

    def _rescheduled(
        self, error: privy.PrivyError, args: Any = None, kwargs: Any = None, options: Mapping[str, Any] = _NONE
    ) -> BaseException:
        """Sends the task to the queue once more. Returns what the task has to raise."""
        request = self.request
        if not error.retryable or request.is_eager:
            return error
        headers = dict(request.headers or {})
        now = time.time()
        since = headers.setdefault(_SINCE, now)
        delay = self._delay(error, headers)
        if now + delay > since + _seconds(self.give_up_after):
            return error
        eta = datetime.fromtimestamp(now + delay, timezone.utc)
        more = {**options, "eta": eta, "retries": request.retries, "headers": headers}
        signature = self.signature_from_request(request, args, kwargs, **more)
        try:
            signature.apply_async()
        except Exception as failure:  # the broker does not accept it
            return Reject(failure, requeue=True) if self.acks_late else error
        retry: BaseException = Retry(exc=error, when=eta, is_eager=False, sig=signature)
        return retry

    def _delay(self, error: privy.PrivyError, headers: dict[str, Any]) -> float:
        """Seconds until the task runs again. Counts the errors in a row that do not say when to retry."""
        if error.retry_after is not None:
            headers[_FAILURES] = 0
            return min(error.retry_after, self.longest_countdown)
        headers[_FAILURES] = headers.get(_FAILURES, 0) + 1
        return min(_core.job_backoff(random.random(), headers[_FAILURES]), self.longest_countdown)


def _seconds(duration: float | str | timedelta) -> float:
    if isinstance(duration, timedelta):
        return duration.total_seconds()
    text = str(duration)
    number, unit = (text[:-1], text[-1]) if text and text[-1] in _UNITS else (text, "s")
    try:
        return float(number) * _UNITS[unit].total_seconds()
    except ValueError:
        raise privy.PrivyError(
            f"give_up_after must be a number of seconds, a timedelta or text such as '12h', not {duration!r}"
        ) from None


def register_serializers() -> None:
    """Registers contacts, orders, event receipts and pages with kombu's JSON serializer, so that tasks take and return
    them. Importing ``privy.celery`` does it.

    What is read is equal to what was written: decimals, times and fields that privy does not know. The program that
    reads a result imports ``privy.celery`` too.
    """
    for record in (privy.Contact, privy.Order, privy.EventReceipt):
        register_type(record, f"privy.{record.__name__}", record.to_json, record.from_json)
    register_type(privy.Page, "privy.Page", _page_to_json, _page_from_json)
    register_type(_core.JSONObject, "privy.JSONObject", _core.JSONObject.to_dict, _as_it_is)


def _as_it_is(members: dict[str, Any]) -> Any:
    return members


def _page_to_json(page: privy.Page) -> list[object]:
    parts: Any = page.__reduce__()
    records, pagination = parts[1]
    return [list(records), None if pagination is None else pagination.decode()]


def _page_from_json(parts: list[Any]) -> privy.Page:
    records, pagination = parts
    return _core._load_page(tuple(records), None if pagination is None else pagination.encode())


register_serializers()
