"""A process of test_journal_kills.py: ``OPERATION COUNT URL JOURNAL``. Sends the rows, prints "began" and the report as
JSON. It may be killed at any moment."""

from __future__ import annotations

import json
import sys

import journal_rows
import privy

if __name__ == "__main__":
    operation, count, url, journal = sys.argv[1:]
    with privy.Client(privy.Sandbox.token, base_url=url) as client:
        print("began", flush=True)
        report = journal_rows.bulk_run(client, operation, int(count), journal).run()
        print(json.dumps(report.to_dict()), flush=True)
