"""For tests of Django projects: a mixin that replaces Privy by a sandbox."""

from __future__ import annotations

import unittest
from typing import Any

import privy

from ._clients import replaced_by


class SandboxMixin(unittest.TestCase):
    """A test case whose clients call a new, empty sandbox in each test: ``self.privy_sandbox``.

    It replaces ``privy.django.client()`` and ``privy.django.async_client()``, also those with a sandbox of their own,
    for threads of the process too. The sandbox is active (``Sandbox.activate``), so that clients that the project makes
    call it as well. Each process of a parallel test run has its own sandbox. ``setUpClass`` and ``setUpTestData`` run
    before the sandbox is there.
    """

    privy_sandbox: privy.Sandbox

    def run(self, result: Any = None) -> Any:
        """Runs the test with a sandbox."""
        self.privy_sandbox = privy.Sandbox()
        with self.privy_sandbox.activate(), replaced_by(self.privy_sandbox):
            return super().run(result)
