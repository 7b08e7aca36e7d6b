"""The command and its list of commands, which are imported when they run."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from .._errors import PrivyError
from ._exit import INTERRUPTED, USAGE, Failure, code_of, reason_of
from ._state import State, shared

COMMANDS = {
    "login": ("_login", "Store a token after a check with the API."),
    "logout": ("_login", "Forget a stored token."),
    "whoami": ("_whoami", "Show what the credentials may do, and the budget."),
    "contacts": ("_contacts", "List, get, upsert and delete contacts."),
    "import": ("_import", "Send the orders, contacts or events of a file."),
    "plan": ("_plan", "Show what a file of contacts would change."),
    "export": ("_export", "Write all contacts to a file."),
    "api": ("_api", "Send one request to any path."),
    "sandbox": ("_sandbox", "Serve a Privy in memory over HTTP."),
    "doctor": ("_doctor", "Check this machine, the network and the access."),
}
EPILOG = "Exit codes: 0 done, 1 something was refused, 2 usage, 3 credentials, 4 budget spent, 130 interrupted."


class Commands(click.Group):
    """A group whose commands are in modules that are imported when one of them runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = getattr(import_module(f".{COMMANDS[cmd_name][0]}", __package__), f"{cmd_name}_")
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[click.shell_completion.CompletionItem]:
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=text) for name, (_, text) in COMMANDS.items() if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)


def _show_version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from .. import __version__

        click.echo(f"privy {__version__}")
        context.exit()


@click.group(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_show_version, help="Show the version."
)
@shared
def app() -> None:
    """Contacts, orders and events of Privy, on the command line.

    An independent client: Privy did not build it. Try it without an account: `privy --sandbox contacts list`.
    """


def run(arguments: list[str]) -> int:
    """Runs the command and returns its exit code. Every error becomes a message."""
    kept = State()
    name = "python -m privy" if os.path.basename(sys.argv[0]) == "__main__.py" else "privy"
    try:
        result = app.main(arguments, prog_name=name, standalone_mode=False, obj=kept)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except PrivyError as error:
        _report(kept, type(error).__name__, reason_of(error), code_of(error), error)
        return code_of(error)
    except Failure as error:
        _report(kept, error.kind, error.format_message(), error.code)
        return error.code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.exceptions.Abort):
        click.echo("privy: interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:  # the reader has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        _report(kept, type(error).__name__, reason, USAGE)
        return USAGE


def _report(kept: State, kind: str, message: str, exit_code: int, error: PrivyError | None = None) -> None:
    """Writes the error to stderr, and with ``--json`` as a document to stdout too."""
    for number, line in enumerate(message.splitlines() or [kind]):
        click.echo(f"privy: {line}" if number == 0 else f"  {line}", err=True)
    if kept.json:
        from ._output import error_of, write_json

        write_json("error", error=error_of(kind, message, exit_code, error))
