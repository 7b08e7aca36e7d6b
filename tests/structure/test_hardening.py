"""The extensions as they are built: hardened where the compiler can, and without a trace of this machine."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tree import ROOT

EXTENSIONS = ["build/python/privy/_core.*.so", "build/ruby/lib/privy/core.so"]

pytestmark = pytest.mark.skipif(sys.platform != "linux" or not shutil.which("readelf"), reason="reads ELF files")


@pytest.fixture(params=EXTENSIONS)
def extension(request: pytest.FixtureRequest) -> Path:
    (found,) = ROOT.glob(request.param)
    return found


def readelf(option: str, extension: Path) -> str:
    return subprocess.run(["readelf", "-W", option, extension], check=True, capture_output=True, text=True).stdout


def test_what_the_linker_fills_in_is_read_only_afterwards(extension: Path) -> None:
    assert "GNU_RELRO" in readelf("--program-headers", extension)
    assert re.search(r"\(FLAGS\)\s+.*BIND_NOW", readelf("--dynamic", extension))


def test_no_stack_can_be_executed(extension: Path) -> None:
    (flags,) = re.findall(r"GNU_STACK(?:\s+0x[0-9a-f]+){5}\s+([RWE ]+?)\s+0x", readelf("--program-headers", extension))
    assert flags == "RW"


@pytest.mark.parametrize("function", ["__stack_chk_fail", "__vsnprintf_chk"])
def test_writes_past_the_end_are_caught(extension: Path, function: str) -> None:
    if function == "__vsnprintf_chk" and not re.search(r"@GLIBC", readelf("--dyn-syms", extension)):
        pytest.skip("only the GNU C library has checking forms of its functions")
    assert re.search(rf"\bUND {function}\b", readelf("--dyn-syms", extension))
