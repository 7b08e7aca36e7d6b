"""Operations on orders."""

from __future__ import annotations

from _collections_abc import Callable, Iterable, Mapping, Sequence

import privy

from .._core import Omit, Order, omit, validate
from ._base import Resource


class Orders(Resource):
    """Orders: what a shop reports as sold."""

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
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> Order:
        """Creates or updates the order of this ``order_id``: send its full state each time.

        A field left out keeps its stored value. At least one of ``email`` and ``phone`` is needed; the e-mail address
        wins for finding the contact, which is created if missing. ``Order.created`` tells whether the order is new.

        Args:
            order_id: your id of the order, a positive integer or a string of digits: the key of the upsert.
            email: e-mail address of the customer.
            phone: phone number of the customer, in E.164.
            total: what the order costs in all, in units of ``currency``.
            currency: ISO 4217 code, such as ``USD``.
            order_date: when the order was placed.
            customer_id: your own id of the customer.
            subtotal: what the items cost together.
            discounts: mappings with ``code`` and ``amount``.
            tax_lines: mappings with ``title`` and ``amount``.
            total_items: number of items, 0 or more.
            financial_status: such as ``paid``; any text.
            fulfillment_status: such as ``fulfilled``; any text.
            line_items: mappings with ``sku``, ``quantity``, ``price`` and keys of your own.
            billing_address: mapping with ``first_name``, ``last_name``, ``city``, ``state_code``, ``country_code``,
                ``postal_code`` and keys of your own.
            shipping_address: the same.
            accepts_email_marketing: subscribes the e-mail address of a contact that this call creates.
            accepts_sms_marketing: records an SMS opt-in on a contact that this call creates; needs ``phone``.
            initial_sync: True for a historical import: no flows, automations or campaign attribution.
            integration_token: ties the order to one Custom Integration; it travels as a header.

        Raises:
            ValidationError: a field is wrong, or the integration token is unknown or inactive.
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
                "orders.upsert", params, extra, timeout, connect_timeout, max_wait, max_retries
            )
        finally:  # a report of an exception may show the local variables of its frames
            del params, integration_token
        return result

    def upsert_many(
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
    ) -> privy.Bulk[Order]:
        """Creates or updates many orders, a few at a time.

        Nothing is sent before the run is iterated, or its ``run`` called: iterating gives a ``Result`` for each row,
        ``run`` returns a ``BulkReport``. Rows of one key keep their order. Only a budget that is spent for longer than
        ``max_wait`` ends the run early; ``Bulk`` says what holds then.

        Args:
            rows: any iterable of dicts with the parameters of ``upsert``; taken only as places free up. Further fields
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
        return self._bulk("orders.upsert", rows, check_first, concurrency, on_progress, options)

    def validate_many(self, rows: Iterable[privy.types.Row]) -> Sequence[privy.RefusedRow]:
        """The faults that ``upsert_many`` with these rows would report for them, without making a call.

        Costs no request. What only the server knows, such as the country of a phone number, is not checked.

        Args:
            rows: as for ``upsert_many``.

        Returns:
            One entry for each fault of each row: ``index``, ``key``, ``field``, ``message``, ``value``. Empty when
            nothing is wrong.
        """
        from .._bulk_rows import faults_of

        return faults_of("orders.upsert", rows)

    def validate(
        self, /, *, extra: Mapping[str, privy.types.Json] | None = None, **fields: object
    ) -> privy.types.Faults:
        """The faults that ``upsert`` with these fields would raise, without making the call: no request is sent.

        Args:
            extra: further fields, as for ``upsert``.
            fields: parameters of ``upsert``, by name. A name that it does not have is a fault, with the name that may
                be meant.

        Returns:
            Dicts with ``field`` and ``message``, as ``ValidationError.details`` has them; empty when nothing is wrong.
        """
        return validate("orders.upsert", fields, extra)
