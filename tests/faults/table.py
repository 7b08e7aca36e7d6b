"""Writes docs/reliability.md from faults.json, or with --check reports whether the file is current."""

from __future__ import annotations

import sys

from faults import HERE, load, raised, returns

PAGE = HERE.parents[1] / "docs" / "reliability.md"

HEAD = """# Reliability

What privy does when the network, the server or something between them misbehaves. Each row is a test: a server injects
the fault on real sockets, and the blocking client, the bulk run and the event-loop client (asyncio, Ruby's fibers) of
both languages must do what the row says, in time. On a busy machine the limit grows by the time by which calls without
a fault are slower. `make test-faults` runs them; `tests/faults/faults.json` holds them, and this page is generated from
it by `tests/faults/table.py`.

How to read it

- **tries**: requests that the call sends. The tests allow one retry (`max_retries=1`); the default is 3. So "2" means:
  retried until the retries were used up, or until it succeeded. "1" means: not retried, because it would not help. "0":
  nothing was sent. Requests for OAuth tokens and for reading a contact after a 409 are counted too.
- **outcome**: the exception and its status, or "success". With several calls it is the outcome of the last one; the
  others succeed.
- **within**: seconds that all calls of the row take at most, backoff and waiting included, with the options of the row
  (unless shown, `timeout` and `connect_timeout` are 10 and `max_wait` is 5). In general a call ends within
  `max_retries + 1` times `timeout`, plus `max_wait`.

In every row: each response belongs to its request; an event carries the same Idempotency-Key in all its attempts; a
write that may have succeeded is repeated within 30 s or not at all (an event at any time, by its key); no redirect is
followed; no error contains a token or a secret.

| fault | options | calls | tries | outcome | within |
|---|---|---|---|---|---|
"""

FOOT = """
A wrong certificate, protocol or proxy is retried like any failed connection: the next attempt may reach a better
machine with the same name, and it costs nothing of the account's budget. Bodies and headers that exceed their limits
are not retried: the server has processed the request, and would send the same response again.
"""

DOCUMENTED = ("timeout", "connect_timeout", "max_response")


def options(row: dict, defaults: dict) -> str:
    reported = [
        f"`{name}={row['options'][name]:g}`" for name in DOCUMENTED if row["options"].get(name) != defaults.get(name)
    ]
    return ", ".join(reported)


def tries(row: dict) -> str:
    if "attempts" in row:
        return str(row["attempts"])
    return str(row["requests"] - row["calls"] + 1) if row.get("value") else "1 or 2"


def outcome(row: dict) -> str:
    ways = [f"`{name}`" for name in raised(row)]
    if returns(row):
        ways.insert(0, "success, no value" if row["call"] == "delete" else "success")
    status = f" {row['status']}" if "status" in row else ""
    return " or ".join(ways) + status


def within(row: dict) -> str:
    return f"{row['at_least']:g} to {row['within']:g} s" if "at_least" in row else f"{row['within']:g} s"


def page() -> str:
    rows = load()
    defaults = {"timeout": 10, "connect_timeout": 10}
    reported = [
        (row["server"], options(row, defaults), str(row["calls"]), tries(row), outcome(row), within(row))
        for row in rows
    ]
    lines = [f"| {' | '.join(cells)} |" for cells in reported]
    return HEAD + "\n".join(lines) + "\n" + FOOT


def main() -> int:
    text = page()
    if "--check" not in sys.argv:
        PAGE.write_text(text)
        return 0
    if PAGE.exists() and PAGE.read_text() == text:
        return 0
    print("docs/reliability.md is not what faults.json says: run tests/faults/table.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
