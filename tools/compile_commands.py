"""Writes compile_commands.json from what `make --always-make --dry-run V=1` prints on standard input."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path

SOURCE = re.compile(r" -c (\S+\.c) -o \S+$")

found = {}
for line in sys.stdin.read().replace("\\\n", " ").splitlines():
    if match := SOURCE.search(line):
        found.setdefault(match[1], shlex.split(line))
if not found:
    sys.exit("make printed no compiler's command")
rows = [{"directory": os.getcwd(), "file": name, "arguments": words} for name, words in sorted(found.items())]
Path("compile_commands.json").write_text(json.dumps(rows, indent=1) + "\n")
print(f"compile_commands.json: {len(rows)} files")
