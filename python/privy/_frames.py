"""Records and rows as tables of pyarrow, polars and pandas. Imported with the first table."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from . import _core

TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from .types import CustomFields

EXTRAS = {"pandas": "pandas", "polars": "polars", "pyarrow": "pandas", "pyarrow.parquet": "pandas"}
"""The extra of the package that installs each library."""


class _Frames:
    """Rows as columns, for every library that reads the Arrow PyCapsule interface. Each use reads the rows again."""

    def __init__(self, rows: Callable[[], Iterable[Any]], stream: Callable[[Iterator[Any]], object]) -> None:
        self._rows = rows
        self._stream = stream
        self._error: BaseException | None = None

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._stream(self._watched())

    def to_arrow(self) -> Any:
        """A ``pyarrow.Table``."""
        return self._read(_imported("pyarrow").table)

    def to_pandas(self) -> Any:
        """A ``pandas.DataFrame``, made by pyarrow without a copy where that is possible."""
        _imported("pandas")
        return self.to_arrow().to_pandas(split_blocks=True, self_destruct=True)

    def to_polars(self) -> Any:
        """A ``polars.DataFrame``."""
        return self._read(_polars().DataFrame)

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Writes a Parquet file, batch by batch. The file appears when it is complete."""
        check_parquet()
        part = f"{os.fspath(path)}.part"
        try:
            self._read(lambda frames: write_parquet(frames, part))
            os.replace(part, path)
        except BaseException:
            if os.path.exists(part):
                os.remove(part)
            raise

    def _watched(self) -> Iterator[Any]:
        """The rows. Keeps the error that ends them: a consumer raises another one, with its message only."""
        self._error = None
        try:
            yield from self._rows()
        except GeneratorExit:
            raise
        except BaseException as error:
            self._error = error
            raise

    def _read(self, consumer: Callable[[_Frames], Any]) -> Any:
        """What the consumer makes of the rows. Raises the error of a call as it was."""
        try:
            return consumer(self)
        except BaseException:
            error, self._error = self._error, None
            if error is None:
                raise
        raise error


class Frames(_Frames):
    """Records as columns."""

    def __init__(
        self, table: str, rows: Callable[[], Iterable[Sequence[object]]], custom_fields: CustomFields = "json"
    ) -> None:
        if custom_fields not in ("json", "columns"):
            raise ValueError(f"custom_fields must be 'json' or 'columns', not {custom_fields!r}")
        spread = custom_fields == "columns"
        super().__init__(rows, lambda pages: _core.arrow_stream(table, pages, spread))


class ReportFrames(_Frames):
    """What a report of a bulk run lists as columns. The rows are tuples of their cells."""

    def __init__(self, report: str, rows: Callable[[], Iterable[tuple[object, ...]]]) -> None:
        super().__init__(rows, lambda cells: _core.report_stream(report, cells))


def check_parquet() -> None:
    """Imports what writes Parquet files.

    Raises:
        ImportError: it is missing; the message says what to install.
    """
    _imported("pyarrow")
    _imported("pyarrow.parquet")


def write_parquet(columns: object, path: str) -> None:
    """Writes what has ``__arrow_c_stream__`` to a Parquet file, batch by batch."""
    pyarrow, parquet = _imported("pyarrow"), _imported("pyarrow.parquet")
    reader = pyarrow.RecordBatchReader.from_stream(columns)
    with parquet.ParquetWriter(path, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)


LEAST_POLARS = (1, 32)
"""Older ones read only the first batch of a stream, or give its later batches the categories of the first."""


def _polars() -> Any:
    polars = _imported("polars")
    if tuple(int(part) for part in polars.__version__.split(".")[:2]) < LEAST_POLARS:
        raise ImportError(f"this needs polars 1.32 or newer, not {polars.__version__}, which loses rows", name="polars")
    return polars


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        extra = EXTRAS[name]
        sentence = f"this needs {name.partition('.')[0]}: install privy-marketing[{extra}], or {extra} and pyarrow"
        raise ImportError(sentence if extra == "pandas" else sentence.partition(", or")[0], name=name) from error
