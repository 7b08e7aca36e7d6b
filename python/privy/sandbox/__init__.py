"""A Privy in memory, with the rules of the real one: for tests, demos and experiments.

In process: ``privy.Sandbox().client()``. Over HTTP: ``app(sandbox)`` is a WSGI application, and ``python -m
privy.sandbox`` is a server.
"""

from __future__ import annotations

import privy

from .. import _core

if getattr(privy, "omit", None) is not _core.omit:
    from .._neighbours import describe

    raise ImportError(describe() or "the package privy does not belong to privy-marketing")

from ._activation import Activation
from ._sandbox import Sandbox
from ._stored import (
    SandboxContacts,
    SandboxEvent,
    SandboxEvents,
    SandboxMessage,
    SandboxMessages,
    SandboxOrders,
    SandboxRequest,
)
from ._values import Counts, SandboxFileError, SandboxResponse, SandboxSnapshot
from ._wsgi import app

__all__ = [
    "Activation",
    "Counts",
    "Sandbox",
    "SandboxContacts",
    "SandboxEvent",
    "SandboxEvents",
    "SandboxFileError",
    "SandboxMessage",
    "SandboxMessages",
    "SandboxOrders",
    "SandboxRequest",
    "SandboxResponse",
    "SandboxSnapshot",
    "app",
]
