"""The command ``privy``. It needs the extra ``[cli]``; ``docs/cli.md`` describes it.

``main`` is imported by the console script. Nothing else here is for programs.
"""

from __future__ import annotations

import sys

__all__ = ["main"]

MISSING = (
    "privy: the command needs the package {name}. Install the extra: pip install 'privy-marketing[cli]' (in a copy of "
    "the repository: pip install '.[cli]')"
)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status.

    Args:
        arguments: those of the command line without its name; default: those of this process.
    """
    given = sys.argv[1:] if arguments is None else arguments
    if given == ["--version"]:  # without click, which takes longer to import than all else
        from .. import __version__

        print(f"privy {__version__}")
        return 0
    try:
        from ._app import run
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich"):
            raise
        print(MISSING.format(name=error.name), file=sys.stderr)
        return 2
    return run(given)
