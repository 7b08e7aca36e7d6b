"""Rows of an asynchronous iterable, for a run in an event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterable, Callable, Iterator, Sequence
from typing import Any

from ._bulk_rows import checked_source
from ._rows import IterableRows, Source, source_of
from .types import Nulls, Row


def async_source(operation: str, rows: Any, nulls: Nulls | None, check_first: bool) -> Source:
    """The source of rows, which may be an asynchronous iterable."""
    if not hasattr(type(rows), "__aiter__") or hasattr(type(rows), "__iter__"):
        return (checked_source if check_first else source_of)(operation, rows, nulls)
    source_of(operation, (), nulls)
    if check_first:
        raise TypeError("check_first needs all rows: collect them first: [row async for row in rows]")
    return AsyncRows(rows)


class AsyncRows(IterableRows):
    """Takes one row at a time from an asynchronous iterable, in a task that lasts as long as the run: what the iterable
    opens and closes, such as a task group, is opened and closed by one task.

    As an iterator it returns itself while it has no row: the core then waits.
    """

    def __init__(self, rows: AsyncIterable[Any]) -> None:
        super().__init__(())
        self.total = None
        self.repeatable = False
        self._given = rows
        self._wake: Callable[[], None] = lambda: None
        self._task: asyncio.Task[None] | None = None
        self._wanted: asyncio.Event | None = None
        self._row: list[Any] = []
        self._error: BaseException | None = None
        self._ended = False

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._row:
            return self._row.pop()
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        if self._ended:
            raise StopIteration
        return self

    def after(self, taken: int) -> Sequence[Row]:
        """The row that was received and not taken."""
        return list(self._row)

    def want(self, wake: Callable[[], None]) -> None:
        """Requests the next row. Calls ``wake`` when it is there, or when there are no more."""
        self._wake = wake
        if self._row or self._ended:
            return
        if self._wanted is None or self._task is None:
            self._wanted = asyncio.Event()
            self._task = asyncio.get_running_loop().create_task(self._read(self._wanted))
        self._wanted.set()

    async def _read(self, wanted: asyncio.Event) -> None:
        try:
            rows = aiter(self._given)
            while True:
                await wanted.wait()
                wanted.clear()
                self._row.append(await anext(rows))
                self._wake()
        except StopAsyncIteration:
            pass
        except asyncio.CancelledError as error:
            if self._task is not None:  # not by aclose
                self._error = RuntimeError("the source of the rows was cancelled")
                self._error.__cause__ = error
        except BaseException as error:
            self._error = error
            if not isinstance(error, Exception):
                raise
        finally:
            self._ended = True
            self._wake()

    async def aclose(self) -> None:
        """Stops reading the iterable."""
        task, self._task = self._task, None
        self._ended = True
        if task is not None and not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait((task,))
