"""Holds privy's JSON reader against Python's json: differential.py JUDGE FOLDER... reads every file of the folders.

Both must accept the same texts and read the same values: members in their order with duplicates kept, numbers by their
text, strings with escapes resolved. What differs by design is counted apart:

- nesting: privy reads 128 levels, json as many as its interpreter's stack takes;
- constants: json takes NaN, Infinity and -Infinity, which RFC 8259 does not know;
- lone surrogates: privy reads U+FFFD, json keeps them, and no text can hold them.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Constant(ValueError):
    """The text holds a constant that RFC 8259 does not know."""


def constant(name: str) -> None:
    raise Constant(name)


def parse(text: str) -> Any:
    """The value with nothing lost: numbers as ("number", text), objects as ("object", pairs)."""
    return json.loads(
        text,
        parse_int=lambda number: ("number", number),
        parse_float=lambda number: ("number", number),
        parse_constant=constant,
        object_pairs_hook=lambda pairs: ("object", pairs),
    )


def without_lone_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list | tuple):
        return type(value)(without_lone_surrogates(item) for item in value)
    return value


def read_by_python(data: bytes) -> tuple[str, Any]:
    """How Python's json takes the bytes ("accepted", "refused" or why not to compare), and the value."""
    try:
        return "accepted", parse(data.decode("utf-8"))
    except Constant:
        return "constant", None
    except RecursionError:
        return "nesting", None
    except ValueError:  # what json and the decoder raise
        return "refused", None


def compare(data: bytes, judged: str) -> tuple[str, bool]:
    """What kind of text it is, and whether both readers agree on it or differ by design."""
    verdict, value = read_by_python(data)
    refused = judged.startswith("!")
    if "nested too deeply" in judged:
        return "nesting", True
    if verdict in ("refused", "constant", "nesting"):
        return verdict, refused
    if refused:
        return "accepted", False
    expected = without_lone_surrogates(value)
    kind = "accepted" if expected == value else "lone surrogate"
    return kind, parse(judged) == expected


def main(judge: str, folders: list[str]) -> int:
    files = sorted(path for folder in folders for path in Path(folder).iterdir())
    names = "".join(f"{path}\n" for path in files)
    done = subprocess.run([judge], input=names.encode(), capture_output=True, check=True, timeout=600)
    lines = done.stdout.decode("utf-8").removesuffix("\n").split("\n")
    if len(lines) != len(files) or not files:
        sys.exit(f"{len(files)} texts and {len(lines)} verdicts")
    kinds: Counter[str] = Counter()
    differing = 0
    for path, judged in zip(files, lines, strict=True):
        kind, agreed = compare(path.read_bytes(), judged)
        kinds[kind] += 1
        if not agreed:
            differing += 1
            print(f"{path}: {kind} by json, but privy says {judged[:200]}")
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    print(f"differential: {len(files)} texts ({told}), {differing} read otherwise than by json")
    return 1 if differing or not kinds["accepted"] or not kinds["refused"] else 0


if __name__ == "__main__":
    sys.setrecursionlimit(5000)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
