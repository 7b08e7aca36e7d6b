"""What goes over the wire: the first client's request is written down, and all others must send the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .workers import last_request

TOKEN = "privy_" + "0" * 40
OF_THE_CONNECTION = {"host", "content-length", "connection"}
# New in each request.
OF_THE_REQUEST = {"idempotency-key"}


def headers_of(request: dict[str, Any]) -> dict[str, str]:
    others = OF_THE_CONNECTION | OF_THE_REQUEST
    return {name.lower(): value for name, value in request["headers"] if name.lower() not in others}


def differences(right: dict[str, Any], sent: dict[str, Any], exact: bool) -> list[str]:
    """How a request differs from the right one; headers that a client adds do not count unless it must be exact."""
    found = [part for part in ("method", "target") if right[part] != sent[part]]
    if (json.loads(right["body"]) if right["body"] else "") != (json.loads(sent["body"]) if sent["body"] else ""):
        found.append("body")
    if exact:
        return found + ["headers"] * (right["headers"] != sent["headers"])
    theirs = headers_of(sent)
    return found + [name for name, value in headers_of(right).items() if theirs.get(name) != value]


def same_request(api: str, folder: Path, name: str, exact: bool = False) -> Callable[[str, bool], None]:
    """For Group.answered: writes the first case's request to FOLDER/NAME.json and its header lines to FOLDER/NAME.txt,
    holds the others against it."""
    path = folder / f"{name}.json"

    def answered(label: str, first: bool) -> None:
        sent = last_request(api)
        if first:
            sent["url"] = api.removesuffix("/v1") + sent["target"]
            path.write_text(json.dumps(sent), encoding="utf-8")
            lines = [f"{key}: {value}" for key, value in sent["headers"]]
            path.with_suffix(".txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
            return
        found = differences(json.loads(path.read_text(encoding="utf-8")), sent, exact)
        if found:
            raise AssertionError(f"{label} sends something else: {', '.join(found)}\n{sent}")

    return answered
