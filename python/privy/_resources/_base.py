"""The base class of the resources."""

from __future__ import annotations

from .. import _core

TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .._bulk import Bulk, Progress
    from .._pagination import CallSpec, ContactList
    from ..types import Nulls, Options


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
        rows: object,
        nulls: Nulls | None,
        check_first: bool,
        concurrency: int | None,
        on_progress: Callable[[Progress], object] | None,
        progress: bool,
        options: Options,
    ) -> Bulk[Any]:
        from .._bulk import Bulk
        from .._bulk_rows import Rows, checked_source
        from .._rows import source_of

        source = (checked_source if check_first else source_of)(operation, rows, nulls)
        arguments = (self._core, operation, Rows(operation, source, nulls), concurrency, on_progress, options)
        if progress:
            from .._progress import ShownBulk

            return ShownBulk(*arguments)
        return Bulk(*arguments)
