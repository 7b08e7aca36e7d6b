"""What the resources share."""

from __future__ import annotations

from . import _core
from ._pages import ContactList

TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ._bulk import Bulk, Progress
    from .types import Options, Row


class Resource:
    """A resource: its methods call the core's client."""

    def __init__(self, core: _core.Client) -> None:
        self._core = core

    def _list(self, asked: tuple[Any, ...], prefetch: bool) -> ContactList:
        return ContactList(self._core, asked, prefetch)

    def _bulk(
        self,
        operation: str,
        rows: Iterable[Row],
        check_first: bool,
        concurrency: int | None,
        on_progress: Callable[[Progress], object] | None,
        options: Options,
    ) -> Bulk[Any]:
        from ._bulk import Bulk
        from ._bulk_rows import checked

        if check_first:
            rows = checked(operation, rows)
        return Bulk(self._core, operation, rows, concurrency, on_progress, options)
