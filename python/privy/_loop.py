"""Calls driven by an asyncio event loop, with its readers, writers and timers, without threads."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Coroutine
from contextvars import Context
from typing import Any

from . import _core
from ._errors import PrivyError

_READ, _WRITE = 1, 2


def running_loop() -> asyncio.AbstractEventLoop:
    """The running asyncio event loop. Raises RuntimeError, with what to do, if none runs."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        message = "AsyncClient needs a running event loop of asyncio" + _instead()
    raise RuntimeError(message)


def _instead() -> str:
    """Advice if another library runs the coroutine."""
    trio = sys.modules.get("trio")
    if trio is None or not trio.lowlevel.in_trio_run():
        return ""
    return ", and this is trio: make the calls of a Client with trio.to_thread.run_sync"


def _fail(future: asyncio.Future[Any], error: BaseException) -> None:
    """Sets the exception. The loop must not report it as lost if the task is cancelled before its first step."""
    future.set_exception(error)
    future.exception()


class _Started:
    """A call in flight. Cancels it when its result can no longer be awaited."""

    def __init__(self, driver: Driver, number: int) -> None:
        self._driver = driver
        self._number = number

    def end(self) -> None:
        self._driver.end(self._number)

    def __del__(self) -> None:  # a task that is cancelled before its first step runs nothing else
        self.end()


class Driver:
    """The group of calls of one event loop.

    One callback of the loop serves all calls. It is registered in an empty context: the context of a call would keep
    the context variables of that call alive.
    """

    def __init__(self, core: _core.Client, loop: asyncio.AbstractEventLoop, group: _core.Group | None = None) -> None:
        self.group: _core.Group = _core.Group(core) if group is None else group
        self.process: int = os.getpid()
        self._loop = loop
        self._futures: dict[int, asyncio.Future[Any]] = {}
        self._watched: dict[int, int] = {}
        self._timer: asyncio.Handle | None = None
        self._soon = False
        self._number = 0
        self.group.set_socket_callback(self._watch)

    def number(self) -> int:
        """A number that no other call of the group has."""
        self._number += 1
        return self._number

    def outcome(self, number: int) -> Coroutine[Any, Any, Any]:
        """The result of a call that has been started. Cancelling the task that awaits it cancels the call."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self._futures[number] = future
        self._plan()
        return self._await(_Started(self, number), future)

    async def _await(self, started: _Started, future: asyncio.Future[Any]) -> Any:
        try:
            return await future
        finally:
            started.end()

    def end(self, number: int) -> None:
        """Cancels a call in flight."""
        if self._futures.pop(number, None) is not None:
            with contextlib.suppress(PrivyError, RuntimeError):  # the group is closed or in use
                self.group.cancel(number)
                self._plan()

    def close(self) -> None:
        """Cancels all calls. The tasks that await them get an error."""
        if self._timer is not None:
            self._timer.cancel()
        if self.process == os.getpid() and not self._loop.is_closed():
            for future in self._futures.values():
                if not future.done():
                    _fail(future, PrivyError("the client was closed while the call was in flight"))
        self._futures.clear()
        self.group.close()

    def _watch(self, socket: int, events: int) -> None:
        if self._loop.is_closed():
            return
        before = self._watched.pop(socket, 0)
        if events:
            self._watched[socket] = events
        if events & _READ and not before & _READ:
            Context().run(self._loop.add_reader, socket, self._act, socket, _READ)
        elif before & _READ and not events & _READ:
            self._loop.remove_reader(socket)
        if events & _WRITE and not before & _WRITE:
            Context().run(self._loop.add_writer, socket, self._act, socket, _WRITE)
        elif before & _WRITE and not events & _WRITE:
            self._loop.remove_writer(socket)

    def _on_time(self) -> None:
        self._soon = False
        self._timer = None
        self._act(-1, 0)

    def _act(self, socket: int, events: int) -> None:
        try:
            self.group.socket_action(socket, events)
        finally:  # a callback may have closed the client, or raised to stop the loop
            with contextlib.suppress(PrivyError):
                self._settle()
                self._plan()

    def _settle(self) -> None:
        while (ended := self.group.next_completed()) is not None:
            number, value, error = ended
            future = self._futures.pop(number, None)
            if future is None or future.done():
                continue
            if error is None:
                future.set_result(value)
            else:
                _fail(future, error)

    def _plan(self) -> None:
        if self._soon:
            return
        due = self.group.timeout()
        if self._timer is not None:
            self._timer.cancel()
        if due is None:
            self._timer = None
        elif due > 0:
            self._timer = self._loop.call_later(due, self._on_time, context=Context())
        else:
            self._timer = self._loop.call_soon(self._on_time, context=Context())
            self._soon = True


class Drivers:
    """The groups of a client: one for each event loop."""

    def __init__(self, core: _core.Client) -> None:
        self._core = core
        self._by_loop: dict[asyncio.AbstractEventLoop, Driver] = {}

    def here(self) -> Driver:
        """The group of the running loop."""
        loop = running_loop()
        driver = self._by_loop.get(loop)
        if driver is not None and driver.process == os.getpid():
            return driver
        for other, left in list(self._by_loop.items()):
            if other.is_closed() and self._by_loop.pop(other, None) is not None:
                left.close()
        driver = self._by_loop[loop] = Driver(self._core, loop)
        return driver

    def close(self) -> None:
        """Closes all groups, each in its loop."""
        here = running_loop()
        for loop, driver in list(self._by_loop.items()):
            if loop is here or loop.is_closed() or driver.process != os.getpid():
                driver.close()
            else:
                with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile
                    loop.call_soon_threadsafe(driver.close)
        self._by_loop.clear()


class AsyncCore:
    """Replaces the core's client in the methods of a resource: its calls return coroutines."""

    def __init__(self, core: _core.Client, drivers: Drivers | None = None) -> None:
        self.core = core
        self.drivers: Drivers = drivers or Drivers(core)

    def call(self, *arguments: Any) -> Coroutine[Any, Any, Any]:
        """Starts a call of an operation."""
        driver = self.drivers.here()
        number = driver.number()
        try:
            driver.group.start(self.core, number, *arguments)
        finally:  # an exception report may show local variables of its frames
            del arguments
        return driver.outcome(number)

    def request(self, *arguments: Any) -> Coroutine[Any, Any, Any]:
        """Starts a call of any endpoint."""
        driver = self.drivers.here()
        number = driver.number()
        try:
            driver.group.request(self.core, number, *arguments)
        finally:
            del arguments
        return driver.outcome(number)
