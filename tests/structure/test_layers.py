"""Layers: a file includes only files of its own layer and of layers below; bindings include only the public headers."""

import re
from pathlib import Path

import pytest
from tree import PUBLIC, ROOT, relative, sources, without_comments

LAYERS = ["base", "json", "schema", "message", "policy", "call", "transport", "client", "jobs", "columns"]
BELOW = {layer: set(LAYERS[: position + 1]) for position, layer in enumerate(LAYERS)}
BELOW["sandbox"] = {"base", "json", "schema", "sandbox"}
BELOW["imports"] = {"base", "json", "schema", "message", "imports"}
READERS = {
    "privy_sandbox.h": {"sandbox", "call", "transport", "client"},
    "privy_jobs.h": {"jobs", "columns"},
    "privy_imports.h": {"imports", "jobs"},
}
"""The layers that may include a public header; each may include privy.h."""
# The C library's own headers: C11, and of POSIX what a core without a process-wide state needs.
C_LIBRARY = re.compile(
    r"(?:assert|ctype|errno|float|inttypes|limits|math|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib"
    r"|string|threads|time|arpa/inet|dlfcn|fcntl|netinet/in|poll|pthread|strings|sys/random|sys/socket|sys/stat|sys/time|sys/types"
    r"|unistd)\.h"
)
INTERPRETERS = {
    "python/ext": {"Python.h", "structmember.h", "datetime.h"},
    "ruby/ext": {
        "ruby.h",
        "ruby/encoding.h",
        "ruby/thread.h",
        "ruby/version.h",
        "ruby/io.h",
        "ruby/ractor.h",
        "ruby/st.h",
    },
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
CORE = sources("csrc", endings=(".c", ".h", ".def"))


def includes(path: Path) -> list[tuple[str, str]]:
    found = INCLUDE.findall(without_comments(path.read_text()))
    assert len(found) == len(re.findall(r"^\s*#\s*include", path.read_text(), re.MULTILINE)), (
        f"unread include in {path}"
    )
    return found


def test_every_folder_of_the_core_is_a_layer() -> None:
    assert {path.name for path in (ROOT / "csrc").iterdir() if path.is_dir()} <= set(BELOW)
    assert sorted(path.name for path in (ROOT / "csrc").iterdir() if path.is_file()) == PUBLIC


@pytest.mark.parametrize("path", CORE, ids=relative)
def test_a_layer_includes_only_lower_layers(path: Path) -> None:
    layer = path.parent.name
    for bracket, name in includes(path):
        if bracket == "<":
            assert C_LIBRARY.fullmatch(name) or name.startswith("curl/"), f"{name} is no header of the C library"
        elif layer == "csrc":
            assert path.name != "privy.h" and name == "privy.h", f"{path.name} includes {name}"
        elif name in PUBLIC:
            assert name == "privy.h" or layer in READERS[name], f"{layer} must not know {name}"
        else:
            assert (ROOT / "csrc" / name).is_file(), f"{name} is not relative to csrc"
            assert Path(name).parts[0] in BELOW[layer], f"{layer} must not know {name}"


def test_only_the_engine_knows_curl() -> None:
    files = sources("csrc", "python/ext", "ruby/ext", endings=(".c", ".h", ".def"))
    knowing = sorted(
        relative(path)
        for path in files
        if any("curl" in name.lower() or name == "transport/transfer.h" for _, name in includes(path))
    )
    names = ("engine.c", "libcurl.c", "libcurl.h", "transfer.c", "transfer.h")
    assert knowing == [f"csrc/transport/{name}" for name in names]


def test_no_header_includes_itself_in_a_circle() -> None:
    graph = {
        relative(path).removeprefix("csrc/"): [name for bracket, name in includes(path) if bracket == '"']
        for path in CORE
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join((*trail, name))
        if name not in done:
            for other in graph[name]:
                visit(other, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("folder", INTERPRETERS)
def test_bindings_include_only_the_public_headers(folder: str) -> None:
    for path in sources(folder, endings=(".c", ".h")):
        for bracket, name in includes(path):
            if bracket == "<":
                assert C_LIBRARY.fullmatch(name) or name in INTERPRETERS[folder], f"{relative(path)} includes {name}"
            else:
                own = {other.name for other in path.parent.glob("*.h")}
                assert name in PUBLIC or name in own | INTERPRETERS[folder], f"{relative(path)} includes {name}"
