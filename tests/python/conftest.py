from __future__ import annotations

import os

import privy
import pytest
from hypothesis import HealthCheck, settings
from support import TOKEN, recording, served

settings.register_profile(
    "privy",
    database=None,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("privy")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith("PRIVY_"):
            monkeypatch.delenv(name)


@pytest.fixture
def sandbox():
    return privy.Sandbox()


@pytest.fixture(params=["in process", "over HTTP"])
def client(request, sandbox):
    """A client of the sandbox: once inside this process, once through a socket."""
    if request.param == "in process":
        with sandbox.client() as inside:
            yield inside
        return
    with served(sandbox) as server, privy.Client(TOKEN, base_url=server.base_url) as outside:
        yield outside


@pytest.fixture
def recorder():
    with recording() as server:
        yield server
