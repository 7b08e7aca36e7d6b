"""A Privy in memory, with the rules of the real one: for tests, demos and trying things out.

In process: ``privy.Sandbox().client()``. Over HTTP: ``app(sandbox)`` is a WSGI application to mount anywhere, and
``python -m privy.sandbox`` serves one.
"""

from __future__ import annotations

import privy

from .. import _core

if getattr(privy, "omit", None) is not _core.omit:
    from .._neighbours import describe

    raise ImportError(describe() or "the package privy is not the one of privy-marketing")

from ._sandbox import Answer, Counts, Sandbox
from ._wsgi import app

__all__ = ["Answer", "Counts", "Sandbox", "app"]
