"""What a bulk run lists of its rows: sequences that are tables too."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar, overload

from .types import TYPE_CHECKING, Row

if TYPE_CHECKING:
    from ._frames import ReportFrames

T_co = TypeVar("T_co", covariant=True)

if TYPE_CHECKING:
    _Base = Sequence
else:  # polars reads an instance of Sequence item by item, and does not see that it is a table
    _Base = Generic


class RowTable(_Base[T_co]):
    """An immutable sequence, equal to a list of the same items, and a table of pandas, polars, pyarrow and DuckDB.

    In the report of a run ``index`` is a column of integers, all others are text. ``row`` is JSON; ``key`` and
    ``value`` are JSON if they are not texts. Those of a journal have other columns too: ``count`` and ``status`` are
    integers, ``first_sent`` is a time, ``too_old`` and ``decided`` are booleans, ``request`` is JSON.
    """

    __slots__ = ("__weakref__", "_items", "_keys", "_report")

    def __init__(self, report: str, items: Sequence[T_co], keys: tuple[str, ...] = ()) -> None:
        self._report = report
        self._items = items
        self._keys = keys

    @overload
    def __getitem__(self, index: int, /) -> T_co: ...
    @overload
    def __getitem__(self, index: slice, /) -> RowTable[T_co]: ...
    def __getitem__(self, index: int | slice, /) -> T_co | RowTable[T_co]:
        if isinstance(index, slice):
            return RowTable(self._report, self._items[index], self._keys)
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T_co]:
        return iter(self._items)

    def count(self, value: Any, /) -> int:
        """How many items are equal to the value."""
        return sum(1 for item in self if item is value or item == value)

    def index(self, value: Any, start: int = 0, stop: int | None = None, /) -> int:
        """The position of the first item that is equal to the value. Raises ValueError if there is none."""
        for at in range(*slice(start, stop).indices(len(self))):
            if self[at] is value or self[at] == value:
                return at
        raise ValueError("no item is equal to the value")

    def __add__(self, other: Sequence[Any]) -> list[Any]:
        return [*self, *other] if isinstance(other, (list, RowTable)) else NotImplemented

    def __radd__(self, other: Sequence[Any]) -> list[Any]:
        return [*other, *self] if isinstance(other, list) else NotImplemented

    def __eq__(self, other: object) -> bool:
        if isinstance(other, RowTable):
            return self._items == other._items
        return self._items == other if isinstance(other, list) else NotImplemented

    def __repr__(self) -> str:
        return repr(self._items)

    def _repr_html_(self) -> str:
        """The first rows without personal data, for notebooks."""
        from ._html import show_rows

        return show_rows(self._report, self)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._frames().__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> Any:
        """The rows as a ``pyarrow.Table``."""
        return self._frames().to_arrow()

    def to_pandas(self) -> Any:
        """The rows as a ``pandas.DataFrame``, by pyarrow."""
        return self._frames().to_pandas()

    def to_polars(self) -> Any:
        """The rows as a ``polars.DataFrame``."""
        return self._frames().to_polars()

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Writes the rows to a Parquet file, by pyarrow. The file appears when it is complete."""
        self._frames().to_parquet(path)

    def _frames(self) -> ReportFrames:
        from ._frames import ReportFrames
        from ._report_cells import cells_of

        return ReportFrames(self._report, lambda: cells_of(self._report, self._items, self._keys))


def key_of(row: Row, keys: tuple[str, ...]) -> object:
    """What identifies a row: the first of its parameters of these names that it holds; None without one."""
    if not hasattr(row, "get"):
        return None
    return next((row[name] for name in keys if row.get(name) is not None), None)
