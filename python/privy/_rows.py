"""The ``rows`` argument of bulk runs."""

from __future__ import annotations

from _collections_abc import Iterable, Iterator, Mapping

import privy

_WAYS = (("to_dicts", "to_dicts()"), ("to_pylist", "to_pylist()"), ("to_dict", 'to_dict("records")'))
"""Methods of frames and tables that return their rows as dicts."""


def rows_of(rows: Iterable[privy.types.Row]) -> Iterator[privy.types.Row]:
    """An iterator over the rows. Raises TypeError if ``rows`` is not an iterable of rows."""
    given: object = rows
    problem = _problem(given)
    if problem is None:
        try:
            return iter(rows)
        except TypeError:
            problem = "await its rows first" if hasattr(given, "__aiter__") else "it is not iterable"
    raise TypeError(f"rows must be an iterable of dicts, not {type(given).__name__}: {problem}")


def _problem(rows: object) -> str | None:
    if isinstance(rows, (str, bytes, bytearray, memoryview)):
        return "read its rows first, with csv or json for example"
    if _is_frame(rows):
        ways = [way for name, way in _WAYS if hasattr(rows, name)]
        return f"use its {ways[0]}" if ways else "convert it to a list of dicts"
    if isinstance(rows, Mapping) or _has_all(rows, "keys", "__getitem__"):
        return (
            "use its to_list() if its values are dicts" if _has_all(rows, "to_list") else "put the one row into a list"
        )
    return None


def _is_frame(rows: object) -> bool:
    """Whether this is a frame, a table or a stream of them: iterating one returns columns or batches. A series is
    not."""
    if _has_all(rows, "columns"):
        return any(_has_all(rows, name) for name in ("__arrow_c_stream__", "__dataframe__", *dict(_WAYS)))
    own = type(rows).__module__.partition(".")[0] == "privy"
    return _has_all(rows, "__arrow_c_stream__") and not _has_all(rows, "__array__") and not own


def _has_all(value: object, *names: str) -> bool:
    return all(hasattr(type(value), name) for name in names)
