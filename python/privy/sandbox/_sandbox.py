"""The public classes of the sandbox."""

from __future__ import annotations

import os
from _collections_abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager

import privy

from .. import _core
from .._client import Client
from ._activation import Activation
from ._stored import (
    SandboxContacts,
    SandboxEvent,
    SandboxEvents,
    SandboxMessages,
    SandboxOrders,
    SandboxRequest,
    requests_of,
)
from ._values import DROP, TRUNCATE, Counts, SandboxFileError, SandboxResponse, SandboxSnapshot

TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from typing import Any


class Sandbox:
    """A Privy in memory, empty at first. Threads may share it.

    Its ``token`` has every scope; its OAuth client has the id ``client_id`` and the secret ``client_secret``.
    """

    token: str = _core.SANDBOX_TOKEN
    client_id: str = _core.SANDBOX_CLIENT_ID
    client_secret: str = _core.SANDBOX_CLIENT_SECRET

    def __init__(self) -> None:
        self._core = _core.Sandbox()

    def client(
        self,
        token: str | None = None,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        scopes: str | Iterable[str] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
        max_response: int | None = None,
        reserve: int = 0,
        on_event: Callable[[privy.CallEvent], object] | None = None,
    ) -> Client:
        """A client whose calls the sandbox handles, without a network. The settings are those of ``Client``.

        The token of the sandbox is the default credential.
        """
        try:
            return Client(
                token,
                client_id=client_id,
                client_secret=client_secret,
                scopes=scopes,
                timeout=timeout,
                connect_timeout=connect_timeout,
                max_wait=max_wait,
                max_retries=max_retries,
                max_response=max_response,
                reserve=reserve,
                sandbox=self,
                on_event=on_event,
            )
        finally:  # an exception report may show local variables of its frames
            del token, client_secret

    def async_client(
        self,
        token: str | None = None,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        scopes: str | Iterable[str] | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
        max_response: int | None = None,
        reserve: int = 0,
        on_event: Callable[[privy.CallEvent], object] | None = None,
    ) -> privy.AsyncClient:
        """The same as ``client``, for asyncio."""
        try:
            return privy.AsyncClient(
                token,
                client_id=client_id,
                client_secret=client_secret,
                scopes=scopes,
                timeout=timeout,
                connect_timeout=connect_timeout,
                max_wait=max_wait,
                max_retries=max_retries,
                max_response=max_response,
                reserve=reserve,
                sandbox=self,
                on_event=on_event,
            )
        finally:  # an exception report may show local variables of its frames
            del token, client_secret

    def activate(self) -> Activation:
        """Makes the sandbox receive the calls of all clients in this process that have no sandbox of their own.

        ``with sandbox.activate():`` makes it active while the block runs; as a decorator, while the function or
        coroutine function runs. ``start()`` and ``stop()`` do the same elsewhere. It is active in all threads.

        Clients made while it is active need no credentials; it accepts unknown ones with all scopes. They ignore the
        environment and ``base_url``. Later they raise ``PrivyError``, or use the sandbox that is active then. Clients
        made before use it too, with its own token, and return to the network at its end. Of nested activations the
        innermost counts. A forked process has its own copy of the sandbox; other processes need ``serve``.
        """
        return Activation(self)

    def serve(
        self, host: str = "127.0.0.1", port: int = 0, *, allowed_hosts: Iterable[str] = ()
    ) -> AbstractContextManager[str]:
        """Serves the sandbox over HTTP while a ``with`` block runs: ``with sandbox.serve() as url:``.

        The value is the base URL for ``Client(sandbox.token, base_url=url)``, also in other processes.

        Args:
            host: address to listen on.
            port: port to listen on; 0 selects a free one.
            allowed_hosts: host names to accept in requests, in addition to loopback.

        Raises:
            OSError: the server cannot listen on the address.
        """
        from ._server import running

        return running(self, host, port, allowed_hosts)

    def handle(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes | str = b"",
    ) -> SandboxResponse:
        """Handles one request as Privy would.

        Args:
            method: HTTP method.
            target: path and query, with or without the ``/v1`` of the base URL.
            headers: header fields.
            body: the body; a str is encoded as UTF-8.

        Raises:
            ValueError: a header field contains a line break.
        """
        try:
            content = body.encode() if isinstance(body, str) else bytes(body)
            return SandboxResponse(*self._core.handle(method, target, _block(headers), content))
        finally:
            del headers

    def add_token(self, token: str, scopes: str | Iterable[str] | None = None) -> None:
        """Adds a token with these scopes; None: all scopes."""
        try:
            self._core.add_token(token, _joined(scopes))
        finally:
            del token

    def revoke_token(self, token: str) -> bool:
        """Revokes a token: its requests get 401. False if the sandbox does not know the token."""
        try:
            return self._core.revoke_token(token)
        finally:
            del token

    def add_client(self, client_id: str, client_secret: str, scopes: str | Iterable[str] | None = None) -> None:
        """Adds an OAuth client whose tokens may have these scopes; None: all scopes."""
        try:
            self._core.add_client(client_id, client_secret, _joined(scopes))
        finally:
            del client_secret

    def add_integration(self, token: str, active: bool = True) -> None:
        """Adds a Custom Integration with this token."""
        try:
            self._core.add_integration(token, active)
        finally:
            del token

    def set_consent(self, contact_id: str, field: str, value: str) -> None:
        """Sets a consent that no request can set: e-mail consent ``compliance_suppressed``, SMS consent ``pending``.

        Raises:
            LookupError: there is no such contact.
            ValueError: the field cannot have this value.
        """
        self._core.set_consent(contact_id, field, value)

    def set_sms_countries(self, prefixes: str | Iterable[str]) -> None:
        """Sets the supported SMS countries, as E.164 prefixes: ``["+1", "+44"]``; ``""``: no country, ``"+"``: all."""
        self._core.set_sms_countries(_joined(prefixes) or "")

    def set_limits(self, per_minute: int = 0, per_day: int = 0, *, window: int = 60) -> None:
        """Sets the rate limits, in requests per minute and per day; 0 turns a limit off. Both are off at first.

        Responses have the ``X-RateLimit-*`` headers of the limits that are on.

        Args:
            per_minute: requests per minute.
            per_day: requests per day.
            window: length of a minute, in whole seconds from 1 to 60. A short one makes tests of limits fast.

        Raises:
            ValueError: a limit is negative, or the window is not in that range.
        """
        if per_minute < 0 or per_day < 0:
            raise ValueError("per_minute and per_day must not be negative")
        self._core.set_limits(per_minute, per_day, window)

    def set_clock(self, at: float | privy.types.datetime | None) -> None:
        """Stops the clock at a time: an aware datetime, or seconds since 1970-01-01 UTC. None restarts it."""
        if at is None:
            self._core.set_clock(-1.0)
        elif isinstance(at, (int, float)):
            self._core.set_clock(at)
        elif at.utcoffset() is None:
            raise ValueError("a datetime must have a time zone")
        else:
            self._core.set_clock(at.timestamp())

    def advance(self, seconds: float) -> None:
        """Advances the clock by ``seconds``."""
        self._core.advance(seconds)

    def skip_waits(self, skips: bool = True) -> None:
        """Sets whether calls move the clock in place of waiting for rate limits, retries and the delays of ``fail``.

        Tests of them then take no time. ``max_wait`` and timeouts hold by that clock.
        """
        self._core.set_skipping(skips)

    @property
    def now(self) -> float:
        """The time of the clock, in seconds since 1970-01-01 UTC."""
        return self._core.now()

    def fail(
        self,
        status: int | None = None,
        *,
        body: str | None = None,
        retry_after: float | None = None,
        delay: float = 0.0,
        drop: bool = False,
        truncate: bool = False,
        skip: int = 0,
        count: int = 1,
        on: str | None = None,
    ) -> None:
        """Injects a fault into coming requests. Faults occur in the order of the calls of ``fail``.

        Args:
            status: send this HTTP status and do not process the request; None processes it.
            body: with ``status``, the response body; default: the error envelope of the API.
            retry_after: with ``status``, seconds for the ``Retry-After`` header.
            delay: seconds to wait before the response.
            drop: process the request, then close the connection without a response.
            truncate: process the request, then close the connection after half of the body.
            skip: number of requests to handle normally first.
            count: number of requests with the fault; 0: all later ones.
            on: an operation, such as ``orders.upsert``: only its requests count and get the fault. The first request of
                ``contacts.upsert`` is a ``contacts.create``. None: all requests, those for tokens included.

        Raises:
            ValueError: there is no such operation, the arguments exclude each other, or no fault is given.
        """
        if drop and truncate:
            raise ValueError("drop and truncate exclude each other")
        if skip < 0 or count < 0 or delay < 0:
            raise ValueError("skip, count and delay must not be negative")
        if status is None and not (body is None and retry_after is None):
            raise ValueError("body and retry_after need status")
        if status is None and not (delay or drop or truncate):
            raise ValueError("a fault needs status, delay, drop or truncate")
        cut = DROP if drop else TRUNCATE if truncate else 0
        wait = -1.0 if retry_after is None else retry_after
        self._core.add_fault(status or 0, body, wait, delay, cut, skip, count, on)

    def clear_faults(self) -> None:
        """Removes the faults that have not occurred yet."""
        self._core.clear_faults()

    @property
    def counts(self) -> Counts:
        """Numbers of requests, contacts, orders, events and welcome messages so far."""
        return Counts(*self._core.counts())

    @property
    def requests(self) -> tuple[SandboxRequest, ...]:
        """The newest requests, oldest first, with what became of them: at most 1,000, in at most 16 MiB.

        ``keep_requests`` changes the number.
        """
        return requests_of(self._core)

    def keep_requests(self, most: int) -> None:
        """Sets how many requests ``requests`` keeps; 0: none."""
        self._core.keep_history(most)

    @property
    def contacts(self) -> SandboxContacts:
        """The contacts that are stored: a read-only mapping by id, e-mail address or phone number."""
        return SandboxContacts(self._core)

    @property
    def orders(self) -> SandboxOrders:
        """The orders that are stored: a read-only mapping by ``order_id``."""
        return SandboxOrders(self._core)

    @property
    def events(self) -> SandboxEvents:
        """The events that were accepted, oldest first: a read-only sequence, also by id and by idempotency key."""
        return SandboxEvents(self._core)

    @property
    def messages(self) -> SandboxMessages:
        """The welcome messages that were sent by SMS, oldest first: a read-only sequence.

        One is sent when a contact's SMS consent becomes ``subscribed``, unless ``send_welcome_sms`` is false. A phone
        number or the id of a contact gives its newest message.
        """
        return SandboxMessages(self._core)

    def assert_contact(self, key: str, /, **fields: object) -> privy.Contact:
        """Checks that a contact is stored and has these fields, and returns it.

        Args:
            key: e-mail address, phone number or id of the contact.
            fields: the expected values; a list may stand for a tuple, ISO 8601 text for a time. None: no value.

        Raises:
            AssertionError: the contact is missing, or fields differ; the message shows expected and stored values.
        """
        __tracebackhide__ = True
        from ._differences import check, missing

        contact = self.contacts.get(key)
        if contact is None:
            raise missing(f"contact {key!r}", (one.email or one.id for one in self.contacts.values()), "contacts")
        check(f"contact {key!r}", contact.to_dict(), fields, "contacts.create")
        return contact

    def assert_order(self, order_id: int | str, /, **fields: object) -> privy.Order:
        """Checks that an order is stored and has these fields, and returns it.

        Args:
            order_id: id of the order.
            fields: the expected values, those of parameters (``total="95.00"``) and of attributes
                (``currency_code="USD"``). Amounts are equal if their numbers are; ISO 8601 text may stand for a time.
                None: no value.

        Raises:
            AssertionError: the order is missing, or fields differ; the message shows expected and stored values.
        """
        __tracebackhide__ = True
        from ._differences import check, missing

        order = self.orders.get(order_id)
        if order is None:
            raise missing(f"order {order_id}", self.orders, "orders")
        check(f"order {order_id}", order.to_dict(), fields, "orders.upsert")
        return order

    def assert_event(self, event_type: str, /, **fields: object) -> SandboxEvent:
        """Checks that an event of this type with these fields was accepted, and returns the first such event.

        Args:
            event_type: type of the event.
            fields: the expected values; ``event_data`` is compared completely. None: no value.

        Raises:
            AssertionError: there is no such event; the message shows the event of this type that differs least.
        """
        __tracebackhide__ = True
        from ._differences import check_event

        return check_event(tuple(self.events), event_type, fields)

    def seed(self, kind: str, *, contacts: int = 5000, days: int = 365, seed: int = 7) -> None:
        """Adds generated data: ``sandbox.seed("shop", contacts=200)``.

        ``shop`` has contacts of several languages with all consents, three orders for five contacts, and one event for
        each contact. They are spread over the last ``days`` before the clock, more and more of them, with seasons,
        weekdays and hours. E-mail addresses are of example.com, .net and .org; phone numbers belong to nobody. The same
        stored data, clock and arguments give the same data on every machine. No welcome message is sent, and
        ``requests`` stays as it is.

        Args:
            kind: the data set: ``shop``.
            contacts: number of contacts, 0 to 1,000,000.
            days: 1 to 3650.
            seed: another number gives other data.

        Raises:
            ValueError: there is no such data set, or a number is out of range.
        """
        self._core.seed(kind, contacts, days, seed)

    def snapshot(self) -> SandboxSnapshot:
        """What the sandbox holds now, for ``restore``: all that ``reset`` deletes, and the numbers that ids come from.

        Tokens, integrations, limits, SMS countries, faults and the clock do not belong to it.
        """
        core, counts = self._core.snapshot()
        return SandboxSnapshot(core, Counts(*counts))

    def restore(self, snapshot: SandboxSnapshot) -> None:
        """Makes the sandbox hold what it, or another sandbox of the process, held at the ``snapshot``.

        A snapshot may be restored any number of times. The windows of the limits begin again.

        Raises:
            TypeError: the argument is not a ``SandboxSnapshot``.
        """
        if not isinstance(snapshot, SandboxSnapshot):
            raise TypeError(f"restore needs a SandboxSnapshot, not {type(snapshot).__name__}")
        self._core.restore(snapshot._core)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Saves what the sandbox holds in a file, for ``load``: what belongs to a snapshot, but not ``requests``.

        The file has lines of JSON that people can read, and holds no secret. It replaces an existing file at once.

        Raises:
            OSError: the file cannot be written.
        """
        self._core.save(path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> privy.types.Self:
        """A new sandbox that holds what ``save`` has saved; ids continue as in the saved one.

        Raises:
            OSError: the file cannot be read.
            SandboxFileError: it is not a file of ``save``, is truncated, or breaks a rule of the API.
        """
        sandbox = cls()
        problem = sandbox._core.load(path)
        if problem is not None:
            raise SandboxFileError(f"{os.fspath(path)}: {problem}")
        return sandbox

    def reset(self) -> None:
        """Deletes all records, counts and ``requests``; keeps tokens, integrations, limits and clock."""
        self._core.reset()

    def __repr__(self) -> str:
        return f"Sandbox({self.counts!r})"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a Sandbox cannot be pickled")


def _joined(words: str | Iterable[str] | None) -> str | None:
    return words if words is None or isinstance(words, str) else " ".join(words)


def _block(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> bytes:
    items: Any = getattr(headers, "items", None)
    try:
        return "".join(map(_line, items() if items else headers)).encode()
    finally:
        del headers, items


def _line(pair: tuple[str, str]) -> str:
    name = pair[0]
    line = f"{name}: {pair[1]}\r\n"
    del pair
    if "\0" in line or "\r" in line[:-2] or "\n" in line[:-2]:
        del line
        raise ValueError(f"the header {name!r} contains a line break")
    return line
