"""Exports driven by an asyncio event loop."""

from __future__ import annotations

import asyncio

from . import _core
from ._async_bulk import RunDriver
from ._export import ExportReport, ExportSettings, report_of, start, write_columns
from ._loop import AsyncCore, running_loop

INTERVAL = 0.25
"""Seconds between two checks for progress while an export waits."""


async def make(client: AsyncCore, settings: ExportSettings) -> ExportReport:
    """Reads and writes. Cancelling the task ends it; what was read is kept."""
    group = _core.Group(client.core)
    core = start(group, client.core, settings)
    driver = RunDriver(group, client.core, running_loop())
    interval = None if settings.on_progress is None else INTERVAL
    try:
        while (step := core.step()) != "end":
            if step == "columns":
                await _write(core)
                continue
            driver.plan()
            await driver.change(0 if step == "again" else interval)
    finally:
        core.close()
    return report_of(core, settings)


async def _write(core: _core.Export) -> None:
    """Writes columns in a thread. A task that is cancelled waits for it, because it uses the export."""
    writing = asyncio.ensure_future(asyncio.to_thread(write_columns, core))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait((writing,))
        raise
