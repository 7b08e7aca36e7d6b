"""Bulk runs driven by an asyncio event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import TypeVar

from . import _core
from ._async_rows import AsyncRows
from ._bulk import BaseBulk, BulkReport, Progress, check_pass, check_stop, start
from ._bulk_rows import Rows
from ._errors import PrivyError
from ._loop import AsyncCore, Driver
from ._result import Result
from .types import Options, RunSettings, Self

T = TypeVar("T")

_PROGRESS_INTERVAL = 0.25
"""Seconds between two checks for progress while a run waits."""


class RunDriver(Driver):
    """The group of a bulk run in its event loop. Wakes the tasks that iterate the run when a call has completed."""

    def __init__(self, group: _core.Group, core: _core.Client, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(core, loop, group)
        self._changed: asyncio.Future[None] | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that drives the run."""
        return self._loop

    def plan(self) -> None:
        """Schedules the next step of calls that have been started."""
        with contextlib.suppress(PrivyError):  # the run is over
            self._plan()

    def wake(self) -> None:
        """Wakes all tasks that wait for a change."""
        changed, self._changed = self._changed, None
        if changed is not None and not changed.done():
            changed.set_result(None)

    async def change(self, seconds: float | None) -> None:
        """Waits until a call has completed, for at most ``seconds``."""
        if self._changed is None:
            self._changed = self._loop.create_future()
        await asyncio.wait((self._changed,), timeout=seconds)

    def _act(self, socket: int, events: int) -> None:
        with contextlib.suppress(PrivyError):  # the run is over
            super()._act(socket, events)

    def _settle(self) -> None:
        self.wake()


class AsyncBulk(BaseBulk[T]):
    """An asynchronous iterator of ``Result``, like ``Bulk``. The rows may also come from an asynchronous iterable.

    Calls in flight progress between two steps of the iteration; only a step starts calls. A step that is cancelled (for
    example by ``asyncio.timeout``) loses nothing: the next one continues. Several tasks may share a run: each result
    goes to one of them. ``aclose``, or the end of an ``async with`` block, cancels the calls in flight.
    """

    def __init__(
        self,
        core: AsyncCore,
        operation: str | _core.Plan,
        rows: Rows,
        concurrency: int | None,
        on_progress: Callable[[Progress], object] | None,
        settings: RunSettings,
        options: Options,
    ) -> None:
        self._rows = rows
        self._core = core.core
        self._group = _core.Group(core.core)
        self._run = start(
            _core.Bulk, self._group, core.core, operation, self._rows, concurrency, on_progress, settings, options
        )
        self._has_journal = settings[0] is not None
        self._driver: RunDriver | None = None
        self._reports = on_progress is not None

    def __aiter__(self) -> AsyncIterator[Result[T]]:
        check_pass(self._run)
        return self

    async def __anext__(self) -> Result[T]:
        run, driver = self._run, self._drive()
        while True:
            try:
                step = run.step()
                if step == "result":
                    result: Result[T] = run.take()
                    return result
            except BaseException:
                run.put_back()
                raise
            finally:
                driver.plan()
            if step == "end":
                driver.wake()
                raise StopAsyncIteration
            if step == "skip":
                await asyncio.sleep(0)
                continue
            if step == "row" and isinstance(self._rows.source, AsyncRows):
                self._rows.source.want(driver.wake)
            await driver.change(_PROGRESS_INTERVAL if self._reports else None)

    async def run(self) -> BulkReport:
        """Runs to the end and returns the report. If the rate limit, the token, the journal or ``until`` ends the run,
        ``report.stopped`` holds the error.

        An exception, a cancellation included, ends a run with a journal, so that another run can continue it at once.

        Raises:
            Exception: what the iterable raised; the property ``report`` then holds the results so far.
        """
        try:
            async for _ in self:
                pass
        except PrivyError as error:
            check_stop(self._run, error)
        except BaseException:
            if self._has_journal:
                await self.aclose()
            raise
        return self.report

    async def aclose(self) -> None:
        """Cancels the calls in flight: their rows are ``unsent`` or ``in_doubt``."""
        self._run.close()
        if self._driver is not None:
            self._driver.wake()
        if isinstance(self._rows.source, AsyncRows):
            await self._rows.source.aclose()

    def __del__(self) -> None:
        if hasattr(self, "_run"):
            with contextlib.suppress(RuntimeError, PrivyError):  # the loop is closed, or the process was forked
                self._run.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _drive(self) -> RunDriver:
        loop = asyncio.get_running_loop()
        if self._driver is None:
            self._driver = RunDriver(self._group, self._core, loop)
        elif self._driver.loop is not loop:
            raise RuntimeError("the bulk run belongs to another event loop")
        return self._driver


class ShownAsyncBulk(AsyncBulk[T]):
    """A bulk run with a bar, which is closed when a step ends the run or raises."""

    def __init__(
        self,
        core: AsyncCore,
        operation: str | _core.Plan,
        rows: Rows,
        concurrency: int | None,
        on_progress: Callable[[Progress], object] | None,
        settings: RunSettings,
        options: Options,
    ) -> None:
        from ._progress import Bar, title_of

        self._bar = Bar(title_of(operation), on_progress)
        super().__init__(core, operation, rows, concurrency, self._bar, settings, options)

    async def __anext__(self) -> Result[T]:
        try:
            return await super().__anext__()
        except BaseException:
            self._bar.close()
            raise

    async def aclose(self) -> None:
        await super().aclose()
        self._bar.close()


ShownAsyncBulk.__name__ = "AsyncBulk"  # for its repr
