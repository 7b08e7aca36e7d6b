"""``python -m privy.sandbox``: serves a sandbox until SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
import signal
import sys

import privy

from .. import _core
from ._sandbox import Sandbox
from ._server import Server

EXPOSED = (
    "privy sandbox: warning: listening on {host!r}: every machine that reaches this one can use the sandbox, because "
    "its token is public. Requests for a host name need --allow-host NAME."
)


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program, description="Serve a Privy in memory over HTTP.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", default=8089, type=int, help="port to listen on (%(default)s); 0 picks a free one")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="host name to accept in requests, in addition to loopback; may be repeated",
    )
    parser.add_argument(
        "--limits",
        default="off",
        metavar="LIMITS",
        help="rate limits: on (those of Privy), off, or PER_MINUTE[/PER_DAY[/WINDOW]], such as 60/10000/60: 0 turns a "
        "limit off, WINDOW is the length of a minute in seconds (%(default)s)",
    )
    parser.add_argument(
        "--seed",
        metavar="DATA",
        help="generated data, KIND[:CONTACTS[:SEED]], such as shop:5000:7; the same text gives the same data",
    )
    parser.add_argument(
        "--fail",
        action="append",
        default=[],
        metavar="FAULT",
        help="a fault, STATUS[:COUNT][@OPERATION], such as 503:3@orders.upsert: STATUS is 400 to 599, drop or "
        "truncate, COUNT the number of requests (1), 0 for all; may be repeated: faults occur in this order",
    )
    return parser


def main(arguments: list[str] | None = None, program: str = "python -m privy.sandbox") -> int:
    """Serves a sandbox and returns the exit status. First prints the base URL and the token."""
    parser = _parser(program)
    options = parser.parse_args(arguments)
    sandbox = Sandbox()
    try:
        sandbox._core.read_limits(options.limits)
        if options.seed is not None:
            sandbox._core.read_seed(options.seed)
        for fault in options.fail:
            sandbox._core.read_fault(fault)
    except privy.PrivyError as error:
        parser.error(f"--{error}")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        server = Server(sandbox, options.host, options.port, options.allow_host)
    except (OSError, OverflowError) as error:
        print(f"privy sandbox: cannot listen on {options.host}:{options.port}: {error}", file=sys.stderr)
        return 1
    try:
        if not _core.is_local(options.host):
            print(EXPOSED.format(host=options.host), file=sys.stderr, flush=True)
        print(f"privy sandbox: {server.base_url}", flush=True)
        print(f"token: {sandbox.token}", flush=True)
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        return 0
    finally:
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
