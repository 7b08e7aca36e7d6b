"""The client."""

from __future__ import annotations

import sys
from _collections_abc import Callable, Iterable, Mapping
from _weakref import ref
from os import PathLike

import privy

from . import _core
from ._core import Omit, omit
from ._headers import Headers
from ._resources import Contacts, Events, Orders, described
from ._response import Response

TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from typing import Any


_neighbours_are_checked = False
# The sandbox that is active in this process, and the clients that follow it: those without a sandbox of their own.
# privy.sandbox.Activation changes both.
active: _core.Sandbox | None = None
followers: set[ref[BaseClient]] = set()
_USER_AGENT = "python/" + ".".join(map(str, sys.version_info[:3]))


class BaseClient:
    """What ``Client`` and ``AsyncClient`` share: settings, and methods that send no request."""

    # What the resources call, for the network (None) and for each active sandbox. None: it has a sandbox of its own.
    _links: dict[_core.Sandbox | None, privy.types.Any] | None = None

    def __init__(
        self,
        token: str | None = None,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        scopes: str | Iterable[str] | None = None,
        base_url: str | None = None,
        token_url: str | None = None,
        ca_bundle: str | PathLike[str] | None = None,
        proxy: str | None = None,
        timeout: float | str | None = None,
        connect_timeout: float | str | None = None,
        max_wait: float | str | None = None,
        max_retries: int | str | None = None,
        max_response: int | str | None = None,
        reserve: int | str = 0,
        allow_plain_http: bool | None = None,
        sandbox: privy.Sandbox | None = None,
        on_event: Callable[[privy.CallEvent], object] | None = None,
    ) -> None:
        """
        Args:
            token: API token.
            client_id: OAuth client id, with ``client_secret``; replaces ``token``.
            client_secret: secret of the OAuth client.
            scopes: scopes of the OAuth token: strings, or one string separated by spaces; default: all.
            base_url: URL of the API; default: ``https://api.privy.com/v1``. HTTPS only, except loopback.
            token_url: URL for OAuth tokens; default: ``/oauth/token`` at the origin of ``base_url``.
            ca_bundle: file of trusted certificates, for the API and for an ``https`` proxy; replaces those of the
                system. The constructor reads it.
            proxy: URL of a proxy (``http``, ``https``, ``socks5`` or ``socks5h``); default: ``https_proxy`` and
                ``no_proxy`` of the environment. Plain HTTP to loopback never uses a proxy.
            timeout: seconds that one attempt may take in total (30).
            connect_timeout: seconds that connecting may take, TLS included (5).
            max_wait: seconds that a call may wait for the rate limit, ``Retry-After`` and backoff together (90: one
                window of the limit per minute, and a margin). A call that would wait longer raises an exception at
                once; with 0 no call waits.
            max_retries: number of retries (3), after a connection error, a timeout, or status 408, 429, 500, 502, 503
                or 504. Retries have no second effect: events carry an ``Idempotency-Key``; a create whose lost first
                attempt had succeeded returns its contact if that holds what was sent. A POST or PATCH of ``request``
                is retried only if the server did not process it, or with an ``Idempotency-Key``. A write that may
                have been processed is retried within 30 seconds or not at all; then ``may_have_succeeded`` is True.
            max_response: maximum size of a response body in bytes (64 MiB).
            reserve: requests per minute that are left to other clients of the account (0).
            allow_plain_http: allows plain HTTP to any host in ``base_url`` and ``token_url``, such as the container of
                a sandbox; only with the token or OAuth client of the sandbox. Default: True if
                ``PRIVY_ALLOW_PLAIN_HTTP`` is 1.
            sandbox: a ``Sandbox`` that replaces the network; its own token is the default. Without it, a sandbox that
                is active (``Sandbox.activate``) replaces the network, with any credentials or none.
            on_event: called with each ``CallEvent`` of each call, in the thread that makes the call (or runs its event
                loop), with the context variables of the caller; so is the logger. It may use the client; those calls
                report no events. An ``Exception`` that it raises goes to ``sys.unraisablehook``;
                ``KeyboardInterrupt`` and ``SystemExit`` stop the call.

        Numbers may be strings, such as ``"5"`` from the environment or a configuration file.

        Raises:
            PrivyError: a setting is missing or invalid; the message names it.
        """
        try:
            if not _neighbours_are_checked:
                _check_neighbours()
            here = active if sandbox is None else None
            core_sandbox: Any = here or getattr(sandbox, "_core", sandbox)
            core = _core.Client(
                token,
                client_id,
                client_secret,
                _joined(scopes),
                base_url,
                token_url,
                _path(ca_bundle),
                proxy,
                _USER_AGENT,
                timeout,
                connect_timeout,
                max_wait,
                max_retries,
                max_response,
                reserve,
                allow_plain_http,
                core_sandbox,
                on_event,
                here is not None,
            )
            self._set_inside(self._wrap(core))
            if sandbox is None:
                self._follow({here: self._inside})
        finally:  # an exception report may show local variables of its frames
            del token, client_secret, base_url, token_url, proxy

    def _wrap(self, core: _core.Client) -> Any:
        """What the resources call, for this core."""
        return core

    def _view(self, inside: Any, options: tuple[Any, ...]) -> Any:
        """What the resources of a copy with other options call."""
        return inside.with_options(*options)

    def _set_inside(self, inside: Any) -> None:
        """Creates the resources, which call ``inside``."""
        self._core: _core.Client = inside
        self._inside = inside

    def _switch(self, inside: Any) -> None:
        """Replaces what the resources call."""
        self._core = getattr(inside, "core", inside)
        self._inside = inside
        for name in ("contacts", "orders", "events"):
            getattr(self, name)._core = inside

    def _follow(self, links: dict[_core.Sandbox | None, Any]) -> None:
        """Lets activations of sandboxes replace what the resources call."""
        self._links = links
        followers.add(ref(self, followers.discard))
        if active not in links:  # another thread has activated a sandbox meanwhile
            from .sandbox._activation import redirect

            redirect()

    @property
    def base_url(self) -> str | None:
        """The URL that paths are relative to; None after the client is closed."""
        return self._core.base_url

    @property
    def rate_limit(self) -> privy.RateLimit:
        """The rate limits of the account: ``.minute`` and ``.day``, each with ``limit``, ``remaining``, ``resets_at``
        and ``known``. Sends no request: the values come from the latest responses."""
        from ._limits import rate_limit

        return rate_limit(self._core)

    def with_options(
        self,
        *,
        timeout: float | str | None = None,
        connect_timeout: float | str | None = None,
        max_wait: float | str | None = None,
        max_retries: int | str | None = None,
        reserve: int | str | None = None,
        on_event: Callable[[privy.CallEvent], object] | None = None,
    ) -> privy.types.Self:
        """A copy with other options; None keeps an option. Both share connections, token and rate limits.

        ``reserve`` is the number of requests per minute that calls of the copy leave to all other calls, those of this
        client included: for example, background jobs leave requests for interactive calls.

        Closing one of them closes both. An invalid option raises ``PrivyError`` here, or at the first call.
        """
        options = (timeout, connect_timeout, max_wait, max_retries, reserve, on_event)
        copy = object.__new__(type(self))
        inside = self._inside
        copy._set_inside(self._view(inside, options))
        if self._links is not None:
            others = {key: self._view(link, options) for key, link in self._links.copy().items() if link is not inside}
            copy._follow(others | {key: copy._inside for key, link in self._links.copy().items() if link is inside})
        return copy

    @property
    def closed(self) -> bool:
        """Whether the client has been closed."""
        return self._core.closed

    def __repr__(self) -> str:
        name = type(self).__name__
        if "_core" not in vars(self):  # the constructor has raised an exception
            return f"{name}(not created)"
        return described(name, self._core)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError(f"a {type(self).__name__} cannot be pickled: it holds connections and a secret")


class Client(BaseClient):
    """A client of the Privy API: settings, connections and token. Threads may share it.

    Settings that are not given come from the environment: ``PRIVY_API_TOKEN`` (token), ``PRIVY_CLIENT_ID``,
    ``PRIVY_CLIENT_SECRET``, ``PRIVY_SCOPES``, ``PRIVY_BASE_URL``, ``PRIVY_TOKEN_URL``, ``PRIVY_ALLOW_PLAIN_HTTP`` and
    ``SSL_CERT_FILE``.

    Every call may raise ``APIConnectionError``, ``APITimeoutError``, ``AuthenticationError``,
    ``PermissionDeniedError``, ``RateLimitError``, ``ServerError`` and ``APIStatusError``; the methods document further
    exceptions. Ctrl-C stops a call at once.

    The logger ``privy`` of ``logging`` logs each event of each call: one line, with the ``CallEvent`` as
    ``record.privy_event``. Retries and waits of a second and more have level INFO, calls refused by the rate limit
    WARNING, all others DEBUG. If neither the logger nor ``on_event`` wants events, they cost nothing.
    """

    # Each client replaces these. mock.create_autospec needs the classes.
    contacts: Contacts = Contacts  # type: ignore[assignment]
    orders: Orders = Orders  # type: ignore[assignment]
    events: Events = Events  # type: ignore[assignment]

    def _set_inside(self, inside: _core.Client) -> None:
        self._core = self._inside = inside
        self.contacts = Contacts(inside)
        self.orders = Orders(inside)
        self.events = Events(inside)

    def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, privy.types.Scalar] | None = None,
        body: privy.types.Json | Omit = omit,
        headers: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> Response:
        """Sends a request to any endpoint, for endpoints without a method here.

        Args:
            method: HTTP method, in capitals.
            path: path below the base URL; it begins with ``/`` and may include a query.
            params: query parameters.
            body: value to send as JSON; None sends ``null``. Default: no body.
            headers: further header fields; not ``Authorization`` or others that the client sets.
            timeout, connect_timeout, max_wait, max_retries: options of this call, as for the client.

        Raises:
            ValidationError: the request is invalid, or the server returned 400 or 422.
            NotFoundError, ConflictError, PayloadTooLargeError: the server returned 404, 409 or 413.
        """
        try:
            return self._request(method, path, params, body, headers, timeout, connect_timeout, max_wait, max_retries)
        finally:  # an exception report may show local variables of its frames
            del path, params, body, headers

    def _request(self, *arguments: Any) -> Response:
        try:
            return to_response(self._core.request(*arguments))
        finally:
            del arguments

    def close(self) -> None:
        """Closes the connections once no call is in flight. Later calls raise ``PrivyError``."""
        for core in {self._core, *(self._links or {}).values()}:
            core.close()

    def __enter__(self) -> privy.types.Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def to_response(result: tuple[int, list[tuple[str, str]], bytes, Any]) -> Response:
    """The response of a raw request, from the result of the core."""
    status, fields, content, json = result
    return Response(status, Headers(fields), content, json)


def _check_neighbours() -> None:
    global _neighbours_are_checked
    _neighbours_are_checked = True
    from ._neighbours import report

    report()


def _joined(scopes: str | Iterable[str] | None) -> Any:
    """The scopes as one string. Passes an invalid value to the core, which refuses it."""
    if scopes is None or isinstance(scopes, str):
        return scopes
    try:
        return " ".join(scopes)
    except TypeError:
        return scopes


def _path(path: str | PathLike[str] | None) -> Any:
    """A path as a string. Passes an invalid value to the core, which refuses it."""
    if path is None or isinstance(path, str):
        return path
    import os

    return os.fspath(path) if isinstance(path, os.PathLike) else path
