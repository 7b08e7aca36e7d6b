"""The result of one row of a bulk run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, Literal, TypeAlias, TypeVar

from .types import Row

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Success(Generic[T_co]):
    """The result of a row whose call succeeded."""

    index: int
    """Position of the row, from 0."""
    row: Row = field(repr=False)
    """The row itself."""
    value: T_co
    """What the call returned."""
    error: None = field(default=None, init=False, repr=False)
    """None: the call raised nothing."""
    ok: Literal[True] = field(default=True, init=False, repr=False)
    """True: the call succeeded."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The result of a row whose call failed."""

    index: int
    """Position of the row, from 0."""
    row: Row = field(repr=False)
    """The row itself."""
    error: Exception
    """What the call raised."""
    value: None = field(default=None, init=False, repr=False)
    """None: the call returned nothing."""
    ok: Literal[False] = field(default=False, init=False, repr=False)
    """False: the call failed."""


Result: TypeAlias = Success[T] | Failure
"""The result of one row: a ``Success`` or a ``Failure``. Type checkers know which of them it is by
``result.error is None``, by ``result.ok is True``, by ``isinstance(result, Success)`` and in ``match`` statements; mypy
also by ``result.ok`` alone."""
