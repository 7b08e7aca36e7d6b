"""The resources of the API: a class for each, a method for each operation.

All methods share some parameters. ``extra`` holds further fields, which are sent unchanged, for what this version does
not know yet; ``extra_headers`` holds headers of the request, names as keys. ``timeout``, ``connect_timeout``,
``max_wait`` (seconds) and ``max_retries`` are options of this call only, as for ``Client``. A parameter that is left
out is not sent; None sends null where the API accepts null.
"""

from __future__ import annotations

from ._base import described
from .contacts import Contacts
from .events import Events
from .orders import Orders

__all__ = ["Contacts", "Events", "Orders", "described"]
