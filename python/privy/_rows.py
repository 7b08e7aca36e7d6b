"""The ``rows`` argument of bulk runs: an iterable of rows, a frame, or an Arrow table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from typing import Protocol

import privy

from . import _core
from .types import Any, Nulls, Row

_LAZY = (("collect", "collect_schema"), ("compute", "columns"), ("toPandas", "columns"))
"""Methods of frames that hold no rows yet: the first is what to call."""


class Source(Protocol):
    """Where the rows of a run come from. It is iterated once, unless ``repeatable``."""

    names: list[object] | None
    """The names of its columns, if all rows have the same."""
    repeatable: bool

    @property
    def total(self) -> int | None: ...

    def __iter__(self) -> Iterator[Any]: ...

    def after(self, taken: int) -> Sequence[Row]:
        """The rows after the first ``taken``; empty if only the iterator has them."""
        ...


class IterableRows:
    """The rows of an iterable."""

    names: list[object] | None = None

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = rows
        self.total: int | None = len(rows) if isinstance(rows, Sized) else None
        self.repeatable = isinstance(rows, Sequence)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def after(self, taken: int) -> Sequence[Row]:
        """The later rows of a sequence."""
        return [self._rows[at] for at in range(taken, len(self._rows))] if isinstance(self._rows, Sequence) else []


def source_of(operation: str, rows: object, nulls: Nulls | None) -> Source:
    """The source of rows. Raises TypeError if ``rows`` holds no rows, ValueError for other ``nulls``, and
    ValidationError if the columns of a frame are no parameters of the operation."""
    if nulls not in (None, "omit", "send"):
        raise ValueError(f"nulls must be 'omit' or 'send', not {nulls!r}")
    problem = _problem(rows)
    if problem is not None:
        raise TypeError(f"rows must be a frame, or an iterable of rows, not {type(rows).__name__}: {problem}")
    if isinstance(rows, privy.ContactList):  # its length costs a request
        rows = iter(rows)
    if not is_frame(rows):
        return IterableRows(rows)  # type: ignore[arg-type]
    from ._frame_rows import frame_rows

    source = frame_rows(rows, nulls, _core.integer_params(operation))
    if source.names is not None and source.total != 0:
        _core.check_columns(operation, [name for name in source.names if name != "extra"])
    return source


def _problem(rows: object) -> str | None:
    """Why these are no rows."""
    if isinstance(rows, (str, bytes, bytearray, memoryview)):
        return "read its rows first, with csv or json for example"
    if is_frame(rows):
        return None
    for method, other in _LAZY:
        if _has_all(rows, method, other):
            return f"call its {method}() first"
    one_row = (("keys", "__getitem__"), ("__dataclass_fields__",), ("model_dump",))
    if isinstance(rows, Mapping) or any(_has_all(rows, *names) for names in one_row):
        return (
            "use its to_list() if its values are dicts" if _has_all(rows, "to_list") else "put the one row into a list"
        )
    try:
        iter(rows)  # type: ignore[call-overload]
    except TypeError:
        if hasattr(rows, "__aiter__"):
            return "use AsyncClient, or collect them first: [row async for row in rows]"
        return "it is not iterable"
    return None


def is_frame(rows: object) -> bool:
    """Whether this is a frame, a table or a stream of them: iterating one returns columns or batches. Of arrays and
    series only those of structs are."""
    if any(_has_all(rows, *names) for names in _LAZY):
        return False
    if is_pandas(rows):
        return True
    arrow = _has_all(rows, "__arrow_c_stream__") or _has_all(rows, "__arrow_c_array__")
    own = type(rows).__module__.partition(".")[0] == "privy"
    return arrow and not own and (_has_all(rows, "columns") or not _has_all(rows, "__array__") or _has_structs(rows))


def _has_structs(array: Any) -> bool:
    """Whether each value of an array or a series has named members."""
    kind = array.type if _has_all(array, "type") else getattr(array, "dtype", None)
    return str(kind).lower().startswith("struct")


def is_pandas(rows: object) -> bool:
    """Whether this has the interface of a ``pandas.DataFrame``."""
    return _has_all(rows, "iloc", "columns", "isna")


def _has_all(value: object, *names: str) -> bool:
    return all(hasattr(type(value), name) for name in names)
