"""Lists that fetch their pages as they are read."""

from __future__ import annotations

from _collections_abc import Iterator

import privy

from ._core import Contact, Page

PER_PAGE = 100
"""Contacts a page, unless told otherwise: as many as the API gives."""


class BaseList:
    """What lists share, whichever way they wait: what is asked for, and the page that was fetched to count."""

    def __init__(self, core: privy.types.Any, asked: tuple[privy.types.Any, ...], prefetch: bool) -> None:
        self._core = core
        self._asked = asked
        self._prefetch = prefetch
        self._first: Page | None = None
        self._total: tuple[int | None] | None = None

    def __repr__(self) -> str:
        state = "not asked yet" if self._total is None else f"total_count={self._total[0]}"
        return f"{type(self).__name__}({state})"

    def _counted(self, page: Page) -> Page:
        self._total = (page.total_count,)
        return page


class ContactList(BaseList):
    """Contacts over all pages, fetched page by page while iterating, each once.

    Nothing is sent before the first use. While one page is read the next is on its way: on the first page once a tenth
    of it has been read, so that a look at the first few contacts is one request; afterwards as soon as a page is there.
    Leaving a loop ends what is on its way. No contact is given twice, although contacts are created or deleted
    meanwhile (a loop remembers at least the last 4,096). A page that ``total_count`` has fetched is used by the next
    loop; each later loop asks anew. Errors are those of any call and come from the loop, from ``pages()`` or from
    ``total_count``; that of a page on its way comes when the loop gets there.
    """

    def __iter__(self) -> Iterator[Contact]:
        from ._walk import Walk

        walk = Walk(self)
        try:
            while walk.turn():
                for part in walk.parts():
                    yield from part
                    walk.look_ahead()
        finally:
            walk.leave()

    def pages(self) -> Iterator[Page]:
        """The pages as the server gives them: sequences of contacts with ``page``, ``per_page``, ``total_count`` and
        ``total_pages``. From the second on, the next page is on its way when one is handed out."""
        from ._walk import Walk

        walk = Walk(self)
        try:
            while walk.turn():
                yield walk.page
        finally:
            walk.leave()

    @property
    def total_count(self) -> int | None:
        """Contacts on all pages, whatever the page to start at; None when the answer does not tell.

        Costs one request when no page has been fetched yet.
        """
        if self._total is None:
            self._first = self._fetch_first()
        return None if self._total is None else self._total[0]

    def _take_first(self) -> Page:
        page, self._first = self._first, None
        return self._fetch_first() if page is None else page

    def _fetch_first(self) -> Page:
        return self._counted(self._core.call(*self._asked))
