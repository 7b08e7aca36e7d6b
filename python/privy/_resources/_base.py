"""The base class of the resources."""

from __future__ import annotations

from .. import _core

TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .._bulk import Bulk, Progress
    from .._export import ExportReport, ExportSettings
    from .._pagination import CallSpec, ContactList
    from .._plan import Plan, PlanSettings
    from ..types import Nulls, Options, RunSettings


def described(name: str, core: _core.Client) -> str:
    """The repr of a client or a resource."""
    if core.closed:
        return f"{name}(closed)"
    return f"{name}({'sandbox, ' if core.is_sandbox else ''}base_url={core.base_url!r})"


def run_settings(journal: object, resume: str, on_spent_day: str, until: object) -> RunSettings | None:
    """The settings of a bulk run for the core; None if all have their default."""
    if journal is None and until is None and (resume, on_spent_day) == ("auto", "stop"):
        return None
    from .._run_settings import checked

    return checked(journal, resume, on_spent_day, until)


class Resource:
    """A resource of the API. Its methods make calls with the core's client."""

    def __init__(self, core: _core.Client) -> None:
        self._core = core

    def __repr__(self) -> str:
        return described(type(self).__name__, self._core)

    def _list(self, request: CallSpec, prefetch: bool, limit: int | None) -> ContactList:
        from .._pagination import ContactList

        return ContactList(self._core, request, prefetch, limit)

    def _plan(self, rows: object, settings: PlanSettings, progress: bool) -> Plan:
        from .._plan import make

        if not progress:
            return make(self._core, rows, settings)
        from .._progress import Bar

        bar = Bar("contacts.plan", settings.on_progress)
        try:
            return make(self._core, rows, settings._replace(on_progress=bar))
        finally:
            bar.close()

    def _export(self, settings: ExportSettings, progress: bool) -> ExportReport:
        from .._export import make

        if not progress:
            return make(self._core, settings)
        from .._progress import Bar

        bar = Bar("contacts.export", settings.on_progress)
        try:
            return make(self._core, settings._replace(on_progress=bar))
        finally:
            bar.close()

    def _bulk(
        self,
        operation: str,
        rows: object,
        nulls: Nulls | None,
        check_first: bool,
        concurrency: int | None,
        on_progress: Callable[[Progress], object] | None,
        progress: bool,
        settings: RunSettings | None,
        options: Options,
    ) -> Bulk[Any]:
        from .._bulk import NO_SETTINGS, Bulk
        from .._bulk_rows import Rows, checked_source
        from .._rows import source_of

        source = (checked_source if check_first else source_of)(operation, rows, nulls)
        held = Rows(operation, source, nulls)
        arguments = (self._core, operation, held, concurrency, on_progress, settings or NO_SETTINGS, options)
        if progress:
            from .._progress import ShownBulk

            return ShownBulk(*arguments)
        return Bulk(*arguments)
