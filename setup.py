"""Builds the C extension privy._core from python/ext and csrc; everything else stands in pyproject.toml."""

import glob
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = os.path.dirname(os.path.abspath(__file__))
# PRIVY_LIMITED_API=1 builds one extension for Python 3.10 and everything newer. It takes half as long again to make
# records, since the interpreter's own ways of making texts and times are closed to it. A free-threaded Python has no
# limited API.
ASKED = os.environ.get("PRIVY_LIMITED_API", "") not in ("", "0")
LIMITED_API = ASKED and not sysconfig.get_config_var("Py_GIL_DISABLED")


def sources():
    found = []
    for pattern in ("python/ext/*.c", "csrc/*/*.c"):
        found += sorted(glob.glob(os.path.join(HERE, *pattern.split("/"))))
    return [os.path.relpath(path, HERE) for path in found]


def headers():
    found = []
    for pattern in ("python/ext/*.h", "csrc/*.h", "csrc/*/*.h", "csrc/*/*.def"):
        found += sorted(glob.glob(os.path.join(HERE, *pattern.split("/"))))
    return [os.path.relpath(path, HERE) for path in found]


def asked(command):
    """The words that a configuration program prints; None when there is no such program or it knows no libcurl."""
    if not shutil.which(command[0]):
        return None
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return shlex.split(answer.stdout) if answer.returncode == 0 else None


def libcurl():
    """Flags to compile with libcurl's headers. The library itself is loaded when a client first needs it."""
    commands = (
        [os.environ.get("PKG_CONFIG", "pkg-config"), "--cflags", "libcurl"],
        [os.environ.get("CURL_CONFIG", "curl-config"), "--cflags"],
    )
    for command in commands:
        flags = asked(command)
        if flags is not None:
            return flags
    sys.exit(
        "privy needs libcurl with its headers, and neither pkg-config nor curl-config knows one.\n"
        "Install it (Debian, Ubuntu: libcurl4-openssl-dev; Fedora: libcurl-devel; macOS: it comes with the SDK),\n"
        "or name its program: CURL_CONFIG=/path/to/curl-config"
    )


class BuildExtension(build_ext):
    """Asks for libcurl only when something is compiled, so that an sdist can be made without it.

    Without --debug nothing for a debugger is written, whatever flags Python itself was compiled with: it would be
    most of what is installed.
    """

    def build_extensions(self):
        flags = libcurl()
        if not self.debug:
            flags = ["-g0", *flags]
        for extension in self.extensions:
            extension.extra_compile_args += flags
        super().build_extensions()


core = Extension(
    "privy._core",
    sources=sources(),
    depends=headers(),
    include_dirs=["csrc", os.path.join("python", "ext")],
    define_macros=[("Py_LIMITED_API", "0x030A0000")] if LIMITED_API else [],
    extra_compile_args=["-std=c11", "-fvisibility=hidden", "-pthread"],
    extra_link_args=["-pthread"],
    libraries=["dl", "m"],
    py_limited_api=LIMITED_API,
)

setup(
    ext_modules=[core],
    cmdclass={"build_ext": BuildExtension},
    options={"bdist_wheel": {"py_limited_api": "cp310"}} if LIMITED_API else {},
)
