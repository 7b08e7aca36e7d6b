"""Walks over the pages of a list: imported when the first list is read."""

from __future__ import annotations

from . import _core
from ._errors import PrivyError

TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ._core import Contact, Page
    from ._pages import BaseList


class BaseWalk:
    """One walk over the pages of a list: where it stands, and what is to be asked for next."""

    def __init__(self, contacts: BaseList) -> None:
        self.core: Any = contacts._core
        self.page: Any = None
        self.fresh: Sequence[Contact] = ()
        self._list: Any = contacts
        self._seen: _core.Walk | None = None
        self._next = 0
        self._read = 0

    def may_ask(self, client: _core.Client) -> bool:
        """Whether the next page may be asked for before it is needed: the core decides when."""
        return bool(self._list._prefetch) and self._seen is not None and self._seen.may_prefetch(client, self._read)

    def asked(self) -> tuple[Any, ...]:
        """The call that gives the next page."""
        operation, params, *rest = self._list._asked
        return (operation, {**params, "page": self._next}, *rest)

    def take(self, page: Page) -> None:
        """Goes to a page that has come."""
        params = self._list._asked[1]
        if self._seen is None:
            self._seen = _core.Walk(_number(params["page"]), _number(params["per_page"]))
        self.page = page
        self._read = 0
        self.fresh, self._next = self._seen.take(page)

    def parts(self) -> Iterator[Sequence[Contact]]:
        """The contacts that no earlier page held, so many at a time that it is worth a look ahead after each part."""
        size = 1 if self._seen is None else self._seen.stride
        for at in range(0, len(self.fresh), size):
            self._read = at + size
            yield self.fresh[at : at + size]


class Walk(BaseWalk):
    """A walk that fetches the next page by a group of its own, which is driven while this page is read."""

    def __init__(self, contacts: BaseList) -> None:
        super().__init__(contacts)
        self._group: _core.Group | None = None
        self._ended: tuple[int, Any, Exception | None] | None = None

    def turn(self) -> bool:
        """Goes to the next page. False when there is none."""
        if self.page is None:
            self.take(self._list._take_first())
            return True
        if self._next == 0:
            return False
        page = self._wait()
        self.take(self.core.call(*self.asked()) if page is None else page)
        self.look_ahead()
        return True

    def look_ahead(self) -> None:
        """Asks for the next page; when it is on its way, moves it on. What fails here is asked for at the turn."""
        if self._ended is not None:
            return
        try:
            if self._group is None:
                if not self.may_ask(self.core):
                    return
                group = _core.Group(self.core)
                group.set_ahead(True)
                group.start(self.core, 0, *self.asked())
                self._group = group
            self._drive(0.0)
        except (PrivyError, MemoryError):
            self.leave()

    def leave(self) -> None:
        """Ends the call that is on its way."""
        group, self._group, self._ended = self._group, None, None
        if group is not None:
            group.close()

    def _wait(self) -> Page | None:
        """The page that was asked for; None when none was, or by the parent of this process."""
        try:
            if self._group is not None:
                self._group.set_ahead(False)
            while self._group is not None:
                self._drive(1.0)
        except PrivyError:
            self.leave()
        ended, self._ended = self._ended, None
        if ended is None:
            return None
        _, page, error = ended
        if error is not None:
            raise error
        found: Page = page
        return found

    def _drive(self, seconds: float) -> None:
        """Moves the call on. Once it has ended, its connection is there for other calls."""
        group: Any = self._group
        group.wait(seconds)
        ended = group.take()
        if ended is not None:
            self.leave()
            self._ended = ended


def _number(given: object) -> int:
    """A parameter as the walk takes it: 0 when it was not given."""
    return given if isinstance(given, int) else 0
