"""The same requests, answers, settings and texts to both languages: results, faults and messages must be the same.

``BOTH_SEED`` and ``BOTH_CASES`` choose other random cases than those of every run.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cases import Case, fixed, random
from server import served

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RUBY = [
    (ROOT / "build/ruby-path").read_text().strip(),
    "-W0",
    "-I",
    str(ROOT / "build/ruby/lib"),
    "-I",
    str(ROOT / "ruby/lib"),
]
RUNNERS = {"python": [sys.executable, str(HERE / "run.py")], "ruby": [*RUBY, str(HERE / "run.rb")]}
SEED = int(os.environ.get("BOTH_SEED", "20260512"))
COUNT = int(os.environ.get("BOTH_CASES", "4000"))
NAMES = ("fixed", "random")


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PRIVY_")}
    package = str(Path(__import__("privy").__file__).parents[1])
    return kept | {"PYTHONPATH": package, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "LC_ALL": "C.UTF-8"}


def outcomes(language: str, url: str, cases: list[Case]) -> list[Any]:
    asked = "".join(json.dumps(case) + "\n" for case in cases)
    command = [*RUNNERS[language], url]
    done = subprocess.run(command, input=asked, capture_output=True, encoding="utf-8", env=environment(), timeout=600)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) == len(cases), (
        f"{language} stopped at {cases[len(lines)] if len(lines) < len(cases) else 'its end'}\n{done.stderr[-4000:]}"
    )
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module", params=NAMES)
def reported(request: pytest.FixtureRequest) -> list[tuple[Case, Any, Any]]:
    cases = fixed() if request.param == "fixed" else random(SEED, COUNT)
    with served(cases) as url:
        python, ruby = (outcomes(language, url, cases) for language in RUNNERS)
    return list(zip(cases, python, ruby, strict=True))


def test_both_languages_come_to_the_same(reported: list[tuple[Case, Any, Any]]) -> None:
    differing = [
        f"{json.dumps(case)[:600]}\n  python {json.dumps(python)[:900]}\n  ruby   {json.dumps(ruby)[:900]}"
        for case, python, ruby in reported
        if python != ruby
    ]
    assert not differing, f"{len(differing)} of {len(reported)} cases (seed {SEED}):\n" + "\n".join(differing[:10])


def test_every_kind_of_end_is_among_them(reported: list[tuple[Case, Any, Any]]) -> None:
    """What all cases together come to, so that none of it is compared with nothing."""
    everything = json.dumps([python for _, python, _ in reported])
    for mark in ('"ValidationError"', '"APIStatusError"', '"class": "Order"', '"class": "Contact"', "did you mean"):
        assert mark in everything
    assert len({re.sub(r"\d+", "", json.dumps(python)) for _, python, _ in reported}) > 100


def messages(reported: Any) -> list[str]:
    """The messages of errors, not the details, which may be the server's words."""
    if isinstance(reported, list):
        return [message for value in reported for message in messages(value)]
    if not isinstance(reported, dict):
        return []
    return ([reported["message"]] if "attempts" in reported else []) + messages(list(reported.values()))


def test_no_message_leaves_its_line(reported: list[tuple[Case, Any, Any]]) -> None:
    found = [message for _, python, _ in reported for message in messages(python)]
    assert len(found) > 100
    assert [message for message in found if re.search("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", message)] == []
    assert [message for message in found if re.search(r"jane@|4155550171", message)] == []
