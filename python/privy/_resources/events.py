"""Operations on events."""

from __future__ import annotations

from _collections_abc import Callable, Iterable, Mapping, Sequence

import privy

from .._core import EventReceipt, Omit, omit, validate
from ._base import Resource


class Events(Resource):
    """Events: what happened to a contact."""

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
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> EventReceipt:
        """Records that something happened to a contact, told by exactly one of ``email``, ``phone``, ``privy_id``.

        Args:
            event_type: what happened: 1 to 128 characters of A-Z, a-z, 0-9, ``_`` and ``-``.
            email: e-mail address of the contact, which is created if missing.
            phone: phone number of the contact in E.164; created if missing.
            privy_id: id of the contact, which must exist.
            event_time: when it happened; when received if left out. Text must be in UTC.
            event_data: anything about it, nested at most 10 levels, kept verbatim.
            idempotency_key: a key that makes repeating the event safe: a repetition is answered as the first time, with
                ``EventReceipt.idempotent_replay``.

        Raises:
            ValidationError: a field is wrong, or there is no contact ``privy_id``.
            PayloadTooLargeError: the body is larger than 256 KB.
        """
        params = (event_type, email, phone, privy_id, event_time, event_data, idempotency_key)
        result: EventReceipt = self._core.call(
            "events.ingest", params, extra, timeout, connect_timeout, max_wait, max_retries
        )
        return result

    def ingest_many(
        self,
        rows: Iterable[privy.types.Row],
        *,
        check_first: bool = False,
        concurrency: int | None = None,
        on_progress: Callable[[privy.Progress], object] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> privy.Bulk[EventReceipt]:
        """Records many events, a few at a time; ``event_type`` is a key of each row.

        Nothing is sent before the run is iterated, or its ``run`` called: iterating gives a ``Result`` for each row,
        ``run`` returns a ``BulkReport``. Rows of one key keep their order. Only a budget that is spent for longer than
        ``max_wait`` ends the run early; ``Bulk`` says what holds then.

        Args:
            rows: any iterable of dicts with the parameters of ``ingest``; taken only as places free up. Further fields
                stand under ``extra``.
            check_first: checks all rows before the first request, and raises ``ValidationError`` with all faults of all
                rows when one is wrong. It holds all rows in memory.
            concurrency: calls under way at most; 8 when left out.
            on_progress: called with a ``Progress`` after each row, and when all calls begin or cease to wait.
            timeout, connect_timeout, max_retries: as for the client, for each call.
            max_wait: seconds that each call may wait; an hour when left out, whatever the client's own: enough for any
                minute's budget, not for a day's.

        Raises:
            ValidationError: with ``check_first``, a row is wrong; nothing was sent.
            RateLimitError: the budget is spent, when iterating, after all results; ``unsent`` holds the rows not sent.
        """
        options = (timeout, connect_timeout, max_wait, max_retries)
        return self._bulk("events.ingest", rows, check_first, concurrency, on_progress, options)

    def validate_many(self, rows: Iterable[privy.types.Row]) -> Sequence[privy.RefusedRow]:
        """The faults that ``ingest_many`` with these rows would report for them, without making a call.

        Costs no request. What only the server knows, such as the country of a phone number, is not checked.

        Args:
            rows: as for ``ingest_many``.

        Returns:
            One entry for each fault of each row: ``index``, ``key``, ``field``, ``message``, ``value``. Empty when
            nothing is wrong.
        """
        from .._bulk_rows import faults_of

        return faults_of("events.ingest", rows)

    def validate(
        self, /, *, extra: Mapping[str, privy.types.Json] | None = None, **fields: object
    ) -> privy.types.Faults:
        """The faults that ``ingest`` with these fields would raise, without making the call: no request is sent.

        Args:
            extra: further fields, as for ``ingest``.
            fields: parameters of ``ingest``, by name, ``event_type`` among them. A name that it does not have is a
                fault, with the name that may be meant.

        Returns:
            Dicts with ``field`` and ``message``, as ``ValidationError.details`` has them; empty when nothing is wrong.
        """
        return validate("events.ingest", fields, extra)
