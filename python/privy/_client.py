"""The client."""

from __future__ import annotations

import sys
from _collections_abc import Callable, Iterable, Mapping
from os import PathLike

import privy

from . import _core
from ._core import Omit, omit
from ._headers import Headers
from ._resources import Contacts, Events, Orders
from ._response import Response

TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from typing import Any

    from .types import Self

_neighbours_are_checked = False
_USER_AGENT = "python/" + ".".join(map(str, sys.version_info[:3]))


class BaseClient:
    """What the clients share, whichever way they wait: settings, and what can be asked without a request."""

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
            client_id: OAuth client, with ``client_secret`` instead of a token.
            client_secret: its secret.
            scopes: what the OAuth token may do, as strings or as one string with spaces between; all when left out.
            base_url: where the API is; ``https://api.privy.com/v1`` when left out. HTTPS only, but for loopback.
            token_url: where OAuth tokens come from; ``/oauth/token`` below the base URL's origin when left out.
            ca_bundle: file of certificates that are trusted, for the API and for an ``https`` proxy, instead of the
                system's; it is read when the client is made.
            proxy: URL of a proxy (``http``, ``https``, ``socks5`` or ``socks5h``); when left out, what ``https_proxy``
                and ``no_proxy`` of the environment say. Plain HTTP to loopback never takes one.
            timeout: seconds that one attempt may take as a whole (30).
            connect_timeout: seconds that connecting may take, TLS included (5).
            max_wait: seconds that a call may spend waiting for budget, ``Retry-After`` and backoff together (90: one
                whole window of the account's minute, and room). A call that would have to wait longer raises at once;
                0 never waits.
            max_retries: further attempts after the first (3), when no answer came or one of 408, 429, 500, 502, 503 and
                504. Repeating is safe: events carry an ``Idempotency-Key`` of their own, and a create whose lost first
                attempt had succeeded gives its contact, if that holds what was sent. A POST or PATCH of ``request`` is
                repeated only where nothing was acted on, or with an ``Idempotency-Key``. A write that may have been
                acted on is repeated within 30 seconds or not at all; the error then says so.
            max_response: bytes of body accepted (64 MiB).
            reserve: requests of each minute that are left to other users of the account (0).
            allow_plain_http: lets ``base_url`` and ``token_url`` be plain HTTP to any host, such as a sandbox's
                container; with the sandbox's own token or OAuth client only. When left out, True if
                ``PRIVY_ALLOW_PLAIN_HTTP`` is 1.
            sandbox: answer from this ``Sandbox`` instead of the network, with its own token when none is given.
            on_event: called with each ``CallEvent`` of each call, in the thread that makes the call (or runs its event
                loop), and with the context variables of the place where the call was made; so is the logger. It may use
                the client itself; such calls report no events. An ``Exception`` that it raises goes to
                ``sys.unraisablehook``; ``KeyboardInterrupt`` and ``SystemExit`` stop the call.

        Numbers may be text, such as ``"5"`` from the environment or a configuration file.

        Raises:
            PrivyError: a setting is missing or cannot be used; the message names it.
        """
        try:
            if not _neighbours_are_checked:
                _check_neighbours()
            inside: Any = getattr(sandbox, "_core", sandbox)
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
                inside,
                on_event,
            )
            self._set_core(core)
        finally:  # a report of an exception may show the local variables of its frames
            del token, client_secret, base_url, token_url, proxy

    def _set_core(self, core: _core.Client) -> None:
        """Makes the resources."""
        self._core = core

    def _share(self, other: Self, view: _core.Client) -> None:
        """Makes this a copy of another client."""
        self._set_core(view)

    @property
    def base_url(self) -> str | None:
        """The URL that paths are below; None once the client is closed."""
        return self._core.base_url

    @property
    def rate_limit(self) -> privy.RateLimit:
        """What is left of the account's minute and day: ``.minute`` and ``.day``, each with ``limit``, ``remaining``,
        ``resets_at`` and ``known``. Costs no request: it is what the latest answers told."""
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
        """A copy with other options; what is None stays as it is here. Connections, token and budget stay shared.

        ``reserve`` is what calls of the copy leave of each minute to others, be they calls of this client: so that jobs
        leave room for what a person waits for.

        Closing one of them closes all. An option that cannot be used is refused here, or by the first call.
        """
        copy = object.__new__(type(self))
        copy._share(self, self._core.with_options(timeout, connect_timeout, max_wait, max_retries, reserve, on_event))
        return copy

    @property
    def closed(self) -> bool:
        """Whether the client has been closed."""
        return self._core.closed

    def __repr__(self) -> str:
        name = type(self).__name__
        if "_core" not in vars(self):  # the constructor has raised
            return f"{name}(not made)"
        return f"{name}(closed)" if self.closed else f"{name}(base_url={self.base_url!r})"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError(f"a {type(self).__name__} cannot be pickled: it holds connections and a secret")


class Client(BaseClient):
    """A client of the Privy API: settings, connections and token. Safe to share between threads.

    Whatever is not given comes from the environment: ``PRIVY_API_TOKEN`` (token), ``PRIVY_CLIENT_ID``,
    ``PRIVY_CLIENT_SECRET``, ``PRIVY_SCOPES``, ``PRIVY_BASE_URL``, ``PRIVY_TOKEN_URL``, ``PRIVY_ALLOW_PLAIN_HTTP`` and
    ``SSL_CERT_FILE``.

    Every call may raise ``APIConnectionError``, ``APITimeoutError``, ``AuthenticationError``,
    ``PermissionDeniedError``, ``RateLimitError``, ``ServerError`` and ``APIStatusError``; what else it may raise stands
    with the method. Ctrl-C stops a call at once.

    The logger ``privy`` of ``logging`` gets each event of each call: a line, and the ``CallEvent`` as
    ``record.privy_event``. Retries and waits of a second and more are at level INFO, refusals by budget at WARNING,
    all else at DEBUG. Where neither the logger nor ``on_event`` listens, events cost nothing.
    """

    # Replaced in each client. The classes are what mock.create_autospec finds when it copies this one.
    contacts: Contacts = Contacts  # type: ignore[assignment]
    orders: Orders = Orders  # type: ignore[assignment]
    events: Events = Events  # type: ignore[assignment]

    def _set_core(self, core: _core.Client) -> None:
        self._core = core
        self.contacts = Contacts(core)
        self.orders = Orders(core)
        self.events = Events(core)

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
        """Makes a request to any endpoint, for what has no method here yet.

        Args:
            method: HTTP method, in capitals.
            path: path below the base URL, beginning with ``/``; it may carry a query.
            params: query parameters.
            body: what to send as JSON; None sends ``null``, nothing is sent when it is left out.
            headers: further header fields; ``Authorization`` and others of the client's own are refused.
            timeout, connect_timeout, max_wait, max_retries: as for the client, for this call only.

        Raises:
            ValidationError: something cannot be sent, or the server refused it.
            NotFoundError, ConflictError, PayloadTooLargeError: the server said so.
        """
        try:
            return self._request(method, path, params, body, headers, timeout, connect_timeout, max_wait, max_retries)
        finally:
            del headers

    def _request(self, *asked: Any) -> Response:
        try:
            return to_response(self._core.request(*asked))
        finally:
            del asked

    def close(self) -> None:
        """Closes the connections once no call is under way. Calls made afterwards raise ``PrivyError``."""
        self._core.close()

    def __enter__(self) -> privy.types.Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def to_response(answer: tuple[int, list[tuple[str, str]], bytes, Any]) -> Response:
    """The answer to a raw request, as the core tells it."""
    status, fields, content, json = answer
    return Response(status, Headers(fields), content, json)


def _check_neighbours() -> None:
    global _neighbours_are_checked
    _neighbours_are_checked = True
    from ._neighbours import report

    report()


def _joined(scopes: str | Iterable[str] | None) -> Any:
    """One text; what is no words goes to the core, which refuses it by its name."""
    if scopes is None or isinstance(scopes, str):
        return scopes
    try:
        return " ".join(scopes)
    except TypeError:
        return scopes


def _path(path: str | PathLike[str] | None) -> Any:
    """A path as text; what is no path goes to the core likewise."""
    if path is None or isinstance(path, str):
        return path
    import os

    return os.fspath(path) if isinstance(path, os.PathLike) else path
