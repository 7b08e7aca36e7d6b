"""Header fields of a response."""

from __future__ import annotations

from _collections_abc import Iterable, Iterator, Mapping


class Headers(Mapping[str, str]):
    """Header fields of a response by name; names are case-insensitive.

    Several fields of one name are joined by ``, ``. Fields that may hold a secret (``Set-Cookie`` and the like) are
    left out.
    """

    __slots__ = ("_fields",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = {name.lower(): (name, value) for name, value in pairs}

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Headers):
            return self._values() == other._values()
        return NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self._values().items()))

    def __repr__(self) -> str:
        return f"Headers({list(self)!r})"

    def __reduce__(self) -> tuple[type[Headers], tuple[list[tuple[str, str]]]]:
        return Headers, (list(self._fields.values()),)

    def _values(self) -> dict[str, str]:
        return {key: value for key, (_, value) in self._fields.items()}
