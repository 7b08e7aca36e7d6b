"""The programs that serve a sandbox refuse wrong flags with the same words."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUBY = (ROOT / "build/ruby-path").read_text().strip()
PROGRAMS = {
    "python": [sys.executable, "-m", "privy.sandbox"],
    "ruby": [RUBY, "-I", "build/ruby/lib", "-I", "ruby/lib", "ruby/exe/privy-sandbox"],
}
WRONG = [
    ("--limits", "60/"),
    ("--limits", "1/2/61"),
    ("--limits", "é\n"),
    ("--seed", "shop:x"),
    ("--seed", "shoe"),
    ("--fail", "503:x"),
    ("--fail", "503@orders.upsrt"),
]


def refusal(program: str, *flags: str) -> str:
    """The last line of the program, from the name of the flag on."""
    done = subprocess.run([*PROGRAMS[program], *flags], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    return done.stderr.splitlines()[-1].partition("--")[2]


@pytest.mark.parametrize("flags", WRONG, ids=" ".join)
def test_both_refuse_it_with_the_same_words(flags: tuple[str, str]) -> None:
    python, ruby = (refusal(program, *flags) for program in PROGRAMS)
    assert python == ruby
    assert python.startswith(f"{flags[0].strip('-')} must ")
