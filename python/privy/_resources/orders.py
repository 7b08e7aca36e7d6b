"""Operations on orders."""

from __future__ import annotations

from _collections_abc import Callable, Mapping, Sequence
from os import PathLike

import privy

from .._core import Omit, Order, omit, validate
from .._hidden import hidden
from ._base import Resource, run_settings


class Orders(Resource):
    """Orders of a store."""

    def upsert(
        self,
        *,
        order_id: int | str | Omit = omit,
        email: str | Omit = omit,
        phone: str | Omit = omit,
        total: privy.types.Money | Omit = omit,
        currency: str | Omit = omit,
        order_date: privy.types.Time | Omit = omit,
        customer_id: str | Omit = omit,
        subtotal: privy.types.Money | Omit = omit,
        discounts: Sequence[Mapping[str, object]] | Omit = omit,
        tax_lines: Sequence[Mapping[str, object]] | Omit = omit,
        total_items: int | Omit = omit,
        financial_status: str | Omit = omit,
        fulfillment_status: str | Omit = omit,
        line_items: Sequence[Mapping[str, object]] | Omit = omit,
        billing_address: Mapping[str, object] | Omit = omit,
        shipping_address: Mapping[str, object] | Omit = omit,
        accepts_email_marketing: bool | Omit = omit,
        accepts_sms_marketing: bool | Omit = omit,
        initial_sync: bool | Omit = omit,
        integration_token: str | Omit = omit,
        extra: Mapping[str, privy.types.Json] | None = None,
        extra_headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> Order:
        """Creates or updates the order with this ``order_id``. Send the full state of the order each time.

        A field that is not given keeps its stored value. At least one of ``email`` and ``phone`` is required. The API
        looks up the contact by e-mail address first, and creates a missing contact. ``Order.created`` is True for a
        new order.

        Args:
            order_id: your id of the order, a positive integer or a string of digits. It is the key of the upsert.
            email: e-mail address of the customer.
            phone: phone number of the customer, in E.164.
            total: total price, in units of ``currency``.
            currency: ISO 4217 code, such as ``USD``.
            order_date: when the order was placed.
            customer_id: your id of the customer.
            subtotal: price of all items.
            discounts: mappings with ``code`` and ``amount``.
            tax_lines: mappings with ``title`` and ``amount``.
            total_items: number of items, 0 or more.
            financial_status: such as ``paid``; any text.
            fulfillment_status: such as ``fulfilled``; any text.
            line_items: mappings with ``sku``, ``quantity``, ``price`` and your own keys.
            billing_address: mapping with ``first_name``, ``last_name``, ``city``, ``state_code``, ``country_code``,
                ``postal_code`` and your own keys.
            shipping_address: the same.
            accepts_email_marketing: subscribes the e-mail address of a contact that this call creates.
            accepts_sms_marketing: records an SMS opt-in on a contact that this call creates; needs ``phone``.
            initial_sync: True for a historical import, without flows, automations or campaign attribution.
            integration_token: token of the Custom Integration that the order belongs to; sent as a header.

        Raises:
            ValidationError: a field is invalid, or the integration token is unknown or inactive.
        """
        params = (
            order_id,
            email,
            phone,
            total,
            currency,
            order_date,
            customer_id,
            subtotal,
            discounts,
            tax_lines,
            total_items,
            financial_status,
            fulfillment_status,
            line_items,
            billing_address,
            shipping_address,
            accepts_email_marketing,
            accepts_sms_marketing,
            initial_sync,
            integration_token,
        )
        try:
            result: Order = self._core.call(
                "orders.upsert", params, extra, extra_headers, timeout, connect_timeout, max_wait, max_retries
            )
        except BaseException:  # an exception report may show local variables of its frames
            del (
                params,
                order_id,
                email,
                phone,
                total,
                currency,
                order_date,
                customer_id,
                subtotal,
                discounts,
                tax_lines,
                total_items,
                financial_status,
                fulfillment_status,
                line_items,
                billing_address,
                shipping_address,
                accepts_email_marketing,
                accepts_sms_marketing,
                initial_sync,
                integration_token,
                extra,
                extra_headers,
            )
            raise
        return result

    @hidden
    def upsert_many(
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
    ) -> privy.Bulk[Order]:
        """Creates or updates many orders with concurrent calls.

        Creating the run sends nothing: iterate it to get a ``Result`` for each row, or call ``run`` to get a
        ``BulkReport``. Rows with the same key keep their order. Only a wait for the rate limit of more than
        ``max_wait`` and the instant ``until`` end the run early: see ``Bulk``.

        Args:
            rows: an iterable of dicts with the parameters of ``upsert``, and further fields under ``extra``; or of
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
            "orders.upsert", rows, nulls, check_first, concurrency, on_progress, progress, settings, options
        )

    @hidden
    def validate_many(
        self, rows: privy.types.Rows, *, nulls: privy.types.Nulls | None = None
    ) -> Sequence[privy.RefusedRow]:
        """Validates rows without sending them.

        Checks every rule except those that only the server can check, such as the country of a phone number.

        Args:
            rows, nulls: as for ``upsert_many``.

        Returns:
            One entry for each error of each row: ``index``, ``key``, ``field``, ``message``, ``value``. Empty if all
                rows are valid.
        """
        from .._bulk_rows import details_of

        return details_of("orders.upsert", rows, nulls)

    @hidden
    def validate(
        self, /, *, extra: Mapping[str, privy.types.Json] | None = None, **fields: object
    ) -> privy.types.Details:
        """Validates the fields of a call without sending a request.

        Args:
            extra: further fields, as for ``upsert``.
            fields: parameters of ``upsert``, by name. An unknown name is an error; its message suggests a similar name.

        Returns:
            Error details: dicts with ``field``, ``message`` and ``code``, as in ``ValidationError.details``; empty if
                the fields are valid.
        """
        return validate("orders.upsert", fields, extra)
