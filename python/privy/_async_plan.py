"""Plans for asyncio. Type checkers and editors read the stub, which spells out the methods."""

from __future__ import annotations

from collections.abc import Callable

from . import _core
from ._async_bulk import AsyncBulk, ShownAsyncBulk
from ._async_methods import awaited
from ._bulk import BulkReport, Progress
from ._loop import AsyncCore
from ._plan import BasePlan, Plan, TakenRows
from .types import Options, RunSettings


class AsyncPlan(BasePlan):
    """What rows of contacts would change, like ``Plan``; ``apply`` is a coroutine."""

    def __init__(self, client: AsyncCore, core: _core.Plan, taken: TakenRows) -> None:
        super().__init__(core, taken)
        self._client = client

    apply = awaited(Plan.apply, __name__)

    async def _apply(
        self,
        concurrency: int | None,
        on_progress: Callable[[Progress], object] | None,
        progress: bool,
        settings: RunSettings,
        options: Options,
    ) -> BulkReport:
        kind: type[AsyncBulk[_core.Contact]] = ShownAsyncBulk if progress else AsyncBulk
        run = kind(self._client, self._core, self._sent, concurrency, on_progress, settings, options)
        self._run = run
        async with run:
            return await run.run()
