"""Lists that fetch their pages as they are read."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ._core import Contact, Page

PER_PAGE = 100
"""Contacts a page, unless told otherwise: as many as the API gives."""


class ContactList:
    """Contacts over all pages, fetched one page at a time while iterating.

    Nothing is sent before the first use, and nothing after the last contact that is read: leaving a loop early costs
    no further request. A page that ``total_count`` has fetched is used by the next loop. Errors are those of any call
    and come from the loop, from ``pages()`` or from ``total_count``.
    """

    __slots__ = ("_fetch", "_first", "_per_page", "_start", "_total")

    def __init__(self, fetch: Callable[[int | None], Page], start: int | None, per_page: int) -> None:
        self._fetch = fetch
        self._start = start
        self._per_page = per_page
        self._first: Page | None = None
        self._total: tuple[int | None] | None = None

    def __iter__(self) -> Iterator[Contact]:
        for page in self.pages():
            yield from page

    def pages(self) -> Iterator[Page]:
        """The pages themselves: sequences of contacts with ``page``, ``per_page``, ``total_count``, ``total_pages``."""
        page = self._fetch_first() if self._first is None else self._first
        self._first = None
        number = page.page or self._start or 1
        yield page
        while goes_on(page, number, self._per_page):
            number += 1
            page = self._fetch(number)
            yield page

    @property
    def total_count(self) -> int | None:
        """Contacts on all pages, whatever the page to start at; None when the answer does not tell.

        Costs one request when no page has been fetched yet.
        """
        if self._total is None:
            self._first = self._fetch_first()
        return None if self._total is None else self._total[0]

    def __repr__(self) -> str:
        state = "not asked yet" if self._total is None else f"total_count={self._total[0]}"
        return f"ContactList({state})"

    def _fetch_first(self) -> Page:
        page = self._fetch(self._start)
        self._total = (page.total_count,)
        return page


def goes_on(page: Page, number: int, per_page: int) -> bool:
    """Whether a page is to be asked for after the one of this number."""
    if page.total_pages is None:  # an answer without pagination: a full page may not be the last
        return len(page) >= per_page
    return len(page) > 0 and number < page.total_pages
