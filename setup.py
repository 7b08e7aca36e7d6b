"""Builds the C extension privy._core from python/ext and csrc; everything else stands in pyproject.toml."""

import atexit
import glob
import gzip
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile

from setuptools import Extension, setup
from setuptools.command.build import build
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist

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


def check_tools(compiler):
    """Ends with what to install when there is no compiler, or when Python came without its headers."""
    program = compiler.compiler_so[0]
    if not shutil.which(program):
        sys.exit(
            f"privy needs a C compiler, and there is no {program}.\n"
            "Install one (Debian, Ubuntu: build-essential; Fedora: gcc; Alpine: build-base;\n"
            "macOS: xcode-select --install), or name it: CC=/path/to/compiler"
        )
    if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
        sys.exit(
            "privy needs the headers of this Python, and there is no Python.h.\n"
            "Install them (Debian, Ubuntu, Alpine: python3-dev; Fedora: python3-devel)"
        )


FORTIFY = "-D_FORTIFY_SOURCE=2"
PROGRAM = '#include <string.h>\nint main(void) { return (int)strlen(""); }\n'
FORTIFIED = "#ifndef _FORTIFY_SOURCE\n#error\n#endif\n"


def compiles(compiler, program, compile_flags=(), link_flags=()):
    """Whether the compiler, and the linker when it gets flags, take the program without a warning."""
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "try.c")
        with open(source, "w") as file:
            file.write(program)
        command = [*compiler.compiler_so, *compile_flags, "-Werror", "-c", source, "-o", source + ".o"]
        commands = [command]
        if link_flags:
            commands.append([*compiler.linker_so, source + ".o", *link_flags, "-o", source + ".so"])
        return all(subprocess.run(one, capture_output=True, check=False).returncode == 0 for one in commands)


# Parts of the core whose time is that of requests and files: they are compiled to be small.
SMALL = tuple(os.path.join("csrc", part, "") for part in ("imports", "jobs", "sandbox"))


def optimised(debug, flag):
    """The flag, unless the user chooses how to compile."""
    return [] if debug or "-O" in os.environ.get("CFLAGS", "") else [flag]


def hardening(compiler):
    """Flags for compiler and linker by which a fault of memory ends the process instead of being made use of."""
    fortified = compiles(compiler, FORTIFIED)  # by the distribution, perhaps at a higher level
    wanted = ["-fstack-protector-strong", *([] if fortified else [FORTIFY])]
    bound = ["-Wl,-z,relro", "-Wl,-z,now"]
    return (
        [flag for flag in wanted if compiles(compiler, PROGRAM, [flag])],
        bound if sys.platform != "darwin" and compiles(compiler, PROGRAM, ["-fPIC"], bound) else [],
    )


class BuildExtension(build_ext):
    """Asks for compiler and libcurl only when something is compiled, so that an sdist can be made without them.

    Without --debug nothing for a debugger is written, whatever flags Python itself was compiled with, and the linker
    leaves out the names of functions: they would be most of what is installed. -O3, which Python's own flags may hold,
    makes the extension larger and not faster.
    """

    def build_extensions(self):
        check_tools(self.compiler)
        compiled, linked = hardening(self.compiler)
        flags = [*([] if self.debug else ["-g0"]), *optimised(self.debug, "-O2"), *compiled, *libcurl()]
        stripped = ["-Wl,-s"]
        if not self.debug and sys.platform != "darwin" and compiles(self.compiler, PROGRAM, ["-fPIC"], stripped):
            linked += stripped
        for extension in self.extensions:
            extension.extra_compile_args += flags
            extension.extra_link_args += linked
        super().build_extensions()

    def build_extension(self, extension):
        sources = extension.sources
        small = [path for path in sources if path.startswith(SMALL)]
        extension.extra_objects = self.compiler.compile(
            small,
            output_dir=self.build_temp,
            macros=extension.define_macros,
            include_dirs=extension.include_dirs,
            debug=self.debug,
            extra_postargs=[*extension.extra_compile_args, *optimised(self.debug, "-Os")],
            depends=extension.depends,
        )
        extension.sources = [path for path in sources if path not in small]
        super().build_extension(extension)
        extension.sources = sources


class Build(build):
    """Builds a wheel in a folder of its own. In the tree the files of an earlier build would come along, and an
    extension that is there already would not be compiled again, whatever it was compiled from."""

    def finalize_options(self):
        if self.build_base == "build" and "build" not in self.distribution.commands:
            self.build_base = tempfile.mkdtemp(prefix="privy-build-")
            atexit.register(shutil.rmtree, self.build_base, ignore_errors=True)
        super().finalize_options()


class SourceArchive(sdist):
    """With SOURCE_DATE_EPOCH set, the same sources give the same archive to the byte."""

    def make_archive(self, base_name, format, root_dir=None, base_dir=None, owner=None, group=None):
        epoch = os.environ.get("SOURCE_DATE_EPOCH")
        if format != "gztar" or not epoch:
            return super().make_archive(base_name, format, root_dir, base_dir, owner, group)
        return write_archive(f"{base_name}.tar.gz", base_dir, int(epoch))


def write_archive(path, folder, epoch):
    """Packs the folder with nothing of this machine: neither times, owners and modes nor the order of files."""

    def without_traces(member):
        member.mtime = epoch
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
        return member

    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    names = [os.path.join(place, name) for place, _, files in os.walk(folder) for name in files]
    with (
        open(path, "wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=epoch) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted(names):
            archive.add(name, recursive=False, filter=without_traces)
    return path


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
    cmdclass={"build": Build, "build_ext": BuildExtension, "sdist": SourceArchive},
    options={"bdist_wheel": {"py_limited_api": "cp310"}} if LIMITED_API else {},
)
