"""A WSGI application that creates its client when it is loaded, in gunicorn's master, which makes calls too."""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
from collections.abc import Callable, Iterable

import privy
from many_server import contact

client = privy.Client(ca_bundle=os.environ["CA_BUNDLE"], max_retries=0)
LOADED_BY = os.getpid()
assert client.contacts.get(contact(0)).first_name == "n0"


def app(environ: dict[str, str], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Gets the contact that the path names. Returns its name, and the process that made the call."""
    found = client.contacts.get(contact(int(environ["PATH_INFO"][1:])))
    report = {"first_name": found.first_name, "process": os.getpid(), "loaded_by": LOADED_BY}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(report).encode()]


def go_on() -> None:
    """One place after the other, until a call fails or the process ends."""
    for place in itertools.count(1):
        assert client.contacts.get(contact(place)).first_name == f"n{place}"
        time.sleep(0.01)


threading.Thread(target=go_on, daemon=True).start()
