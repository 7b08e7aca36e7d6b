"""The rows of frames and tables, as dicts. A slice of the frame is converted at a time."""

from __future__ import annotations

import importlib
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, overload

from . import _core
from ._core import omit
from ._rows import IterableRows, Source, is_pandas
from .types import Nulls, Row

SLICE = 1000
"""Rows that are converted at once."""
_EXACT = 2**53
"""Floats beyond this are not exact integers."""


def frame_rows(frame: Any, nulls: Nulls | None, integers: Sequence[str]) -> Source:
    """The rows of a frame. Its nulls are omitted by default. ``integers``: columns whose floats and decimals without a
    fraction are integers: pandas stores integers as floats in a column with holes."""
    omits = nulls != "send"
    if is_pandas(frame):
        return PandasRows(frame, omits, integers)
    if hasattr(type(frame), "slice") and hasattr(type(frame), "__len__"):
        return ArrowTableRows(frame, omits, integers)
    return ArrowStreamRows(_core.ArrowRows(_exported(frame), omits, integers))


def _exported(table: Any) -> object:
    """The capsule of a stream, or those of a schema and an array."""
    return table.__arrow_c_stream__() if hasattr(table, "__arrow_c_stream__") else table.__arrow_c_array__()


class ArrowStreamRows(IterableRows):
    """The rows of a stream of Arrow arrays, which is read once."""

    def __init__(self, rows: _core.ArrowRows) -> None:
        super().__init__(rows)
        self.names = rows.names


class SlicedRows:
    """The rows of a frame that has a length and slices."""

    repeatable = True
    names: list[object] | None

    @property
    @abstractmethod
    def total(self) -> int:
        """Number of rows."""

    @abstractmethod
    def convert(self, start: int) -> list[Row]:
        """The rows of the slice that begins at ``start``."""

    def __iter__(self) -> Iterator[Row]:
        return _Pass(self)

    def after(self, taken: int) -> Sequence[Row]:
        """The later rows, converted when they are read."""
        return LaterRows(self, taken)


class ArrowTableRows(SlicedRows):
    """The rows of a frame of polars, of a table of pyarrow, or of another sliceable table or array of structs."""

    def __init__(self, table: Any, omits: bool, integers: Sequence[str]) -> None:
        self._table = table
        self._options = omits, integers
        self.names = self._read(0, 0).names

    @property
    def total(self) -> int:
        """Number of rows."""
        return len(self._table)

    def convert(self, start: int) -> list[Row]:
        """The rows of the slice that begins at ``start``."""
        return list(self._read(start, min(SLICE, self.total - start)))  # a longer slice is an error in some libraries

    def _read(self, start: int, count: int) -> _core.ArrowRows:
        return _core.ArrowRows(_exported(self._table.slice(start, count)), *self._options)


class PandasRows(SlicedRows):
    """The rows of a ``pandas.DataFrame``. Its index is not a column."""

    def __init__(self, frame: Any, omits: bool, integers: Sequence[str]) -> None:
        self._frame = frame
        self._hole = omit if omits else None
        self._options = omits, integers
        self._columns: list[object] = list(frame.columns)
        self.names = self._columns

    @property
    def total(self) -> int:
        """Number of rows."""
        return len(self._frame)

    def convert(self, start: int) -> list[Row]:
        """The rows of the slice that begins at ``start``."""
        part = self._frame.iloc[start : start + SLICE]
        columns = [self._cells(part.iloc[:, at], name) for at, name in enumerate(self._columns)]
        names, hole = self._columns, omit
        rows: list[Any] = [
            {name: value for name, value in zip(names, cells, strict=True) if value is not hole}
            for cells in zip(*columns, strict=True)
        ]
        return rows if columns else [{} for _ in range(len(part))]

    def _cells(self, series: Any, name: object) -> list[Any]:
        if type(series.dtype).__name__ == "ArrowDtype":
            return self._arrow_cells(series, name)
        missing = series.isna().to_numpy(dtype=bool).nonzero()[0].tolist()
        cells = _values(series)
        if name in self._options[1]:
            cells = [_whole(value) for value in cells]
        for at in missing:
            cells[at] = self._hole
        return cells

    def _arrow_cells(self, series: Any, name: object) -> list[Any]:
        pyarrow = importlib.import_module("pyarrow")  # pandas needs it for such a column
        table = pyarrow.table({str(name): series.array.__arrow_array__()})
        rows = _core.ArrowRows(_exported(table), *self._options)
        return [row.get(str(name), self._hole) for row in rows]


def _values(series: Any) -> list[Any]:
    """The values of a column. Short floats have the digits that they are shown with."""
    if getattr(series.dtype, "tz", None) is not None and not series.dt.nanosecond.any():
        return list(series.dt.tz_convert("UTC").array.to_pydatetime())  # much faster than timestamps of pandas
    size = getattr(series.dtype, "itemsize", 0)
    if getattr(series.dtype, "kind", "O") != "f" or size not in (2, 4, 16):
        return list(series.tolist())
    short = series.to_numpy(dtype=f"f{size}", na_value=float("nan"))
    return [float(str(value)) for value in short] if size < 8 else list(short)


def _whole(value: Any) -> Any:
    """An integer for a float or a decimal that is one."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= _EXACT else value
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value == value.to_integral_value() else value
    return value


class _Pass:
    """One pass over the rows. An exception of a signal handler loses no row: the next one has the same index."""

    def __init__(self, rows: SlicedRows) -> None:
        self.resumes: bool = True
        self._rows = rows
        self._slice: tuple[int, list[Row]] = (0, [])
        self._next = 0

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        at = self._next
        start, rows = self._slice
        if at - start >= len(rows):
            if at >= self._rows.total:
                raise StopIteration
            start, rows = self._slice = (at, self._rows.convert(at))
        row = rows[at - start]
        self._next = at + 1
        return row


class LaterRows(Sequence[Row]):
    """The rows of a frame after the first ``taken``."""

    def __init__(self, rows: SlicedRows, taken: int) -> None:
        self._rows = rows
        self._taken = taken
        self._slice: tuple[int, list[Row]] = (0, [])

    def __len__(self) -> int:
        return max(0, self._rows.total - self._taken)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError("there are fewer rows")
        at = self._taken + index % len(self)
        start, rows = self._slice
        if not start <= at < start + len(rows):
            start = at - at % SLICE
            rows = self._rows.convert(start)
            self._slice = start, rows
        return rows[at - start]
