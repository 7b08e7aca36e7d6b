"""Other distributions that also install a package or module called ``privy``.

The files of the distribution that is installed last replace files of the other that have the same name. The first
client of a process checks for this: it lists two folders and reads the record of this distribution. It reads the
records of other distributions only if the name of one begins with privy, or if unknown files are in the folder of this
package.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = "privy-marketing"
PACKAGE = os.path.dirname(os.path.abspath(__file__))
SITE = os.path.dirname(PACKAGE)
ADVICE = (
    "each replaces files of the other. Uninstall both, then install the one that this environment needs, "
    "or give each an environment of its own."
)


def report() -> None:
    """Warns the caller of the client's constructor if another distribution installs a package of this name."""
    conflict = describe()
    if conflict:
        import warnings

        warnings.warn(conflict, RuntimeWarning, stacklevel=4)


def describe() -> str | None:
    """The conflict, and what to do about it; None without a conflict."""
    try:
        entries = [entry for entry in os.listdir(SITE) if entry.endswith((".dist-info", ".egg-info"))]
        records = {_distribution(entry): entry for entry in entries if entry[:5].lower() == "privy"}
        strangers = _strangers(records.get(OURS))
        if strangers:
            records = {_distribution(entry): entry for entry in entries}
        others = sorted(name for name, entry in records.items() if name != OURS and _claims(entry))
    except OSError:  # the package is in an archive, or was frozen
        return None
    if others:
        named = ", ".join(f"{name} {_version(records[name])}" for name in others)
        return f"{named} and {OURS} both install a package named privy in {SITE}: {ADVICE}"
    if strangers:
        return f"{PACKAGE} holds files that are not of {OURS} ({', '.join(strangers)}): {ADVICE}"
    return None


def _distribution(entry: str) -> str:
    """The normalized name of the distribution of a folder or file of metadata."""
    stem = entry.rpartition(".")[0]
    return stem.partition("-")[0].lower().replace("_", "-").replace(".", "-")


def _version(entry: str) -> str:
    parts = entry.rpartition(".")[0].split("-")
    return parts[1] if len(parts) > 1 else "of an unknown version"


def _strangers(metadata: str | None) -> list[str]:
    """Modules and folders in this package that its installer did not record; empty without a record."""
    own = set(_installed(metadata)) if metadata else set()
    if "__init__.py" not in own:  # a source tree, or an installation in place
        return []
    found = set(os.listdir(PACKAGE)) - own - {"__pycache__"}
    return sorted(name for name in found if name.isidentifier() or name.endswith((".py", ".so")))


def _claims(metadata: str) -> bool:
    return next(_installed(metadata), None) is not None


def _installed(metadata: str) -> Iterator[str]:
    """The names in the folder privy that a distribution has recorded, and ``privy.py`` for a module of that name."""
    for file in ("RECORD", "installed-files.txt"):
        path = os.path.join(SITE, metadata, file)
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    first, *rest = line.strip().partition(",")[0].removeprefix("../").split("/")
                    if first == "privy" and rest:
                        yield rest[0]
                    elif first == "privy.py":
                        yield first
