"""A client for the Privy API: contacts with their consents, orders, events.

>>> import privy
>>> client = privy.Sandbox().client()  # no network, no token; privy.Client() is the real one
>>> jane = client.contacts.create(email="jane@example.com", email_consent="subscribed")
>>> jane.email_consent
'subscribed'

``Client`` says what can be called, ``PrivyError`` what can go wrong, ``Sandbox`` is a Privy for tests and demos.
"""

from __future__ import annotations

from _collections_abc import Sequence

from ._client import Client
from ._core import VERSION as __version__
from ._core import Contact, EventReceipt, Omit, Order, Page, omit
from ._errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    ConflictError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    PrivyError,
    RateLimitError,
    ServerError,
    ValidationError,
)
from ._headers import Headers
from ._pages import ContactList
from ._resources import Contacts, Events, Orders
from ._response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .sandbox import Sandbox

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "Client",
    "ConflictError",
    "Contact",
    "ContactList",
    "Contacts",
    "EventReceipt",
    "Events",
    "Headers",
    "NotFoundError",
    "Omit",
    "Order",
    "Orders",
    "Page",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "PrivyError",
    "RateLimitError",
    "Response",
    "Sandbox",
    "ServerError",
    "ValidationError",
    "__version__",
    "omit",
]

Sequence.register(Page)


def __getattr__(name: str) -> object:
    """Imports the sandbox when it is first asked for."""
    if name in ("Sandbox", "sandbox"):
        from .sandbox import Sandbox

        globals()["Sandbox"] = Sandbox
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
