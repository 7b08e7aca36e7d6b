"""Operations on contacts."""

from __future__ import annotations

from _collections_abc import Callable, Iterable, Mapping, Sequence

import privy

from .._core import Contact, Omit, omit, validate
from ._base import Resource

PER_PAGE = 100
"""Contacts per page by default: the most that the API allows."""


class Contacts(Resource):
    """Contacts: the people whom a shop may write to."""

    def create(
        self,
        *,
        email: str | None | Omit = omit,
        phone_number: str | None | Omit = omit,
        first_name: str | None | Omit = omit,
        last_name: str | None | Omit = omit,
        email_consent: privy.types.EmailConsent | Omit = omit,
        sms_consent: privy.types.NewSmsConsent | Omit = omit,
        tags: Sequence[str] | Omit = omit,
        custom_fields: Mapping[str, privy.types.Scalar] | Omit = omit,
        send_welcome_sms: bool | Omit = omit,
        extra: Mapping[str, privy.types.Json] | None = None,
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
        params = (
            email,
            phone_number,
            first_name,
            last_name,
            email_consent,
            sms_consent,
            tags,
            custom_fields,
            send_welcome_sms,
        )
        result: Contact = self._core.call(
            "contacts.create", params, extra, timeout, connect_timeout, max_wait, max_retries
        )
        return result

    def get(
        self,
        id: str,
        *,
        extra: Mapping[str, privy.types.Json] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> Contact:
        """The contact of this id (``cus_`` and 1 to 64 characters).

        Raises:
            ValidationError: ``id`` is no such id.
            NotFoundError: there is no such contact.
        """
        params = (id,)
        result: Contact = self._core.call(
            "contacts.get", params, extra, timeout, connect_timeout, max_wait, max_retries
        )
        return result

    def list(
        self,
        *,
        email: str | Omit = omit,
        phone_number: str | Omit = omit,
        email_consent: privy.types.EmailConsentFilter | Omit = omit,
        sms_consent: privy.types.SmsConsentFilter | Omit = omit,
        page: int | Omit = omit,
        per_page: int | Omit = omit,
        prefetch: bool = True,
        extra: Mapping[str, privy.types.Json] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> privy.ContactList:
        """The contacts that a filter finds, page by page as they are read. Nothing is sent before the first use.

        Args:
            email: exactly this e-mail address.
            phone_number: exactly this phone number, in E.164.
            email_consent: this consent to e-mail; ``subscribed`` finds explicit and implicit opt-in, ``suppressed``
                the merchant's own suppressions only.
            sms_consent: this consent to SMS.
            page: number of the page to start at, from 1.
            per_page: contacts a page, 1 to 100; 100 when left out, because requests are scarce.
            prefetch: whether to ask for the next page while one is read, as ``ContactList`` tells; False asks for it
                when it is needed.

        Raises:
            ValidationError: a filter is wrong; raised by the first use of the list.
        """
        from .._pagination import CallSpec

        params: dict[str, object] = {
            "email": email,
            "phone_number": phone_number,
            "email_consent": email_consent,
            "sms_consent": sms_consent,
            "page": page,
            "per_page": PER_PAGE if per_page is omit else per_page,
        }
        request = CallSpec("contacts.list", params, extra, timeout, connect_timeout, max_wait, max_retries)
        return self._list(request, prefetch)

    def update(
        self,
        id: str,
        *,
        email: str | Omit = omit,
        phone_number: str | Omit = omit,
        first_name: str | None | Omit = omit,
        last_name: str | None | Omit = omit,
        email_consent: privy.types.EmailConsent | Omit = omit,
        sms_consent: privy.types.SmsConsent | Omit = omit,
        tags: Sequence[str] | Omit = omit,
        custom_fields: Mapping[str, privy.types.Scalar] | Omit = omit,
        send_welcome_sms: bool | Omit = omit,
        extra: Mapping[str, privy.types.Json] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> Contact:
        """Changes the fields given and keeps all others. At least one is needed.

        A change that may have been made although its answer was lost is repeated within 30 seconds or not at all: later
        it could undo what happened meanwhile, such as a consent that the person has withdrawn.

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
        params = (
            id,
            email,
            phone_number,
            first_name,
            last_name,
            email_consent,
            sms_consent,
            tags,
            custom_fields,
            send_welcome_sms,
        )
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
        email_consent: privy.types.EmailConsent | Omit = omit,
        sms_consent: privy.types.NewSmsConsent | Omit = omit,
        tags: Sequence[str] | Omit = omit,
        custom_fields: Mapping[str, privy.types.Scalar] | Omit = omit,
        send_welcome_sms: bool | Omit = omit,
        extra: Mapping[str, privy.types.Json] | None = None,
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
        params = (
            email,
            phone_number,
            first_name,
            last_name,
            email_consent,
            sms_consent,
            tags,
            custom_fields,
            send_welcome_sms,
        )
        result: Contact = self._core.call(
            "contacts.upsert", params, extra, timeout, connect_timeout, max_wait, max_retries
        )
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
    ) -> privy.Bulk[Contact]:
        """Creates or updates many contacts, a few at a time; each costs one request or two.

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
        return self._bulk("contacts.upsert", rows, check_first, concurrency, on_progress, options)

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

        return faults_of("contacts.upsert", rows)

    def delete(
        self,
        id: str,
        *,
        extra: Mapping[str, privy.types.Json] | None = None,
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
        params = (id,)
        result: Contact | None = self._core.call(
            "contacts.delete", params, extra, timeout, connect_timeout, max_wait, max_retries
        )
        return result

    def unsubscribe(
        self,
        id: str,
        *,
        reason: str | Omit = omit,
        extra: Mapping[str, privy.types.Json] | None = None,
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
        params = (id, reason)
        result: Contact = self._core.call(
            "contacts.unsubscribe", params, extra, timeout, connect_timeout, max_wait, max_retries
        )
        return result

    def validate(
        self,
        operation: privy.types.ContactOperation = "upsert",
        /,
        *,
        extra: Mapping[str, privy.types.Json] | None = None,
        **fields: object,
    ) -> privy.types.Faults:
        """The faults that a call with these fields would raise, without making it: no request is sent.

        Args:
            operation: name of the method whose rules are asked about: ``create``, ``update``, ``list`` and so on.
            extra: further fields, as for the method.
            fields: parameters of the method, by name. A name that it does not have is a fault, with the name that may
                be meant.

        Returns:
            Dicts with ``field`` and ``message``, as ``ValidationError.details`` has them; empty when nothing is wrong.
        """
        return validate(f"contacts.{operation}", fields, extra)
