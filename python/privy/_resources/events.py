"""Operations on events."""

from __future__ import annotations

from _collections_abc import Callable, Mapping, Sequence
from os import PathLike

import privy

from .._core import EventReceipt, Omit, omit, validate
from .._hidden import hidden
from ._base import Resource, run_settings


class Events(Resource):
    """Events of contacts."""

    def ingest(
        self,
        event_type: str,
        *,
        email: str | Omit = omit,
        phone: str | Omit = omit,
        privy_id: str | Omit = omit,
        event_time: privy.types.Time | Omit = omit,
        event_data: Mapping[str, object] | Omit = omit,
        idempotency_key: str | Omit = omit,
        extra: Mapping[str, privy.types.Json] | None = None,
        extra_headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> EventReceipt:
        """Records an event of the contact that exactly one of ``email``, ``phone`` and ``privy_id`` identifies.

        Args:
            event_type: name of the event: 1 to 128 characters of A-Z, a-z, 0-9, ``_`` and ``-``.
            email: e-mail address of the contact; the API creates a missing contact.
            phone: phone number of the contact in E.164; the API creates a missing contact.
            privy_id: id of an existing contact.
            event_time: time of the event; default: the time of receipt. Text must be in UTC.
            event_data: any further data, nested at most 10 levels; stored unchanged.
            idempotency_key: sending the event again with the same key has no effect: the response is that of the first
                time, with ``EventReceipt.idempotent_replay``.

        Raises:
            ValidationError: a field is invalid, or there is no contact ``privy_id``.
            PayloadTooLargeError: the body is larger than 256 KB.
        """
        params = (event_type, email, phone, privy_id, event_time, event_data, idempotency_key)
        try:
            result: EventReceipt = self._core.call(
                "events.ingest", params, extra, extra_headers, timeout, connect_timeout, max_wait, max_retries
            )
        except BaseException:  # an exception report may show local variables of its frames
            del (
                params,
                event_type,
                email,
                phone,
                privy_id,
                event_time,
                event_data,
                idempotency_key,
                extra,
                extra_headers,
            )
            raise
        return result

    @hidden
    def ingest_many(
        self,
        rows: privy.types.Rows,
        *,
        nulls: privy.types.Nulls | None = None,
        check_first: bool = False,
        concurrency: int | None = None,
        on_progress: Callable[[privy.Progress], object] | None = None,
        progress: bool = False,
        journal: str | PathLike[str] | None = None,
        resume: privy.types.Resume = "auto",
        on_spent_day: privy.types.OnSpentDay = "stop",
        until: privy.types.Time | None = None,
        extra_headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> privy.Bulk[EventReceipt]:
        """Records many events with concurrent calls. ``event_type`` is a key of each row.

        Creating the run sends nothing: iterate it to get a ``Result`` for each row, or call ``run`` to get a
        ``BulkReport``. Rows with the same key keep their order. Only a wait for the rate limit of more than
        ``max_wait`` and the instant ``until`` end the run early: see ``Bulk``.

        Args:
            rows: an iterable of dicts with the parameters of ``ingest``, and further fields under ``extra``; or of
                dataclasses, named tuples, pydantic models or database rows; or a frame of pandas or polars, or an
                Arrow table or stream. The run takes a row when its call can start.
            nulls: ``"omit"``: a null, NaN, NaT or NA is as if not given; ``"send"``: it is sent as null. Default:
                ``"send"`` for rows that are mappings, ``"omit"`` for others.
            check_first: validates all rows before the first request, and raises ``ValidationError`` with the errors of
                all rows if one is invalid. Holds all rows in memory.
            concurrency: maximum number of calls in flight (8).
            on_progress: called with a ``Progress`` after each row, and when all calls start or stop waiting.
            progress: shows a progress bar: that of tqdm if it is installed, else one line on a terminal.
            journal: path of a file that keeps what becomes of each row. The same call with the same journal continues
                where the last one stopped, even if that was killed: rows that are done cost nothing, rows whose
                response was lost are repeated safely, and changed rows are sent again. It holds personal data.
            resume: ``"auto"``: continues the journal, or begins a new one; ``"only"``: a missing journal is an error;
                ``"restart"``: forgets what the journal holds, and sends all rows.
            on_spent_day: when the limit of the day is reached: ``"stop"`` ends the run with ``RateLimitError``,
                ``"wait"`` waits for the next day.
            until: an aware datetime, or ISO 8601 text with a time zone: from then on the run sends no request, and ends
                with ``DeadlineError`` if rows are left.
            extra_headers: headers that are sent with each request, such as ``traceparent``.
            timeout, connect_timeout, max_retries: options of each call, as for the client.
            max_wait: seconds that each call may wait (3,600, whatever the option of the client): longer than a window
                of the limit per minute, shorter than one of the limit per day.

        Raises:
            ValidationError: a column of a frame is not a parameter, or a required one is missing; or, with
                ``check_first``, a row is invalid. Nothing was sent.
            RateLimitError: raised by the iterator after all results, if the rate limit ends the run; ``unsent`` has the
                rows that were not sent.
            DeadlineError: raised by the iterator in the same way at ``until``.
            JournalError: another run uses the journal (``code`` is ``journal_locked``), or it cannot be written, or
                belongs to another operation or account.
        """
        settings = run_settings(journal, resume, on_spent_day, until)
        options = (extra_headers, timeout, connect_timeout, max_wait, max_retries)
        return self._bulk(
            "events.ingest", rows, nulls, check_first, concurrency, on_progress, progress, settings, options
        )

    @hidden
    def validate_many(
        self, rows: privy.types.Rows, *, nulls: privy.types.Nulls | None = None
    ) -> Sequence[privy.RefusedRow]:
        """Validates rows without sending them.

        Checks every rule except those that only the server can check, such as the country of a phone number.

        Args:
            rows, nulls: as for ``ingest_many``.

        Returns:
            One entry for each error of each row: ``index``, ``key``, ``field``, ``message``, ``value``. Empty if all
                rows are valid.
        """
        from .._bulk_rows import details_of

        return details_of("events.ingest", rows, nulls)

    @hidden
    def validate(
        self, /, *, extra: Mapping[str, privy.types.Json] | None = None, **fields: object
    ) -> privy.types.Details:
        """Validates the fields of a call without sending a request.

        Args:
            extra: further fields, as for ``ingest``.
            fields: parameters of ``ingest``, by name, ``event_type`` included. An unknown name is an error; its message
                suggests a similar name.

        Returns:
            Error details: dicts with ``field``, ``message`` and ``code``, as in ``ValidationError.details``; empty if
                the fields are valid.
        """
        return validate("events.ingest", fields, extra)
