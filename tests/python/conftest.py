from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import signal
import sys

import privy
import pytest
from hypothesis import HealthCheck, settings
from spelled import first_difference
from support import DEEP, TOKEN, recording, served
from tracing import Listener

settings.register_profile(
    "privy",
    database=None,
    deadline=None,
    max_examples=600 if DEEP else 60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("privy")

# A shell starts background jobs with this signal ignored; tests of Ctrl-C need it.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Stops the session if a method lacks a parameter: every later value would reach the wrong field."""
    config.addinivalue_line("markers", "random: makes random cases, more of them with PRIVY_DEEP=1")
    if sentence := first_difference():
        raise pytest.UsageError(sentence)


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


LOOPS = ["asyncio"] + (["uvloop"] if importlib.util.find_spec("uvloop") else [])


def new_loop(kind):
    return importlib.import_module(kind).new_event_loop()


@pytest.fixture(params=LOOPS)
def run(request):
    """Runs a coroutine in a loop of its own, and holds that nothing was left to complain about."""

    def go(main):
        loop, complaints = new_loop(request.param), []
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        try:
            return loop.run_until_complete(asyncio.wait_for(main, 300))
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
            assert complaints == []

    return go


@pytest.fixture(params=["in process", "over HTTP"])
def opened(request, sandbox):
    """Makes clients of the sandbox: once inside this process, once through a socket."""
    sandbox.set_limits(per_minute=1_000_000, per_day=1_000_000)
    if request.param == "in process":
        yield lambda **more: privy.AsyncClient(sandbox=sandbox, **more)
        return
    with served(sandbox) as server:
        yield lambda **more: privy.AsyncClient(TOKEN, base_url=server.base_url, **more)


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def unraisable(monkeypatch):
    """The exceptions that went to sys.unraisablehook."""
    found = []
    monkeypatch.setattr(sys, "unraisablehook", lambda hook: found.append(hook.exc_value))
    return found


@pytest.fixture(params=["in process", "over HTTP"])
def traced(request, sandbox, listener):
    """Settings of clients of the sandbox that report events to the listener."""
    sandbox.set_limits(per_minute=1_000_000, per_day=1_000_000)
    if request.param == "in process":
        yield {"sandbox": sandbox, "on_event": listener}
        return
    with served(sandbox) as server:
        yield {"token": TOKEN, "base_url": server.base_url, "on_event": listener}
