"""``privy sandbox``: the program ``python -m privy.sandbox``."""

from __future__ import annotations

import click


@click.command(
    "sandbox",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
    short_help="Serve a Privy in memory over HTTP.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sandbox_(arguments: tuple[str, ...]) -> int:
    """Serve a Privy in memory over HTTP, until Ctrl-C."""
    from ..sandbox.__main__ import main

    return main(list(arguments), program="privy sandbox")
