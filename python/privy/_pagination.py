"""Lists that fetch their pages while they are read. Imported when the first list is created."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, NamedTuple, NoReturn

import privy

from . import _core
from ._core import Contact, Page
from ._errors import PrivyError
from ._frames import Frames

TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from .types import Json

_MOST = 100_000_000
"""``list(contacts)`` reserves memory for as many contacts as ``len`` returns: a larger number is an error."""


class CallSpec(NamedTuple):
    """The arguments of a call of an operation, as ``call`` of a core takes them."""

    operation: str
    params: Mapping[str, object]
    extra: Mapping[str, Json] | None
    extra_headers: Mapping[str, str] | None
    timeout: float | None
    connect_timeout: float | None
    max_wait: float | None
    max_retries: int | None


class BasePager:
    """Reads the pages of a list: the current page, and the request for the next one."""

    page: Page | None
    """The current page; None after the last one."""

    def __init__(
        self, core: _core.Client, request: CallSpec, first_page: Page, prefetch: bool, limit: int | None
    ) -> None:
        params = request.params
        self._core = core
        self._request = request
        self._prefetch = prefetch
        self._left = limit
        self._pager = _core.Pager(_number(params["page"]), _number(params["per_page"]))
        self._contacts: Sequence[Contact] = ()
        self._set_page(first_page)

    @property
    def contacts(self) -> Sequence[Contact]:
        """The contacts of the page that no earlier page held, within the limit: the page itself if these are all."""
        return self._contacts

    def parts(self) -> Iterator[Sequence[Contact]]:
        """The contacts of the page that no earlier page held, in parts. Call ``prefetch`` after each part."""
        size = self._pager.stride
        for start in range(0, len(self._contacts), size):
            self._read = start + size
            yield self._contacts[start : start + size]

    def may_prefetch(self) -> bool:
        """Whether the next page may be requested before it is needed: the core decides."""
        return self._prefetch and self._next != 0 and self._pager.may_prefetch(self._core, self._read)

    def next_request(self) -> CallSpec:
        """The call that returns the next page."""
        params = {**self._request.params, "page": self._next}
        return CallSpec(self._request.operation, params, *self._request[2:])

    def _set_page(self, page: Page) -> None:
        self.page = page
        self._read = 0
        self._contacts, self._next = self._pager.take(page)
        if self._left is None:
            return
        if len(self._contacts) > self._left:
            self._contacts = self._contacts[: self._left]
        if len(self._contacts) == self._left:
            self._next = 0
        self._left -= len(self._contacts)


class Pager(BasePager):
    """Fetches the next page with a group of calls, which it drives while the current page is read."""

    def __init__(
        self, core: _core.Client, request: CallSpec, first_page: Page, prefetch: bool, limit: int | None
    ) -> None:
        super().__init__(core, request, first_page, prefetch, limit)
        self._group: _core.Group | None = None
        self._completed: tuple[Page, Exception | None] | None = None

    def advance(self) -> None:
        """Goes to the next page. Raises the error of its call."""
        if not self._next:
            self.page = None
            return
        page = self._prefetched()
        self._set_page(self._core.call(*self.next_request()) if page is None else page)
        self.prefetch()

    def prefetch(self) -> None:
        """Requests the next page early, or drives its call if it is in flight. Ignores errors: ``advance`` makes the
        call again."""
        if self._completed is not None:
            return
        try:
            if self._group is None:
                if not self.may_prefetch():
                    return
                group = _core.Group(self._core)
                group.set_prefetch(True)
                group.start(self._core, 0, *self.next_request())
                self._group = group
            self._drive(self._group, 0.0)
        except (PrivyError, MemoryError):
            self.close()

    def close(self) -> None:
        """Cancels the call in flight."""
        group, self._group, self._completed = self._group, None, None
        if group is not None:
            group.close()

    def _prefetched(self) -> Page | None:
        """Waits for the page that was requested early. None if none was, or if the parent process requested it."""
        try:
            if self._group is not None:
                self._group.set_prefetch(False)
            while self._group is not None:
                self._drive(self._group, 1.0)
        except PrivyError:
            self.close()
        completed, self._completed = self._completed, None
        if completed is None:
            return None
        page, error = completed
        if error is not None:
            raise error
        return page

    def _drive(self, group: _core.Group, seconds: float) -> None:
        """Drives the call. When it has completed, other calls can use its connection."""
        group.wait(seconds)
        completed = group.next_completed()
        if completed is not None:
            self.close()
            self._completed = completed[1:]


class BaseList:
    """What ``ContactList`` and ``AsyncContactList`` share: the request, and the page that was fetched to count."""

    def __init__(self, client: _core.Client, request: CallSpec, prefetch: bool, limit: int | None) -> None:
        if limit is not None and limit < 0:
            raise ValueError("limit must be 0 or more")
        self._client = client
        self._request = request
        self._prefetch = prefetch
        self._limit = limit
        self._first_page: Page | None = None
        self._counted_page: Page | None = None

    def __repr__(self) -> str:
        page = self._counted_page
        state = "not fetched" if page is None else f"total_count={page.total_count}"
        return f"{type(self).__name__}({'sandbox, ' if self._client.is_sandbox else ''}{state})"

    def _repr_html_(self) -> str | None:
        """The first contacts, how many there are, and what reading them costs, for notebooks."""
        from ._html import show_contact_list

        return show_contact_list(self)

    def _preview(self) -> Page | None:
        """The page that a notebook shows. None if the list has not been read."""
        return self._counted_page

    def _counted(self, page: Page) -> Page:
        self._counted_page = page
        return page


class ContactList(BaseList):
    """The contacts of all pages. Iterating fetches page after page and returns each contact once.

    The first use sends the first request. By default the list requests the next page early: on the first page after a
    tenth of it has been read, so that reading the first few contacts costs one request; on later pages at once.
    Leaving a loop cancels the request in flight. A loop returns no contact twice, even if contacts are created or
    deleted meanwhile (it remembers at least the last 4,096). The next loop uses the page that ``total_count()`` has
    fetched; each later loop sends new requests. The loop, ``pages()`` and ``total_count()`` raise the errors of any
    call; the error of a page that was requested early is raised when the loop reaches that page.
    """

    def __init__(self, core: _core.Client, request: CallSpec, prefetch: bool, limit: int | None = None) -> None:
        super().__init__(core, request, prefetch, limit)
        self._core = core

    def __len__(self) -> int:
        """The number of contacts that a loop returns, unless contacts are created or deleted meanwhile. At most
        ``limit``, and without the contacts of pages before the first one to read.

        Costs one request if no page has been fetched yet; the next loop uses that page. ``list(contacts)`` calls it, at
        no further cost.

        Raises:
            TypeError: the response does not say how many contacts there are.
        """
        if self._limit == 0:
            return 0
        records = _core.Pager.rest(self._known_page(), -1 if self._limit is None else self._limit)[1]
        if not 0 <= records <= _MOST:
            raise TypeError("the response does not say how many contacts there are")
        return records

    def __bool__(self) -> bool:
        """Whether a loop returns a contact. Costs what ``len`` costs."""
        return self._limit != 0 and len(self._known_page()) > 0

    def __iter__(self) -> Iterator[Contact]:
        pager = self._pager()
        try:
            while pager.page is not None:
                for part in pager.parts():
                    yield from part
                    del part  # an exception report may show local variables of its frames
                    pager.prefetch()
                pager.advance()
        finally:
            pager.close()

    def pages(self) -> Iterator[Page]:
        """The pages as the server returns them: sequences of contacts with ``page``, ``per_page``, ``total_count`` and
        ``total_pages``. From the second page on, the next page is requested before the current one is returned."""
        pager = self._pager()
        try:
            while pager.page is not None:
                yield pager.page
                pager.advance()
        finally:
            pager.close()

    def first(self, count: int) -> list[Contact]:
        """The first contacts, at most ``count``. Fetches the pages that hold them, and no others."""
        most = count if self._limit is None else min(count, self._limit)
        some = ContactList(self._core, self._request, False, most)
        if most == 0:
            return []
        some._first_page = some._counted(self._take_first_page())
        return list(some)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The contacts as a stream of Arrow arrays, in a capsule: what ``polars.DataFrame(contacts)``,
        ``pyarrow.table(contacts)``, ``pandas.DataFrame.from_arrow(contacts)`` and DuckDB read."""
        return self._frames("json").__arrow_c_stream__(requested_schema)

    def __array__(self, *args: object, **kwargs: object) -> NoReturn:
        """Refuses what ``pandas.DataFrame(contacts)`` would be otherwise: one column of Contact objects."""
        raise TypeError("contacts are no array: use contacts.to_pandas(), or list(contacts)")

    def to_arrow(self, *, custom_fields: privy.types.CustomFields = "json") -> Any:
        """The contacts of all pages as a ``pyarrow.Table``.

        Args:
            custom_fields: ``json`` puts custom fields into one column of JSON text; ``columns`` makes a column
                ``custom_fields.NAME`` for each, and keeps all pages in memory meanwhile.

        Raises:
            ImportError: a library is missing; the message says what to install.
        """
        return self._frames(custom_fields).to_arrow()

    def to_pandas(self, *, custom_fields: privy.types.CustomFields = "json") -> Any:
        """The contacts of all pages as a ``pandas.DataFrame``, by pyarrow. See ``to_arrow``."""
        return self._frames(custom_fields).to_pandas()

    def to_polars(self, *, custom_fields: privy.types.CustomFields = "json") -> Any:
        """The contacts of all pages as a ``polars.DataFrame``. See ``to_arrow``."""
        return self._frames(custom_fields).to_polars()

    def to_parquet(self, path: str | PathLike[str], *, custom_fields: privy.types.CustomFields = "json") -> None:
        """Writes the contacts of all pages to a Parquet file, by pyarrow. See ``to_arrow``."""
        self._frames(custom_fields).to_parquet(path)

    def _frames(self, custom_fields: privy.types.CustomFields) -> Frames:
        return Frames("Contact", self._sequences, custom_fields)

    def _sequences(self) -> Iterator[Sequence[Contact]]:
        """The contacts that a loop returns, page by page."""
        pager = self._pager()
        try:
            while pager.page is not None:
                yield pager.contacts
                pager.advance()
        finally:
            pager.close()

    def _pager(self) -> Pager:
        return Pager(self._core, self._request, self._take_first_page(), self._prefetch, self._limit)

    def total_count(self) -> int | None:
        """The number of contacts on all pages, also when the list starts at a later page. None if the response lacks
        it.

        Costs one request if no page has been fetched yet.
        """
        return self._known_page().total_count

    def _preview(self) -> Page:
        if self._counted_page is None:
            self._first_page = self._counted(self._core.call(*self._request._replace(max_wait=0)))
        return self._known_page()

    def _known_page(self) -> Page:
        """The page that was fetched first. Fetches it for the next loop if there is none."""
        page = self._counted_page
        if page is None:
            page = self._first_page = self._fetch_first_page()
        return page

    def _take_first_page(self) -> Page:
        page, self._first_page = self._first_page, None
        return self._fetch_first_page() if page is None else page

    def _fetch_first_page(self) -> Page:
        return self._counted(self._core.call(*self._request))


def _number(value: object) -> int:
    """A parameter as the core's pager takes it: 0 for a parameter that is not given."""
    return value if isinstance(value, int) else 0
