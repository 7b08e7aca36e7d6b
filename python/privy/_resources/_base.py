"""The base class of the resources."""

from __future__ import annotations

from .. import _core

TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .._bulk import Bulk, Progress
    from .._pagination import CallSpec, ContactList
    from ..types import Options, Row


def described(name: str, core: _core.Client) -> str:
    """The repr of a client or a resource."""
    if core.closed:
        return f"{name}(closed)"
    return f"{name}({'sandbox, ' if core.is_sandbox else ''}base_url={core.base_url!r})"


class Resource:
    """A resource of the API. Its methods make calls with the core's client."""

    def __init__(self, core: _core.Client) -> None:
        self._core = core

    def __repr__(self) -> str:
        return described(type(self).__name__, self._core)

    def _list(self, request: CallSpec, prefetch: bool, limit: int | None) -> ContactList:
        from .._pagination import ContactList

        return ContactList(self._core, request, prefetch, limit)

    def _bulk(
        self,
        operation: str,
        rows: Iterable[Row],
        check_first: bool,
        concurrency: int | None,
        on_progress: Callable[[Progress], object] | None,
        progress: bool,
        options: Options,
    ) -> Bulk[Any]:
        from .._bulk import Bulk
        from .._bulk_rows import validated_rows

        if check_first:
            rows = validated_rows(operation, rows)
        arguments = (self._core, operation, rows, concurrency, on_progress, options)
        if progress:
            from .._progress import ShownBulk

            return ShownBulk(*arguments)
        return Bulk(*arguments)
