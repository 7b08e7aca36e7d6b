"""The methods of ``Plan``, for asyncio. Tests compare the signatures."""

import os
from collections.abc import Callable

import privy

from . import _core
from ._bulk import BulkReport
from ._loop import AsyncCore
from ._plan import BasePlan, TakenRows

class AsyncPlan(BasePlan):
    """What rows of contacts would change, like ``Plan``; ``apply`` is a coroutine."""

    def __init__(self, client: AsyncCore, core: _core.Plan, taken: TakenRows) -> None: ...
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
        """Sends what differs: one request for each contact that is created or changed."""
