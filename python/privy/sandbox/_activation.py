"""Which sandbox is active in this process."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import privy

from .. import _client

if TYPE_CHECKING:
    from .._core import Client
    from .._core import Sandbox as CoreSandbox

P = ParamSpec("P")
T = TypeVar("T")

# What a core's client may do: see client_use in the extension.
_ALL, _REPLACED, _ENDED = 0, 1, 2

_lock = threading.RLock()
_active: list[CoreSandbox] = []  # the last one receives the calls


class Activation:
    """Makes a sandbox receive the calls of the clients in this process: see ``Sandbox.activate``."""

    def __init__(self, sandbox: privy.Sandbox) -> None:
        self._sandbox = sandbox
        self._started = 0

    def start(self) -> privy.Sandbox:
        """Activates the sandbox until ``stop``. Returns it."""
        with _lock:
            _active.append(self._sandbox._core)
            self._started += 1
            try:
                redirect()
            except BaseException:
                self.stop()
                raise
        return self._sandbox

    def stop(self) -> None:
        """Ends the activation.

        Raises:
            RuntimeError: it was not started, or has been stopped already.
        """
        with _lock:
            if not self._started:
                raise RuntimeError("this activation of a sandbox is not started")
            self._started -= 1
            _remove_last(self._sandbox._core)
            redirect()

    def __enter__(self) -> privy.Sandbox:
        return self.start()

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        """As a decorator: the sandbox is active while the function, coroutine function or generator runs.

        Raises:
            TypeError: the object is of another kind, such as a class.
        """
        import inspect

        plain: Any = function
        if inspect.isclass(plain) or inspect.isasyncgenfunction(plain) or not callable(plain):
            raise TypeError(
                "activate() decorates functions, coroutine functions and generators: in a class use "
                "self.enterContext(sandbox.activate()), or start() in setUp and stop() in tearDown; "
                "elsewhere use a with block"
            )
        wrapper: Any = _wrapper(self, plain)
        return functools.wraps(plain)(wrapper)

    def __repr__(self) -> str:
        return f"{self._sandbox!r}.activate()"


def _wrapper(activation: Activation, function: Any) -> Any:
    import inspect

    if inspect.iscoroutinefunction(function):

        async def awaited(*args: Any, **kwargs: Any) -> Any:
            with activation:
                return await function(*args, **kwargs)

        return awaited
    if inspect.isgeneratorfunction(function):

        def generated(*args: Any, **kwargs: Any) -> Any:
            with activation:
                return (yield from function(*args, **kwargs))

        return generated

    def called(*args: Any, **kwargs: Any) -> Any:
        with activation:
            return function(*args, **kwargs)

    return called


def redirect() -> None:
    """Lets all clients that have no sandbox of their own use the active sandbox; without one, the network."""
    with _lock:
        _client.active = _active[-1] if _active else None
        roots: dict[Client, Client] = {}
        for reference in list(_client.followers):
            client = reference()
            if client is not None and client._links is not None and not client.closed:
                _redirect(client, client._links, roots)


def _redirect(client: _client.BaseClient, links: dict[CoreSandbox | None, Any], roots: dict[Client, Client]) -> None:
    """``roots``: the new clients of the active sandbox, by the client that each stands in for."""
    for sandbox in [key for key in links if key is not None and key not in _active]:
        _core_of(links.pop(sandbox)).set_use(_ENDED)
    active = _client.active
    if active is not None and active not in links:
        links[active] = client._wrap(_stand_in(client._core, active, roots))
    if active in links:
        client._switch(links[active])
    if None in links:
        _core_of(links[None]).set_use(_ALL if active is None else _REPLACED)


def _stand_in(core: Client, sandbox: CoreSandbox, roots: dict[Client, Client]) -> Client:
    root = core.root
    if root not in roots:
        roots[root] = root.stand_in(sandbox, None)
    return roots[root] if core is root else core.stand_in(sandbox, roots[root])


def _core_of(link: Any) -> Client:
    core: Client = getattr(link, "core", link)
    return core


def _remove_last(sandbox: CoreSandbox) -> None:
    del _active[len(_active) - 1 - _active[::-1].index(sandbox)]
