"""The methods of ``Contacts``, ``Orders`` and ``Events``, for asyncio. Tests compare the signatures."""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike

import privy

from ._async_methods import AsyncResource
from ._core import Contact, EventReceipt, Omit, Order, omit

class AsyncContacts(AsyncResource):
    """Contacts of a store. The methods are those of ``Contacts``, as coroutines."""

    async def create(
        self,
        *,
        email: str | None | Omit = omit,
        phone_number: str | None | Omit = omit,
        first_name: str | None | Omit = omit,
        last_name: str | None | Omit = omit,
        email_consent: privy.types.EmailConsent | str | Omit = omit,
        sms_consent: privy.types.NewSmsConsent | str | Omit = omit,
        tags: Sequence[str] | Omit = omit,
        custom_fields: Mapping[str, privy.types.Scalar] | Omit = omit,
        send_welcome_sms: bool | Omit = omit,
        extra: Mapping[str, privy.types.Json] | None = None,
        extra_headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> Contact:
        """Creates a contact, or restores a deleted one that has the same e-mail address or phone number."""

    async def get(
        self,
        id: str,
        *,
        extra: Mapping[str, privy.types.Json] | None = None,
        extra_headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> Contact:
        """Returns the contact with this id (``cus_`` and 1 to 64 characters)."""

    def list(
        self,
        *,
        email: str | Omit = omit,
        phone_number: str | Omit = omit,
        email_consent: privy.types.EmailConsentFilter | str | Omit = omit,
        sms_consent: privy.types.SmsConsentFilter | str | Omit = omit,
        page: int | Omit = omit,
        per_page: int | Omit = omit,
        limit: int | None = None,
        prefetch: bool = True,
        extra: Mapping[str, privy.types.Json] | None = None,
        extra_headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> privy.AsyncContactList:
        """Returns the contacts that match all filters. The list fetches its pages while it is read."""

    async def export(
        self,
        path: str | PathLike[str],
        *,
        format: privy.types.ExportFormat | None = None,
        email_consent: privy.types.EmailConsentFilter | str | Omit = omit,
        sms_consent: privy.types.SmsConsentFilter | str | Omit = omit,
        resume: privy.types.Resume = "auto",
        on_spent_day: privy.types.OnSpentDay = "stop",
        on_progress: Callable[[privy.Progress], object] | None = None,
        progress: bool = False,
        extra: Mapping[str, privy.types.Json] | None = None,
        extra_headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> privy.ExportReport:
        """Writes all contacts that match the filters to a file. 100 contacts cost one request."""

    async def update(
        self,
        id: str,
        *,
        email: str | Omit = omit,
        phone_number: str | Omit = omit,
        first_name: str | None | Omit = omit,
        last_name: str | None | Omit = omit,
        email_consent: privy.types.EmailConsent | str | Omit = omit,
        sms_consent: privy.types.SmsConsent | str | Omit = omit,
        tags: Sequence[str] | Omit = omit,
        custom_fields: Mapping[str, privy.types.Scalar] | Omit = omit,
        send_welcome_sms: bool | Omit = omit,
        extra: Mapping[str, privy.types.Json] | None = None,
        extra_headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> Contact:
        """Changes the given fields of a contact and keeps all others. At least one field is required."""

    async def upsert(
        self,
        *,
        email: str | None | Omit = omit,
        phone_number: str | None | Omit = omit,
        first_name: str | None | Omit = omit,
        last_name: str | None | Omit = omit,
        email_consent: privy.types.EmailConsent | str | Omit = omit,
        sms_consent: privy.types.NewSmsConsent | str | Omit = omit,
        tags: Sequence[str] | Omit = omit,
        custom_fields: Mapping[str, privy.types.Scalar] | Omit = omit,
        send_welcome_sms: bool | Omit = omit,
        extra: Mapping[str, privy.types.Json] | None = None,
        extra_headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> Contact:
        """Creates a contact, or updates the existing one with this e-mail address or phone number."""

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
    ) -> privy.AsyncBulk[Contact]:
        """Creates or updates many contacts with concurrent calls. Each contact costs one request or two."""

    async def plan(
        self,
        rows: privy.types.Rows,
        *,
        nulls: privy.types.Nulls | None = None,
        tags: privy.types.PlanMode = "replace",
        custom_fields: privy.types.PlanMode = "replace",
        resubscribe: bool = False,
        snapshot: str | PathLike[str] | None = None,
        max_age: float | privy.types.timedelta | None = None,
        concurrency: int | None = None,
        on_progress: Callable[[privy.Progress], object] | None = None,
        progress: bool = False,
        on_spent_day: privy.types.OnSpentDay = "stop",
        extra_headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> privy.AsyncPlan:
        """Reads what is there and returns what the rows would change. Changes nothing: ``Plan.apply`` does."""

    def validate_many(
        self,
        rows: privy.types.Rows,
        *,
        nulls: privy.types.Nulls | None = None,
    ) -> Sequence[privy.RefusedRow]:
        """Validates rows without sending them."""

    async def delete(
        self,
        id: str,
        *,
        extra: Mapping[str, privy.types.Json] | None = None,
        extra_headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> Contact | None:
        """Deletes a contact and returns its last state; None if the response has no body (204)."""

    async def unsubscribe(
        self,
        id: str,
        *,
        reason: str | Omit = omit,
        extra: Mapping[str, privy.types.Json] | None = None,
        extra_headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> Contact:
        """Unsubscribes the e-mail address of a contact."""

    def validate(
        self,
        operation: privy.types.ContactOperation = "upsert",
        /,
        *,
        extra: Mapping[str, privy.types.Json] | None = None,
        **fields: object,
    ) -> privy.types.Details:
        """Validates the fields of a call without sending a request."""

class AsyncOrders(AsyncResource):
    """Orders of a store. The methods are those of ``Orders``, as coroutines."""

    async def upsert(
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
        """Creates or updates the order with this ``order_id``. Send the full state of the order each time."""

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
    ) -> privy.AsyncBulk[Order]:
        """Creates or updates many orders with concurrent calls."""

    def validate_many(
        self,
        rows: privy.types.Rows,
        *,
        nulls: privy.types.Nulls | None = None,
    ) -> Sequence[privy.RefusedRow]:
        """Validates rows without sending them."""

    def validate(
        self,
        /,
        *,
        extra: Mapping[str, privy.types.Json] | None = None,
        **fields: object,
    ) -> privy.types.Details:
        """Validates the fields of a call without sending a request."""

class AsyncEvents(AsyncResource):
    """Events of contacts. The methods are those of ``Events``, as coroutines."""

    async def ingest(
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
        """Records an event of the contact that exactly one of ``email``, ``phone`` and ``privy_id`` identifies."""

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
    ) -> privy.AsyncBulk[EventReceipt]:
        """Records many events with concurrent calls. ``event_type`` is a key of each row."""

    def validate_many(
        self,
        rows: privy.types.Rows,
        *,
        nulls: privy.types.Nulls | None = None,
    ) -> Sequence[privy.RefusedRow]:
        """Validates rows without sending them."""

    def validate(
        self,
        /,
        *,
        extra: Mapping[str, privy.types.Json] | None = None,
        **fields: object,
    ) -> privy.types.Details:
        """Validates the fields of a call without sending a request."""
