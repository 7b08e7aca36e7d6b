"""What the figures depend on: the machine and every version."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from pathlib import Path

from .workers import PYTHON, ROOT, RUBY, output

PYTHON_PEERS = ("msgspec", "orjson", "pydantic", "yyjson", "requests", "httpx", "aiohttp", "uvloop", "pycurl", "stripe")
RUBY_PEERS = ("oj", "json", "faraday", "typhoeus", "excon", "octokit")


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def system() -> str:
    return f"{platform.freedesktop_os_release().get('PRETTY_NAME', platform.system())}, Linux {platform.release()}"


def python_versions() -> str:
    code = (
        "import importlib.metadata as found, sys; print(*(f'{n} {found.version(n)}' for n in sys.argv[1:]), sep=', ')"
    )
    return output([PYTHON, "-c", code, *PYTHON_PEERS]).strip()


def ruby_versions() -> str:
    code = "puts ARGV.map { |n| require n; \"#{n} #{Gem::Specification.find_by_name(n).version}\" }.join(', ')"
    return output([*RUBY, "-e", code, *RUBY_PEERS]).strip()


def load() -> str:
    return f"{os.getloadavg()[0]:.1f} at the start"


def facts() -> list[tuple[str, str]]:
    """Name and value of everything worth telling, in the order of telling."""
    compiler = output([os.environ.get("CC", "cc"), "--version"]).splitlines()[0]
    return [
        ("date", datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")),
        ("commit", output(["git", "describe", "--always", "--dirty"]).strip() if (ROOT / ".git").exists() else "none"),
        ("processor", f"{processor()}, {os.cpu_count()} cores"),
        ("memory", memory()),
        ("system", system()),
        ("load", load()),
        ("compiler", compiler),
        ("libcurl", output(["pkg-config", "--modversion", "libcurl"]).strip()),
        ("Python", output([PYTHON, "-VV"]).strip().replace("\n", " ")),
        ("peers in Python", python_versions()),
        ("Ruby", output([*RUBY, "-v"]).strip()),
        ("peers in Ruby", ruby_versions()),
    ]
