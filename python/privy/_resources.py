"""What the API can do, a method for each operation.

All methods share some parameters. ``extra`` holds further fields, which are sent as they are, for what this version
does not know yet. ``timeout``, ``connect_timeout``, ``max_wait`` (seconds) and ``max_retries`` are options of this call
only, as for ``Client``. A parameter left out is not sent; None sends null, where the API takes it.
"""

from __future__ import annotations

from ._core import omit
from ._pages import PER_PAGE, ContactList

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from . import _core
    from ._core import Contact, EventReceipt, Omit, Order, Page
    from ._types import (
        EmailConsent,
        EmailConsentFilter,
        Json,
        Money,
        NewSmsConsent,
        Scalar,
        SmsConsent,
        SmsConsentFilter,
        Time,
    )


class _Resource:
    __slots__ = ("_core",)

    def __init__(self, core: _core.Client) -> None:
        self._core = core


class Contacts(_Resource):
    """Contacts: the people whom a shop may write to."""

    __slots__ = ()

    def create(
        self,
        *,
        email: str | None | Omit = omit,
        phone_number: str | None | Omit = omit,
        first_name: str | None | Omit = omit,
        last_name: str | None | Omit = omit,
        email_consent: EmailConsent | Omit = omit,
        sms_consent: NewSmsConsent | Omit = omit,
        tags: Sequence[str] | Omit = omit,
        custom_fields: Mapping[str, Scalar] | Omit = omit,
        send_welcome_sms: bool | Omit = omit,
        extra: Mapping[str, Json] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> Contact:
        """Creates a contact; one that was deleted and has the same e-mail address or phone number is restored.

        At least one of ``email`` and ``phone_number`` is needed.

        Args:
            email: e-mail address; None says that there is none.
            phone_number: phone number in E.164, such as ``+14155550171``; None says that there is none.
            first_name: first name; None says that there is none.
            last_name: last name; None says that there is none.
            email_consent: ``subscribed``, ``unsubscribed``, ``never_subscribed`` (the default) or ``suppressed``.
            sms_consent: ``subscribed``, ``single_opt_in`` (both need a phone number of a supported country) or
                ``never_subscribed``.
            tags: labels.
            custom_fields: fields of your own, without nested values.
            send_welcome_sms: False keeps Privy from sending the welcome message when this call subscribes the contact
                to SMS.

        Raises:
            ValidationError: a field is wrong, or a rule over several fields is broken; ``details`` tells each.
            ConflictError: there is such a contact already; ``contact_id`` names it.
        """
        params: dict[str, object] = {
            "email": email,
            "phone_number": phone_number,
            "first_name": first_name,
            "last_name": last_name,
            "email_consent": email_consent,
            "sms_consent": sms_consent,
            "tags": tags,
            "custom_fields": custom_fields,
            "send_welcome_sms": send_welcome_sms,
        }
        result: Contact = self._core.call(
            "contacts.create", params, extra, timeout, connect_timeout, max_wait, max_retries
        )
        return result

    def get(
        self,
        id: str,
        *,
        extra: Mapping[str, Json] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> Contact:
        """The contact of this id (``cus_`` and 16 characters).

        Raises:
            ValidationError: ``id`` is no such id.
            NotFoundError: there is no such contact.
        """
        params: dict[str, object] = {"id": id}
        result: Contact = self._core.call(
            "contacts.get", params, extra, timeout, connect_timeout, max_wait, max_retries
        )
        return result

    def list(
        self,
        *,
        email: str | Omit = omit,
        phone_number: str | Omit = omit,
        email_consent: EmailConsentFilter | Omit = omit,
        sms_consent: SmsConsentFilter | Omit = omit,
        page: int | Omit = omit,
        per_page: int | Omit = omit,
        extra: Mapping[str, Json] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> ContactList:
        """The contacts that a filter finds, page by page as they are read. Nothing is sent before the first use.

        Args:
            email: exactly this e-mail address.
            phone_number: exactly this phone number, in E.164.
            email_consent: this consent to e-mail; ``subscribed`` finds explicit and implicit opt-in, ``suppressed``
                the merchant's own suppressions only.
            sms_consent: this consent to SMS.
            page: number of the page to start at, from 1.
            per_page: contacts a page, 1 to 100; 100 when left out, because requests are scarce.

        Raises:
            ValidationError: a filter is wrong; raised by the first use of the list.
        """
        params: dict[str, object] = {
            "email": email,
            "phone_number": phone_number,
            "email_consent": email_consent,
            "sms_consent": sms_consent,
            "page": page,
            "per_page": PER_PAGE if per_page is omit else per_page,
        }

        def fetch(number: int | None) -> Page:
            asked = params if number is None else {**params, "page": number}
            result: Page = self._core.call(
                "contacts.list", asked, extra, timeout, connect_timeout, max_wait, max_retries
            )
            return result

        return ContactList(
            fetch,
            page if isinstance(page, int) else None,
            per_page if isinstance(per_page, int) else PER_PAGE,
        )

    def update(
        self,
        id: str,
        *,
        email: str | Omit = omit,
        phone_number: str | Omit = omit,
        first_name: str | None | Omit = omit,
        last_name: str | None | Omit = omit,
        email_consent: EmailConsent | Omit = omit,
        sms_consent: SmsConsent | Omit = omit,
        tags: Sequence[str] | Omit = omit,
        custom_fields: Mapping[str, Scalar] | Omit = omit,
        send_welcome_sms: bool | Omit = omit,
        extra: Mapping[str, Json] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> Contact:
        """Changes the fields given and keeps all others. At least one is needed.

        Args:
            id: the contact's id.
            email: e-mail address; accepted only while the contact has none, never changed or cleared afterwards.
            phone_number: phone number in E.164, such as ``+14155550171``; accepted only while the contact has none,
                never changed or cleared afterwards.
            first_name: first name; None clears it.
            last_name: last name; None clears it.
            email_consent: ``subscribed``, ``unsubscribed``, ``never_subscribed`` or ``suppressed``.
            sms_consent: ``subscribed``, ``single_opt_in``, ``unsubscribed`` (all need the contact to have a phone
                number) or ``never_subscribed``.
            tags: labels; replaces all of them.
            custom_fields: fields of your own, without nested values; replaces all of them.
            send_welcome_sms: False keeps Privy from sending the welcome message when this call subscribes the contact
                to SMS.

        Raises:
            ValidationError: a field is wrong, nothing is to be changed, or the contact does not allow the change.
            NotFoundError: there is no such contact.
            ConflictError: another contact has this e-mail address or phone number.
        """
        params: dict[str, object] = {
            "id": id,
            "email": email,
            "phone_number": phone_number,
            "first_name": first_name,
            "last_name": last_name,
            "email_consent": email_consent,
            "sms_consent": sms_consent,
            "tags": tags,
            "custom_fields": custom_fields,
            "send_welcome_sms": send_welcome_sms,
        }
        result: Contact = self._core.call(
            "contacts.update", params, extra, timeout, connect_timeout, max_wait, max_retries
        )
        return result

    def upsert(
        self,
        *,
        email: str | None | Omit = omit,
        phone_number: str | None | Omit = omit,
        first_name: str | None | Omit = omit,
        last_name: str | None | Omit = omit,
        email_consent: EmailConsent | Omit = omit,
        sms_consent: NewSmsConsent | Omit = omit,
        tags: Sequence[str] | Omit = omit,
        custom_fields: Mapping[str, Scalar] | Omit = omit,
        send_welcome_sms: bool | Omit = omit,
        extra: Mapping[str, Json] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> Contact:
        """Creates a contact, or updates the one that has this e-mail address or phone number already.

        Costs one request when the contact is new, otherwise two. Fields are those of ``create``; ``tags`` and
        ``custom_fields`` replace what an existing contact has.

        Raises:
            ValidationError: a field is wrong, or the existing contact does not allow the change.
            ConflictError: e-mail address and phone number belong to two contacts, or the answer named none.
        """
        params: dict[str, object] = {
            "email": email,
            "phone_number": phone_number,
            "first_name": first_name,
            "last_name": last_name,
            "email_consent": email_consent,
            "sms_consent": sms_consent,
            "tags": tags,
            "custom_fields": custom_fields,
            "send_welcome_sms": send_welcome_sms,
        }
        result: Contact = self._core.call(
            "contacts.upsert", params, extra, timeout, connect_timeout, max_wait, max_retries
        )
        return result

    def delete(
        self,
        id: str,
        *,
        extra: Mapping[str, Json] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> Contact | None:
        """Deletes a contact and returns it as it was; None when the server answers without it (204).

        A later ``create`` with the same e-mail address or phone number restores it.

        Raises:
            ValidationError: ``id`` is no contact's id.
            NotFoundError: there is no such contact.
        """
        params: dict[str, object] = {"id": id}
        result: Contact | None = self._core.call(
            "contacts.delete", params, extra, timeout, connect_timeout, max_wait, max_retries
        )
        return result

    def unsubscribe(
        self,
        id: str,
        *,
        reason: str | Omit = omit,
        extra: Mapping[str, Json] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> Contact:
        """Unsubscribes a contact's e-mail address.

        Deprecated by the API, hence a ``DeprecationWarning``: use ``update`` with ``email_consent="unsubscribed"``.

        Args:
            id: the contact's id.
            reason: why, at most 500 characters.

        Raises:
            ValidationError: ``id`` or ``reason`` is wrong.
            NotFoundError: there is no such contact.
        """
        params: dict[str, object] = {"id": id, "reason": reason}
        result: Contact = self._core.call(
            "contacts.unsubscribe", params, extra, timeout, connect_timeout, max_wait, max_retries
        )
        return result


class Orders(_Resource):
    """Orders: what a shop reports as sold."""

    __slots__ = ()

    def upsert(
        self,
        *,
        order_id: int | str | Omit = omit,
        email: str | Omit = omit,
        phone: str | Omit = omit,
        total: Money | Omit = omit,
        currency: str | Omit = omit,
        order_date: Time | Omit = omit,
        customer_id: str | Omit = omit,
        subtotal: Money | Omit = omit,
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
        extra: Mapping[str, Json] | None = None,
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
        params: dict[str, object] = {
            "order_id": order_id,
            "email": email,
            "phone": phone,
            "total": total,
            "currency": currency,
            "order_date": order_date,
            "customer_id": customer_id,
            "subtotal": subtotal,
            "discounts": discounts,
            "tax_lines": tax_lines,
            "total_items": total_items,
            "financial_status": financial_status,
            "fulfillment_status": fulfillment_status,
            "line_items": line_items,
            "billing_address": billing_address,
            "shipping_address": shipping_address,
            "accepts_email_marketing": accepts_email_marketing,
            "accepts_sms_marketing": accepts_sms_marketing,
            "initial_sync": initial_sync,
            "integration_token": integration_token,
        }
        result: Order = self._core.call("orders.upsert", params, extra, timeout, connect_timeout, max_wait, max_retries)
        return result


class Events(_Resource):
    """Events: what happened to a contact."""

    __slots__ = ()

    def ingest(
        self,
        event_type: str,
        *,
        email: str | Omit = omit,
        phone: str | Omit = omit,
        privy_id: str | Omit = omit,
        event_time: Time | Omit = omit,
        event_data: Mapping[str, object] | Omit = omit,
        idempotency_key: str | Omit = omit,
        extra: Mapping[str, Json] | None = None,
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
        params: dict[str, object] = {
            "event_type": event_type,
            "email": email,
            "phone": phone,
            "privy_id": privy_id,
            "event_time": event_time,
            "event_data": event_data,
            "idempotency_key": idempotency_key,
        }
        result: EventReceipt = self._core.call(
            "events.ingest", params, extra, timeout, connect_timeout, max_wait, max_retries
        )
        return result
