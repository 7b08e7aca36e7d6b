"""The pytest plugin: fixtures, and the marker ``privy``. pytest loads it in every run, so it imports little itself."""

from __future__ import annotations

from _collections_abc import Iterator

import pytest

import privy

TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from typing import Any

_MARKER = (
    "privy(limits=None, window=None, seed=None): uses the fixture privy_sandbox, with these rate limits: "
    "'60/10000', (60, 10000), 'on' (those of Privy) or 'off'; window: seconds of a minute; "
    "seed: generated data, 'shop:50' or {'kind': 'shop', 'contacts': 50}"
)
_ARGUMENTS = ("limits", "window", "seed")
_VARIABLES = ("CLIENT_ID", "CLIENT_SECRET", "SCOPES", "TOKEN_URL", "ALLOW_PLAIN_HTTP")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test with the marker uses the sandbox, before its other fixtures, even if it has no parameter for it."""
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("privy") is not None:
            names = item.fixturenames
            if "privy_sandbox" in names:
                names.remove("privy_sandbox")
            names.insert(_first_of_the_test(item), "privy_sandbox")


@pytest.fixture
def privy_sandbox(request: pytest.FixtureRequest) -> Iterator[privy.Sandbox]:
    """A new sandbox, active during the test: every client that the code under test makes uses it."""
    sandbox = privy.Sandbox()
    _set_limits(sandbox, request.node, "off")
    _seed(sandbox, request.node)
    with sandbox.activate():
        yield sandbox


@pytest.fixture
def privy_client(privy_sandbox: privy.Sandbox) -> Iterator[privy.Client]:
    """A client of ``privy_sandbox``. Closed after the test."""
    with privy_sandbox.client() as client:
        yield client


@pytest.fixture
def privy_async_client(privy_sandbox: privy.Sandbox) -> Iterator[privy.AsyncClient]:
    """A client of ``privy_sandbox`` for asyncio. Closed after the test."""
    client = privy_sandbox.async_client()
    yield client
    client._core.close()


@pytest.fixture
def privy_server(
    request: pytest.FixtureRequest, privy_sandbox: privy.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The base URL at which ``privy_sandbox`` is served, for other processes: with the rate limits of Privy, unless the
    marker sets others. ``PRIVY_BASE_URL`` and ``PRIVY_API_TOKEN`` are set for them."""
    _set_limits(privy_sandbox, request.node, "on")
    with privy_sandbox.serve() as url:
        for name in _VARIABLES:
            monkeypatch.delenv(f"PRIVY_{name}", raising=False)
        monkeypatch.setenv("PRIVY_BASE_URL", url)
        monkeypatch.setenv("PRIVY_API_TOKEN", privy_sandbox.token)
        yield url


def _first_of_the_test(item: pytest.Function) -> int:
    """The position of the first fixture that is not shared between tests."""
    defined = item._fixtureinfo.name2fixturedefs
    for position, name in enumerate(item.fixturenames):
        if name in defined and defined[name][-1].scope == "function":
            return position
    return len(item.fixturenames)


def _set_limits(sandbox: privy.Sandbox, node: pytest.Item, limits: str) -> None:
    """Sets the limits of the marker. ``limits``: those of a test without limits of its own."""
    __tracebackhide__ = True
    given = _arguments(node)
    wanted = given.get("limits", limits)
    text = "/".join(map(str, wanted)) if isinstance(wanted, (tuple, list)) else str(wanted)
    if "window" in given:
        if "limits" not in given:
            raise pytest.UsageError(f"{node.nodeid}: @pytest.mark.privy: window= needs limits=, such as '60/10000'")
        text = f"{text}/{given['window']}" if "/" in text else f"{text}/0/{given['window']}"
    try:
        sandbox._core.read_limits(text)
    except privy.PrivyError as error:
        raise pytest.UsageError(f"{node.nodeid}: @pytest.mark.privy: {error}") from None


def _seed(sandbox: privy.Sandbox, node: pytest.Item) -> None:
    """Adds the generated data of the marker."""
    __tracebackhide__ = True
    wanted = _arguments(node).get("seed")
    try:
        if isinstance(wanted, dict):
            sandbox.seed(**wanted)
        elif wanted is not None:
            sandbox._core.read_seed(str(wanted))
    except (privy.PrivyError, TypeError, ValueError) as error:
        what = f"seed: {error}" if isinstance(wanted, dict) else error
        raise pytest.UsageError(f"{node.nodeid}: @pytest.mark.privy: {what}") from None


def _arguments(node: pytest.Item) -> dict[str, Any]:
    """The arguments of the markers of a test, its class and its module: the closest one counts."""
    __tracebackhide__ = True
    found: dict[str, Any] = {}
    for marker in node.iter_markers("privy"):
        wrong = [*map(repr, marker.args), *(f"{name}=" for name in marker.kwargs if name not in _ARGUMENTS)]
        if wrong:
            rule = f"takes {', '.join(f'{name}=' for name in _ARGUMENTS)}, not {', '.join(wrong)}"
            raise pytest.UsageError(f"{node.nodeid}: @pytest.mark.privy {rule}")
        for name, value in marker.kwargs.items():
            found.setdefault(name, value)
    return {name: value for name, value in found.items() if value is not None}
