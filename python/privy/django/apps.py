"""The Django app, for ``INSTALLED_APPS``."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks

from ._checks import check_deployment, check_settings


class PrivyConfig(AppConfig):  # type: ignore[misc]
    """Registers the system checks."""

    name = "privy.django"
    label = "privy"
    verbose_name = "Privy"

    def ready(self) -> None:
        """Called by Django when all apps are loaded."""
        checks.register(check_settings, "privy")
        checks.register(check_deployment, "privy", deploy=True)
