"""Plans driven by an asyncio event loop."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Callable

import privy

from . import _core
from ._async_bulk import AsyncBulk, RunDriver, ShownAsyncBulk
from ._bulk import NO_SETTINGS, BulkReport
from ._loop import AsyncCore, running_loop
from ._plan import OPERATION, BasePlan, Plan, PlanSettings, TakenRows, start
from ._rows import source_of
from .types import Any


class AsyncPlan(BasePlan):
    """What rows of contacts would change, like ``Plan``; ``apply`` is a coroutine."""

    def __init__(self, client: AsyncCore, core: _core.Plan, taken: TakenRows) -> None:
        super().__init__(core, taken)
        self._client = client

    async def apply(
        self,
        *,
        concurrency: int | None = None,
        on_progress: Callable[[privy.Progress], object] | None = None,
        progress: bool = False,
        journal: str | os.PathLike[str] | None = None,
        resume: privy.types.Resume = "auto",
        on_spent_day: privy.types.OnSpentDay = "stop",
        until: privy.types.Time | None = None,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> BulkReport:
        from ._resources._base import run_settings

        settings = run_settings(journal, resume, on_spent_day, until) or NO_SETTINGS
        options = (None, timeout, connect_timeout, max_wait, max_retries)
        kind: type[AsyncBulk[_core.Contact]] = ShownAsyncBulk if progress else AsyncBulk
        run = kind(self._client, self._core, self._sent, concurrency, on_progress, settings, options)
        self._run = run
        async with run:
            return await run.run()

    apply.__doc__ = Plan.apply.__doc__


async def make(client: AsyncCore, rows: Any, settings: PlanSettings) -> AsyncPlan:
    """Reads what is there and compares. Cancelling the task ends the reading."""
    group = _core.Group(client.core)
    core = start(group, client.core, settings)
    driver = RunDriver(group, client.core, running_loop())
    try:
        taken = TakenRows(core, settings.nulls)
        if isinstance(rows, AsyncIterable) and not hasattr(type(rows), "__iter__"):
            async for row in rows:
                taken.add(row)
        else:
            for row in source_of(OPERATION, rows, settings.nulls):
                taken.add(row)
        core.end_rows()
        await _drive(core, driver, settings.on_progress is not None)
    except BaseException:
        core.close()
        raise
    return AsyncPlan(client, core, taken)


async def _drive(core: _core.Plan, driver: RunDriver, reports: bool) -> None:
    while True:
        step = core.step()
        if step == "end":
            return
        driver.plan()
        await driver.change(0 if step == "again" else _INTERVAL if reports else None)


_INTERVAL = 0.25
"""Seconds between two checks for progress while a plan waits."""
