"""Which encoding a file has. The core knows UTF-8, UTF-16 and Windows-1252; other files are converted to UTF-8."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from typing import BinaryIO

from ._exit import Usage

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
PLAUSIBLE = ("cp1250", "cp1251", "cp1253", "cp1254", "cp932", "gb18030", "big5", "euc_kr")
"""What exports of shops have, if neither UTF-8 nor the usual encoding."""
USUAL = "cp1252"
DAMAGED = "some bytes do not fit"
"""How UTF-8 was found in a file that has other bytes too."""
WITHIN_WORDS = "\u2018\u2019\u2013\u2014\u00b7\u00ad\u00a0"
"""Apostrophes, dashes, a middle dot, a soft hyphen, a space: what words of Western Europe contain."""
CHUNK = 1 << 20
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def find_encoding(file: BinaryIO) -> tuple[str, str]:
    """The encoding of a file, and how it was found. Reads the complete file unless a byte order mark says it."""
    first = file.read(CHUNK)
    for mark, name in MARKS:
        if first.startswith(mark):
            return name, "by its byte order mark"
    if _is_utf8(first, file):
        return "utf-8", "all bytes fit"
    return _guess(file)


def _is_utf8(first: bytes, file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    chunk = first
    try:
        while chunk:
            decoder.decode(chunk)
            chunk = file.read(CHUNK)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _guess(file: BinaryIO) -> tuple[str, str]:
    """What the lines with other bytes than ASCII look like."""
    sample = _telling(file)
    if _is_damaged_utf8(sample):
        return "utf-8", DAMAGED
    if _is_western(sample):
        return USUAL, "its letters are those of Western Europe"
    try:
        from charset_normalizer import from_bytes
    except ImportError:
        return USUAL, "usual where it is not UTF-8; charset-normalizer is not installed"
    best = from_bytes(sample, cp_isolation=list(PLAUSIBLE), preemptive_behaviour=False, threshold=1.0).best()
    return (USUAL, "usual where it is not UTF-8") if best is None else (best.encoding, "by its letters")


def _is_damaged_utf8(sample: bytes) -> bool:
    """Whether nearly all bytes fit UTF-8: in another encoding its letters would be pairs of signs."""
    text = sample.decode("utf-8", "replace")
    damaged = text.count("\N{REPLACEMENT CHARACTER}")
    return sum(not character.isascii() for character in text) > damaged * 20


def _is_western(sample: bytes) -> bool:
    """Whether the text is plausible in the usual encoding: few of its letters have accents, and within words there are
    no signs. Statistics of letters, as of charset-normalizer, need more text than the names in an export."""
    try:
        text = sample.decode(USUAL)
    except UnicodeDecodeError:
        return False
    letters = [character for character in text if character.isalpha()]
    accents = sum(not character.isascii() for character in letters)
    signs = sum(
        not sign.isascii() and not sign.isalpha() and sign not in WITHIN_WORDS and before.isalpha() and after.isalpha()
        for before, sign, after in zip(text, text[1:], text[2:], strict=False)
    )
    turkish = sum(character in "þýðÞÝÐ" for character in letters)  # which Turkish has as ş, ı, ğ
    return accents * 3 <= len(letters) and signs * 50 <= accents and turkish * 3 <= accents


def _telling(file: BinaryIO, most: int = CHUNK // 4) -> bytes:
    """Lines that have other bytes than ASCII: only these say something of the encoding."""
    file.seek(0)
    found = bytearray()
    for line in file:
        if not line.isascii():
            found += line
        if len(found) >= most:
            break
    return bytes(found)


def read_delimiter(text: str | None) -> str | None:
    """The delimiter that an option names: a character, or its name."""
    if text is None:
        return None
    by_name = {name: character for character, name in NAMES.items()} | {"\\t": "\t"}
    character = by_name.get(text.lower(), text)
    if len(character) != 1 or character in '"\r\n':
        raise Usage(f"--delimiter {text}: write one character, or {_listed(NAMES.values())}")
    return character


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}"


def check_encoding(name: str) -> str:
    """The name of an encoding that Python knows."""
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise Usage(f"--encoding {name}: there is no such encoding; examples are utf-8 and cp1252") from None
