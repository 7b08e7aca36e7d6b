"""Operations on contacts."""

from __future__ import annotations

from _collections_abc import Callable, Mapping, Sequence
from os import PathLike

import privy

from .._core import Contact, Omit, omit, validate
from .._hidden import hidden
from ._base import Resource, run_settings

PER_PAGE = 100
"""Contacts per page by default: the most that the API allows."""


class Contacts(Resource):
    """Contacts of a store: people with their consents to e-mail and SMS."""

    def create(
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
        """Creates a contact, or restores a deleted one that has the same e-mail address or phone number.

        At least one of ``email`` and ``phone_number`` is required.

        Args:
            email: e-mail address; None for a contact without one.
            phone_number: phone number in E.164, such as ``+14155550171``; None for a contact without one.
            first_name: first name, or None.
            last_name: last name, or None.
            email_consent: ``subscribed``, ``unsubscribed``, ``never_subscribed`` (the default) or ``suppressed``.
            sms_consent: ``subscribed``, ``single_opt_in`` (both require a phone number of a supported country) or
                ``never_subscribed``.
            tags: labels.
            custom_fields: your own fields, without nested values.
            send_welcome_sms: if False, Privy sends no welcome message when this call subscribes the contact to SMS.

        Raises:
            ValidationError: a field is invalid, or a rule over several fields is broken; ``details`` lists each error.
            ConflictError: a contact with this e-mail address or phone number exists; ``contact_id`` is its id.
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
        try:
            result: Contact = self._core.call(
                "contacts.create", params, extra, extra_headers, timeout, connect_timeout, max_wait, max_retries
            )
        except BaseException:  # an exception report may show local variables of its frames
            del (
                params,
                email,
                phone_number,
                first_name,
                last_name,
                email_consent,
                sms_consent,
                tags,
                custom_fields,
                send_welcome_sms,
                extra,
                extra_headers,
            )
            raise
        return result

    def get(
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
        """Returns the contact with this id (``cus_`` and 1 to 64 characters).

        Raises:
            ValidationError: ``id`` is not a contact id.
            NotFoundError: there is no contact with this id.
        """
        params = (id,)
        try:
            result: Contact = self._core.call(
                "contacts.get", params, extra, extra_headers, timeout, connect_timeout, max_wait, max_retries
            )
        except BaseException:  # an exception report may show local variables of its frames
            del params, id, extra, extra_headers
            raise
        return result

    @hidden
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
    ) -> privy.ContactList:
        """Returns the contacts that match all filters. The list fetches its pages while it is read.

        Args:
            email: an exact e-mail address.
            phone_number: an exact phone number, in E.164.
            email_consent: e-mail consent; ``subscribed`` matches explicit and implicit opt-in, ``suppressed`` only
                suppressions by the merchant.
            sms_consent: SMS consent.
            page: number of the first page to read, from 1.
            per_page: contacts per page, 1 to 100 (100, to save requests).
            limit: the most contacts that the list returns (all); pages that are not needed for them are not fetched.
            prefetch: whether to request the next page while one is read, as ``ContactList`` describes.

        Raises:
            ValidationError: a filter is invalid; raised by the first use of the list.
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
        options = (extra_headers, timeout, connect_timeout, max_wait, max_retries)
        request = CallSpec("contacts.list", params, extra, *options)
        return self._list(request, prefetch, limit)

    @hidden
    def export(
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
        """Writes all contacts that match the filters to a file. 100 contacts cost one request.

        The file appears when it is complete. Until then ``PATH.partial`` keeps what was read: after an interruption, or
        if the process was killed, the same call continues from the last page. No contact is missed that matches from
        the first request to the last, also if others are created or deleted meanwhile. Both files hold personal data
        and are readable by their owner only; a file that is replaced keeps its mode.

        Args:
            path: the file to write; its folder exists.
            format: ``"csv"``, ``"jsonl"``, ``"db"`` (SQLite) or ``"parquet"``; by default the end of ``path`` says it:
                ``.csv``, ``.jsonl``, ``.ndjson``, ``.db``, ``.sqlite``, ``.sqlite3``, ``.parquet``.
            email_consent: e-mail consent; ``subscribed`` matches explicit and implicit opt-in, ``suppressed`` only
                suppressions by the merchant.
            sms_consent: SMS consent.
            resume: ``"auto"``: continues ``PATH.partial``, or begins; ``"only"``: a missing one is an error;
                ``"restart"``: forgets what it holds.
            on_spent_day: when the limit of the day is reached: ``"stop"`` ends the export with ``RateLimitError``,
                ``"wait"`` waits for the next day.
            on_progress: called with a ``Progress`` after each page, and when the export starts or stops waiting.
            progress: shows a progress bar: that of tqdm if it is installed, else one line on a terminal.
            timeout, connect_timeout, max_retries: options of each call, as for the client.
            max_wait: seconds that each call may wait (3,600, whatever the option of the client): longer than a window
                of the limit per minute, shorter than one of the limit per day.

        Raises:
            ValidationError: a filter is invalid. Nothing was sent.
            ImportError: the format is Parquet and pyarrow is missing. Nothing was sent.
            RateLimitError: the rate limit is reached for longer than ``max_wait``. What was read is kept.
            SnapshotError: a file cannot be used; ``code`` is the reason, such as ``snapshot_filter`` if
                ``PATH.partial`` holds contacts of another filter.
            APIStatusError: the order of the list changes while it is read (``code`` is ``list_unstable``).
        """
        from .._export import ExportSettings

        params = {"email_consent": email_consent, "sms_consent": sms_consent}
        options = (extra_headers, timeout, connect_timeout, max_wait, max_retries)
        settings = ExportSettings(path, format, params, extra, resume, on_spent_day, on_progress, options)
        return self._export(settings, progress)

    def update(
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
        """Changes the given fields of a contact and keeps all others. At least one field is required.

        If the response is lost, the request is retried within 30 seconds or not at all: later it could undo another
        change, such as a consent that the contact has withdrawn.

        Args:
            id: the contact's id.
            email: e-mail address; accepted only while the contact has none, never changed or cleared afterwards.
            phone_number: phone number in E.164, such as ``+14155550171``; accepted only while the contact has none,
                never changed or cleared afterwards.
            first_name: first name; None clears it.
            last_name: last name; None clears it.
            email_consent: ``subscribed``, ``unsubscribed``, ``never_subscribed`` or ``suppressed``.
            sms_consent: ``subscribed``, ``single_opt_in``, ``unsubscribed`` (all require that the contact has a phone
                number) or ``never_subscribed``.
            tags: labels; replaces all of them.
            custom_fields: your own fields, without nested values; replaces all of them.
            send_welcome_sms: if False, Privy sends no welcome message when this call subscribes the contact to SMS.

        Raises:
            ValidationError: a field is invalid, no field is given, or the contact does not allow the change.
            NotFoundError: there is no contact with this id.
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
        try:
            result: Contact = self._core.call(
                "contacts.update", params, extra, extra_headers, timeout, connect_timeout, max_wait, max_retries
            )
        except BaseException:  # an exception report may show local variables of its frames
            del (
                params,
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
                extra,
                extra_headers,
            )
            raise
        return result

    def upsert(
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
        """Creates a contact, or updates the existing one with this e-mail address or phone number.

        Costs one request if the contact is new, otherwise two. The fields are those of ``create``; ``tags`` and
        ``custom_fields`` replace those of an existing contact.

        Raises:
            ValidationError: a field is invalid, or the existing contact does not allow the change.
            ConflictError: e-mail address and phone number belong to two contacts, or the response names no contact.
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
        try:
            result: Contact = self._core.call(
                "contacts.upsert", params, extra, extra_headers, timeout, connect_timeout, max_wait, max_retries
            )
        except BaseException:  # an exception report may show local variables of its frames
            del (
                params,
                email,
                phone_number,
                first_name,
                last_name,
                email_consent,
                sms_consent,
                tags,
                custom_fields,
                send_welcome_sms,
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
    ) -> privy.Bulk[Contact]:
        """Creates or updates many contacts with concurrent calls. Each contact costs one request or two.

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
            "contacts.upsert", rows, nulls, check_first, concurrency, on_progress, progress, settings, options
        )

    @hidden
    def plan(
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
    ) -> privy.Plan:
        """Reads what is there and returns what the rows would change. Changes nothing: ``Plan.apply`` does.

        It reads pages of 100 contacts, or looks up each row, whichever takes fewer requests. Rows whose contact has all
        that they say cost no further request. A row is blocked, with the reason, if the API would refuse it, or if it
        would widen a consent that was withdrawn.

        Args:
            rows, nulls: as for ``upsert_many``. All rows are held in memory.
            tags: ``"replace"``: a contact has the tags of its row afterwards; ``"merge"``: those too that it has.
            custom_fields: the same for custom fields; with ``"merge"``, a null of the row is stored as null.
            resubscribe: whether rows may widen a consent that was withdrawn: an e-mail consent that is
                ``unsubscribed`` or ``suppressed``, an SMS consent that is ``unsubscribed`` or ``pending``.
            snapshot: path of a file that keeps the contacts that were read, if all were. It holds personal data.
            max_age: seconds, or a timedelta: a snapshot that is not older is used in place of reading. Default: none
                is used.
            concurrency: maximum number of calls in flight (8).
            on_progress: called with a ``Progress`` of the requests that read, after each of them.
            progress: shows a progress bar.
            on_spent_day: when the limit of the day is reached: ``"stop"`` raises, ``"wait"`` waits for the next day.
            extra_headers: headers that are sent with each request, also by ``Plan.apply``.
            timeout, connect_timeout, max_retries, max_wait: as for ``upsert_many``.

        Raises:
            ValidationError: a column of a frame is not a parameter, or a required one is missing.
            RateLimitError: the rate limit was reached while reading.
            SnapshotError: the snapshot cannot be used; ``code`` says why.
        """
        from .._plan import PlanSettings

        options = (extra_headers, timeout, connect_timeout, max_wait, max_retries)
        settings = PlanSettings(
            nulls, tags, custom_fields, resubscribe, snapshot, max_age, on_spent_day, concurrency, on_progress, options
        )
        return self._plan(rows, settings, progress)

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

        return details_of("contacts.upsert", rows, nulls)

    def delete(
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
        """Deletes a contact and returns its last state; None if the response has no body (204).

        A later ``create`` with the same e-mail address or phone number restores the contact.

        Raises:
            ValidationError: ``id`` is not a contact id.
            NotFoundError: there is no contact with this id.
        """
        params = (id,)
        try:
            result: Contact | None = self._core.call(
                "contacts.delete", params, extra, extra_headers, timeout, connect_timeout, max_wait, max_retries
            )
        except BaseException:  # an exception report may show local variables of its frames
            del params, id, extra, extra_headers
            raise
        return result

    def unsubscribe(
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
        """Unsubscribes the e-mail address of a contact.

        Raises a ``DeprecationWarning``, because the API deprecates the endpoint: use ``update`` with
        ``email_consent="unsubscribed"``.

        Args:
            id: the contact's id.
            reason: the reason, at most 500 characters.

        Raises:
            ValidationError: ``id`` or ``reason`` is invalid.
            NotFoundError: there is no contact with this id.
        """
        params = (id, reason)
        try:
            result: Contact = self._core.call(
                "contacts.unsubscribe", params, extra, extra_headers, timeout, connect_timeout, max_wait, max_retries
            )
        except BaseException:  # an exception report may show local variables of its frames
            del params, id, reason, extra, extra_headers
            raise
        return result

    @hidden
    def validate(
        self,
        operation: privy.types.ContactOperation = "upsert",
        /,
        *,
        extra: Mapping[str, privy.types.Json] | None = None,
        **fields: object,
    ) -> privy.types.Details:
        """Validates the fields of a call without sending a request.

        Args:
            operation: name of the method: ``create``, ``update``, ``list`` and so on.
            extra: further fields, as for the method.
            fields: parameters of the method, by name. An unknown name is an error; its message suggests a similar name.

        Returns:
            Error details: dicts with ``field``, ``message`` and ``code``, as in ``ValidationError.details``; empty if
                the fields are valid.
        """
        return validate(f"contacts.{operation}", fields, extra)
