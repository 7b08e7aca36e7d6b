"""The credentials that ``privy login`` stores: one file, which only its owner can read."""

from __future__ import annotations

import json
import os
import tempfile
from typing import Any

from ._exit import Usage


def folder() -> str:
    """The folder of the command's files: ``$PRIVY_CONFIG_DIR``, or where this system keeps settings of programs."""
    given = os.environ.get("PRIVY_CONFIG_DIR")
    if given:
        return given
    from platformdirs import user_config_dir

    return user_config_dir("privy-marketing", appauthor=False)


class Profiles:
    """The stored profiles by their names. Each is a dict of settings of ``Client``."""

    def __init__(self) -> None:
        self.path = os.path.join(folder(), "credentials.json")
        self._profiles: dict[str, dict[str, Any]] = {}
        self.default = "default"
        try:
            with open(self.path, encoding="utf-8") as file:
                stored = json.load(file)
            self._profiles = {str(name): dict(profile) for name, profile in stored["profiles"].items()}
        except FileNotFoundError:
            return
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Usage(f"{self.path} is damaged: remove it, and run `privy login` again") from None

    @property
    def names(self) -> list[str]:
        """The names, in alphabetical order."""
        return sorted(self._profiles)

    def get(self, name: str) -> dict[str, Any] | None:
        """The settings of a profile; None if there is no such profile."""
        return self._profiles.get(name)

    def set(self, name: str, settings: dict[str, Any]) -> None:
        """Stores a profile."""
        self._profiles[name] = settings
        self._write()

    def remove(self, name: str) -> bool:
        """Removes a profile. False if there is no such profile."""
        if self._profiles.pop(name, None) is None:
            return False
        self._write()
        return True

    def _write(self) -> None:
        """Replaces the file. It has the mode 0600 before it has contents."""
        place = os.path.dirname(self.path)
        os.makedirs(place, mode=0o700, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix="credentials.", dir=place)
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump({"profiles": self._profiles}, file, indent=2)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
        except BaseException:
            os.unlink(temporary)
            raise
