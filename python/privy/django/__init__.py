"""privy in Django: a client from the setting ``PRIVY``, system checks, and a mixin for tests (``privy.django.test``).

``PRIVY`` is a dict of the settings of ``privy.Client`` in capitals, or, for several accounts, a dict of such dicts by
alias. ``SANDBOX: True`` replaces Privy by a sandbox inside the process. What is not set comes from the environment, as
for ``privy.Client``. Add ``privy.django`` to ``INSTALLED_APPS`` for the system checks.
"""

from __future__ import annotations

from ._clients import async_client, client

__all__ = ["async_client", "client"]
