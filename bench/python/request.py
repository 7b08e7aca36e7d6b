"""The request that all clients of a theme send, as the harness wrote it down from privy's own."""

import json
from pathlib import Path


def read(path):
    """Its URL, its headers and its body; those headers that every client adds by itself are left out."""
    reported = json.loads(Path(path).read_text(encoding="utf-8"))
    own = {"host", "content-length", "connection"}
    headers = {name: value for name, value in reported["headers"] if name.lower() not in own}
    return reported["url"], headers, reported["body"]
