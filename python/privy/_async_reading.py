"""What a plan reads, driven by an asyncio event loop."""

from __future__ import annotations

from collections.abc import AsyncIterable

from . import _core
from ._async_bulk import RunDriver
from ._async_plan import AsyncPlan
from ._loop import AsyncCore, running_loop
from ._plan import OPERATION, PlanSettings, TakenRows, start
from ._rows import source_of
from .types import Any


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
