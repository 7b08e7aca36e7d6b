from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import certificates
import places
import proxies
import pytest


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        certificates.make(Path(name))
        yield Path(name)


@pytest.fixture
def place(folder) -> Iterator:
    """Opens servers, and closes them when the test is over."""
    usual = places.tls(folder)
    opened: list[places.Place] = []

    def start(serve=proxies.well, tls=True, alpn=(), context=None, **more) -> places.Place:
        usual.set_alpn_protocols(list(alpn) or ["http/1.1"])
        opened.append(places.Place(serve, (context or usual) if tls else None, **more))
        return opened[-1]

    yield start
    for one in opened:
        one.seen.stopped.set()
