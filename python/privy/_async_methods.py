"""How the methods of the resources become methods for asyncio."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import privy

from ._async_bulk import AsyncBulk, ShownAsyncBulk
from ._async_rows import async_source
from ._bulk import NO_SETTINGS, Bulk, Progress
from ._bulk_rows import Rows
from ._hidden import without_own
from ._loop import AsyncCore
from ._pagination import CallSpec, ContactList
from ._resources import described
from .types import TYPE_CHECKING, Any, Nulls, Options, RunSettings

if TYPE_CHECKING:
    from ._export import ExportSettings
    from ._plan import Plan, PlanSettings

P = ParamSpec("P")
T = TypeVar("T")


def _named(made: Any, method: Any, module: str = "privy._async_resources") -> Any:
    made.__qualname__ = f"Async{method.__qualname__}"
    made.__module__ = module
    return made


def awaited(
    method: Callable[Concatenate[Any, P], T], module: str = "privy._async_resources"
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """The method of a resource, or of a plan, as a coroutine function: it awaits what the method returns."""
    plain: Any = method

    @wraps(plain)
    async def call(self: Any, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            started = plain(self, *args, **kwargs)
        finally:  # an exception report may show local variables of its frames
            del args, kwargs
        try:
            result: T = await started
        except BaseException as error:  # frames of plans and exports hold rows and filters
            raise error.with_traceback(without_own(error.__traceback__))  # noqa: B904
        return result

    made: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]] = _named(call, plain, module)
    return made


def _forwarded(method: Any) -> Any:
    """The method of a resource as a method of its asynchronous one. Its core makes what it returns asynchronous."""

    @wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        finally:  # an exception report may show local variables of its frames
            del args, kwargs

    return _named(call, method)


def plain(method: Callable[Concatenate[Any, P], T]) -> Callable[Concatenate[Any, P], T]:
    """The method of a resource unchanged: it makes no call."""
    made: Callable[Concatenate[Any, P], T] = _forwarded(method)
    return made


def listed(method: Callable[Concatenate[Any, P], ContactList]) -> Callable[Concatenate[Any, P], privy.AsyncContactList]:
    """The method of a resource, with an asynchronous list as result."""
    made: Callable[Concatenate[Any, P], privy.AsyncContactList] = _forwarded(method)
    return made


def many(method: Callable[Concatenate[Any, P], Bulk[T]]) -> Callable[Concatenate[Any, P], AsyncBulk[T]]:
    """The method of a resource, with an asynchronous bulk run as result."""
    made: Callable[Concatenate[Any, P], AsyncBulk[T]] = _forwarded(method)
    return made


def planned(
    method: Callable[Concatenate[Any, P], Plan],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, privy.AsyncPlan]]:
    """The method of a resource as a coroutine function, with an asynchronous plan as result."""
    plain: Any = method
    made: Callable[Concatenate[Any, P], Coroutine[Any, Any, privy.AsyncPlan]] = awaited(plain)
    return made


class AsyncResource:
    """A resource of the API. Its methods make calls with the core of an ``AsyncClient``."""

    def __init__(self, core: AsyncCore) -> None:
        self._core = core

    def __repr__(self) -> str:
        return described(type(self).__name__, self._core.core)

    def _list(self, request: CallSpec, prefetch: bool, limit: int | None) -> privy.AsyncContactList:
        return privy.AsyncContactList(self._core, request, prefetch, limit)

    async def _plan(self, rows: object, settings: PlanSettings, progress: bool) -> privy.AsyncPlan:
        from ._async_reading import make

        if not progress:
            return await make(self._core, rows, settings)
        from ._progress import Bar

        bar = Bar("contacts.plan", settings.on_progress)
        try:
            return await make(self._core, rows, settings._replace(on_progress=bar))
        finally:
            bar.close()

    async def _export(self, settings: ExportSettings, progress: bool) -> privy.ExportReport:
        from ._async_export import make

        if not progress:
            return await make(self._core, settings)
        from ._progress import Bar

        bar = Bar("contacts.export", settings.on_progress)
        try:
            return await make(self._core, settings._replace(on_progress=bar))
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
    ) -> AsyncBulk[Any]:
        source = async_source(operation, rows, nulls, check_first)
        kind = ShownAsyncBulk if progress else AsyncBulk
        held = Rows(operation, source, nulls)
        return kind(self._core, operation, held, concurrency, on_progress, settings or NO_SETTINGS, options)
