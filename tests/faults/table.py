"""Writes docs/reliability.md from faults.json, or with --check tells whether the file is current."""

from __future__ import annotations

import sys

from faults import HERE, load, raised, returns

PAGE = HERE.parents[1] / "docs" / "reliability.md"

HEAD = """# Reliability

What privy does when the network, the server or something between them misbehaves. Every row is a test: a server of
faults on real sockets meets the blocking client, the bulk run and the event-loop client (asyncio, Ruby's fibers) in
both languages, and the client must do what the row says and no later. On a busy machine it may be later by as much as
calls that meet no fault are slow at the same time. `make test-faults` runs them;
`tests/faults/faults.json` holds them, and this page is written from it.

How to read it

- **tries**: requests that the call spends. The tests allow one retry (`max_retries=1`) where the default is 3, so "2"
  means: tried again until the retries were used up, or until it went well. "1" means: not tried again, for it would not
  help. "0": nothing was sent. Requests for OAuth tokens and for looking a contact up are counted too.
- **outcome**: the exception raised and its status, or "the answer" when the call returns it in spite of the fault. When
  there are several calls it is the outcome of the last; those before it succeed.
- **within**: seconds that all the row's calls take at most, backoff and waiting included, with the options of the row
  (`timeout` and `connect_timeout` are 10 and `max_wait` is 5 where nothing else is told). In general a call ends within
  `max_retries + 1` times `timeout`, and `max_wait` on top.

What holds in every row: each answer belongs to its question; an event carries the same Idempotency-Key in all its
attempts; a write that may have been acted on is repeated within 30 s or not at all (an event at any time, by its key);
no redirect is followed; no error tells a token or a secret.

| fault | options | calls | tries | outcome | within |
|---|---|---|---|---|---|
"""

FOOT = """
A certificate, protocol or proxy that is wrong is retried like any connection that fails: the next attempt may meet a
better machine behind the same name, and nothing of the account's budget is spent. Bodies and headers past their caps
are not: the server has acted on the request, and would answer the same again.
"""

DOCUMENTED = ("timeout", "connect_timeout", "max_response")


def options(row: dict, defaults: dict) -> str:
    told = [
        f"`{name}={row['options'][name]:g}`" for name in DOCUMENTED if row["options"].get(name) != defaults.get(name)
    ]
    return ", ".join(told)


def tries(row: dict) -> str:
    if "attempts" in row:
        return str(row["attempts"])
    return str(row["requests"] - row["calls"] + 1) if row.get("value") else "1 or 2"


def outcome(row: dict) -> str:
    ways = [f"`{name}`" for name in raised(row)]
    if returns(row):
        ways.insert(0, "nothing, as asked" if row["call"] == "delete" else "the answer")
    status = f" {row['status']}" if "status" in row else ""
    return " or ".join(ways) + status


def within(row: dict) -> str:
    return f"{row['at_least']:g} to {row['within']:g} s" if "at_least" in row else f"{row['within']:g} s"


def page() -> str:
    rows = load()
    defaults = {"timeout": 10, "connect_timeout": 10}
    told = [
        (row["server"], options(row, defaults), str(row["calls"]), tries(row), outcome(row), within(row))
        for row in rows
    ]
    lines = [f"| {' | '.join(cells)} |" for cells in told]
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
