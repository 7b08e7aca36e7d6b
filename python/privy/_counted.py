"""Numbers of things in texts for people."""

from __future__ import annotations


def counted(number: int, noun: str, form: str = "") -> str:
    """A number and its noun, which gets its plural, such as ``1 row`` or ``2 rows``. ``form`` is a format of the
    number: ``,`` groups its digits."""
    return f"{number:{form}} {noun}{'' if number == 1 else 's'}"
