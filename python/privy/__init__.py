"""A client for the Privy API: contacts with their consents, orders, events.

>>> import privy
>>> client = privy.Sandbox().client()  # no network, no token; privy.Client() is the real one
>>> jane = client.contacts.create(email="jane@example.com", email_consent="subscribed")
>>> jane.email_consent
'subscribed'

Start with ``Client`` for the methods, ``PrivyError`` for the exceptions and ``Sandbox`` for tests and demos.
"""

from __future__ import annotations

from _collections_abc import Mapping, Sequence

from ._client import Client
from ._core import VERSION as __version__
from ._core import Contact, EventReceipt, JSONObject, Omit, Order, Page, omit
from ._errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    ConflictError,
    DeadlineError,
    JournalError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    PrivyError,
    RateLimitError,
    ServerError,
    SnapshotError,
    ValidationError,
)
from ._headers import Headers
from ._resources import Contacts, Events, Orders
from ._response import Response

# Annotated as bool: for a plain False, tools that are not type checkers ignore the imports below.
TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from . import sandbox as sandbox
    from . import types as types
    from ._async import AsyncClient, AsyncContactList
    from ._async_bulk import AsyncBulk
    from ._async_plan import AsyncPlan
    from ._async_resources import AsyncContacts, AsyncEvents, AsyncOrders
    from ._bulk import Bulk, BulkReport, Progress
    from ._bulk_rows import RefusedRow
    from ._export import ExportReport
    from ._job import job
    from ._journal import InDoubtEntry, Journal, JournalReport, RefusedEntry
    from ._json import json_default
    from ._limits import RateLimit, RateLimitWindow
    from ._pagination import ContactList
    from ._plan import Change, Plan, PlanRow
    from ._result import Failure, Result, Success
    from ._trace import CallEvent
    from .sandbox import Sandbox

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncBulk",
    "AsyncClient",
    "AsyncContactList",
    "AsyncContacts",
    "AsyncEvents",
    "AsyncOrders",
    "AsyncPlan",
    "AuthenticationError",
    "Bulk",
    "BulkReport",
    "Change",
    "Client",
    "ConflictError",
    "DeadlineError",
    "Contact",
    "ContactList",
    "Contacts",
    "CallEvent",
    "EventReceipt",
    "Events",
    "ExportReport",
    "Failure",
    "Headers",
    "InDoubtEntry",
    "Journal",
    "JournalError",
    "JournalReport",
    "NotFoundError",
    "Omit",
    "Order",
    "Orders",
    "Page",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "Plan",
    "PlanRow",
    "PrivyError",
    "Progress",
    "RateLimit",
    "RateLimitError",
    "RateLimitWindow",
    "RefusedEntry",
    "RefusedRow",
    "Response",
    "Result",
    "Sandbox",
    "ServerError",
    "SnapshotError",
    "Success",
    "ValidationError",
    "__version__",
    "job",
    "json_default",
    "omit",
]

Mapping.register(JSONObject)
Sequence.register(Page)


_LATER = {
    "AsyncBulk": "_async_bulk",
    "AsyncClient": "_async",
    "AsyncContactList": "_async",
    "AsyncContacts": "_async_resources",
    "AsyncEvents": "_async_resources",
    "AsyncOrders": "_async_resources",
    "AsyncPlan": "_async_plan",
    "Bulk": "_bulk",
    "BulkReport": "_bulk",
    "Change": "_plan",
    "CallEvent": "_trace",
    "ContactList": "_pagination",
    "ExportReport": "_export",
    "Failure": "_result",
    "InDoubtEntry": "_journal",
    "Journal": "_journal",
    "JournalReport": "_journal",
    "Plan": "_plan",
    "PlanRow": "_plan",
    "Progress": "_bulk",
    "RateLimit": "_limits",
    "RateLimitWindow": "_limits",
    "RefusedEntry": "_journal",
    "RefusedRow": "_bulk_rows",
    "Result": "_result",
    "Sandbox": "sandbox",
    "Success": "_result",
    "job": "_job",
    "json_default": "_json",
}


if not TYPE_CHECKING:  # with __getattr__, type checkers would accept any name

    def __getattr__(name: str) -> object:
        """Imports a module on first use of one of its names."""
        from importlib import import_module

        if name in ("sandbox", "types"):
            return import_module("." + name, __name__)
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value: object = getattr(import_module("." + _LATER[name], __name__), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
