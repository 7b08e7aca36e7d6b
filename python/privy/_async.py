"""The client for asyncio. Parameters and documentation of its methods are those of ``Client``."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from os import PathLike

import privy

from . import _core
from ._async_resources import AsyncContacts, AsyncEvents, AsyncOrders
from ._client import BaseClient, to_response
from ._core import Contact, Omit, Page, omit
from ._errors import PrivyError
from ._frames import Frames
from ._loop import AsyncCore, running_loop
from ._pagination import BaseList, BasePager, CallSpec
from ._response import Response
from .types import Any, CustomFields, Self


class _AsyncPager(BasePager):
    """Fetches the next page with a task."""

    def __init__(self, core: AsyncCore, request: CallSpec, first_page: Page, prefetch: bool, limit: int | None) -> None:
        super().__init__(core.core, request, first_page, prefetch, limit)
        self._calls = core
        self._task: asyncio.Task[Page] | None = None

    async def advance(self) -> None:
        """Goes to the next page. Raises the error of its call."""
        if not self._next:
            self.page = None
            return
        task, self._task = self._task, None
        self._set_page(await (self._calls.call(*self.next_request()) if task is None else task))
        self.prefetch()

    def prefetch(self) -> None:
        """Requests the next page early. Ignores errors: ``advance`` makes the call again."""
        with contextlib.suppress(PrivyError, MemoryError):
            if self._task is None and self.may_prefetch():
                self._task = asyncio.ensure_future(self._calls.call(*self.next_request()))

    def close(self) -> None:
        """Cancels the call in flight."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()


class AsyncContactList(BaseList):
    """The contacts of all pages. ``async for`` fetches page after page and returns each contact once.

    The first use sends the first request. The event loop fetches the next page early, at the times that ``ContactList``
    describes. Closing the iterator of a loop cancels the request in flight. The next loop uses the page that
    ``total_count()`` has fetched; each later loop sends new requests.
    """

    def __init__(self, core: AsyncCore, request: CallSpec, prefetch: bool, limit: int | None = None) -> None:
        super().__init__(core.core, request, prefetch, limit)
        self._core = core

    async def __aiter__(self) -> AsyncIterator[Contact]:
        pager = await self._pager()
        try:
            while pager.page is not None:
                for part in pager.parts():
                    for contact in part:
                        yield contact
                    del part, contact  # an exception report may show local variables of its frames
                    pager.prefetch()
                await pager.advance()
        finally:
            pager.close()

    async def pages(self) -> AsyncIterator[Page]:
        """The pages as the server returns them: sequences of contacts with ``page``, ``per_page``, ``total_count`` and
        ``total_pages``. From the second page on, the next page is requested before the current one is returned."""
        pager = await self._pager()
        try:
            while pager.page is not None:
                yield pager.page
                await pager.advance()
        finally:
            pager.close()

    async def first(self, count: int) -> list[Contact]:
        """The first contacts, at most ``count``. Fetches the pages that hold them, and no others."""
        most = count if self._limit is None else min(count, self._limit)
        some = AsyncContactList(self._core, self._request, False, most)
        if most == 0:
            return []
        some._first_page = await self._take_first_page()
        return [contact async for contact in some]

    async def to_arrow(self, *, custom_fields: CustomFields = "json") -> Any:
        """The contacts of all pages as a ``pyarrow.Table``. Keeps all pages in memory until the table is made. See
        ``ContactList.to_arrow``."""
        return (await self._frames(custom_fields)).to_arrow()

    async def to_pandas(self, *, custom_fields: CustomFields = "json") -> Any:
        """The contacts of all pages as a ``pandas.DataFrame``, by pyarrow. See ``to_arrow``."""
        return (await self._frames(custom_fields)).to_pandas()

    async def to_polars(self, *, custom_fields: CustomFields = "json") -> Any:
        """The contacts of all pages as a ``polars.DataFrame``. See ``to_arrow``."""
        return (await self._frames(custom_fields)).to_polars()

    async def to_parquet(self, path: str | PathLike[str], *, custom_fields: CustomFields = "json") -> None:
        """Writes the contacts of all pages to a Parquet file, by pyarrow. See ``to_arrow``."""
        (await self._frames(custom_fields)).to_parquet(path)

    async def _frames(self, custom_fields: CustomFields) -> Frames:
        sequences: list[Sequence[Contact]] = []
        frames = Frames("Contact", lambda: sequences, custom_fields)
        pager = await self._pager()
        try:
            while pager.page is not None:
                sequences.append(pager.contacts)
                await pager.advance()
        finally:
            pager.close()
        return frames

    async def _pager(self) -> _AsyncPager:
        first_page = await self._take_first_page()
        return _AsyncPager(self._core, self._request, first_page, self._prefetch, self._limit)

    async def total_count(self) -> int | None:
        """The number of contacts on all pages, also when the list starts at a later page. None if the response lacks
        it.

        Costs one request if no page has been fetched yet.
        """
        if self._counted_page is None:
            self._first_page = await self._fetch_first_page()
        return None if self._counted_page is None else self._counted_page.total_count

    async def _take_first_page(self) -> Page:
        page, self._first_page = self._first_page, None
        return await self._fetch_first_page() if page is None else page

    async def _fetch_first_page(self) -> Page:
        return self._counted(await self._core.call(*self._request))


class AsyncClient(BaseClient):
    """A client of the Privy API for asyncio. Settings, resources, options and errors are those of ``Client``.

    The event loop that awaits a call drives it, without threads; thousands of calls can be in flight. Each event loop
    has its own connections; rate limits and token are shared. Cancelling a task (or ``asyncio.timeout``) cancels its
    call and closes its connection. Only name lookups of libcurl may use a thread.
    """

    # Each client replaces these. mock.create_autospec needs the classes.
    contacts: AsyncContacts = AsyncContacts  # type: ignore[assignment]
    orders: AsyncOrders = AsyncOrders  # type: ignore[assignment]
    events: AsyncEvents = AsyncEvents  # type: ignore[assignment]

    def _wrap(self, core: _core.Client) -> AsyncCore:
        return AsyncCore(core)

    def _view(self, inside: AsyncCore, options: tuple[Any, ...]) -> AsyncCore:
        return AsyncCore(inside.core.with_options(*options), inside.drivers)

    def _set_inside(self, inside: AsyncCore) -> None:
        self._core = inside.core
        self._inside = inside
        self.contacts = AsyncContacts(inside)
        self.orders = AsyncOrders(inside)
        self.events = AsyncEvents(inside)

    async def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, privy.types.Scalar] | None = None,
        body: privy.types.Json | Omit = omit,
        headers: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        max_wait: float | None = None,
        max_retries: int | None = None,
    ) -> Response:
        """Sends a request to any endpoint. Parameters and errors are those of ``Client.request``."""
        try:
            started = self._request(
                method, path, params, body, headers, timeout, connect_timeout, max_wait, max_retries
            )
        finally:  # an exception report may show local variables of its frames
            del path, params, body, headers
        return await started

    async def _request(self, *arguments: Any) -> Response:
        try:
            started = self._inside.request(*arguments)
        finally:
            del arguments
        return to_response(await started)

    async def aclose(self) -> None:
        """Closes the connections. Calls in flight and later calls raise ``PrivyError``."""
        for inside in {self._inside, *(self._links or {}).values()}:
            inside.drivers.close()
            inside.core.close()
        await asyncio.sleep(0)

    async def __aenter__(self) -> Self:
        running_loop()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()
