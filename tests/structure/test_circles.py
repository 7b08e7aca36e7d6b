"""No circle of files: in C from the symbols of the objects, in Python and Ruby from the imports."""

import ast
import re
import subprocess
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from tree import ROOT

LAYERS = sorted(path.name for path in (ROOT / "csrc").iterdir() if path.is_dir())
SYMBOL = re.compile(r"(?:[0-9a-f]{16})? *([A-Za-z]) (\w+)")
Graph = dict[str, set[str]]


def circle(graph: Graph) -> str:
    """One circle of the graph, as text; empty when there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return " → ".join(error.args[1])
    return ""


def symbols(path: Path) -> tuple[set[str], set[str]]:
    """The symbols that an object defines, and those that it uses."""
    lines = subprocess.run(["nm", "-g", str(path)], check=True, capture_output=True, text=True).stdout.splitlines()
    found = [match.groups() for line in lines if (match := SYMBOL.fullmatch(line.strip()))]
    return {name for kind, name in found if kind != "U"}, {name for kind, name in found if kind == "U"}


def graph_of_objects(sources: str, objects: str) -> Graph:
    """Which file uses a symbol of which other one."""
    names = [path.stem for path in sorted((ROOT / sources).glob("*.c"))]
    assert names, f"no files in {sources}"
    found = {name: symbols(ROOT / objects / f"{name}.o") for name in names}
    owners = {symbol: name for name, (defined, _) in found.items() for symbol in defined}
    return {name: {owners[symbol] for symbol in used if symbol in owners} - {name} for name, (_, used) in found.items()}


@pytest.mark.parametrize("layer", LAYERS)
def test_the_files_of_a_layer(layer: str) -> None:
    assert not circle(graph_of_objects(f"csrc/{layer}", f"build/c/plain/csrc/{layer}"))


def test_the_python_extension() -> None:
    assert not circle(graph_of_objects("python/ext", "build/c/python/ext"))


def test_the_ruby_extension() -> None:
    assert not circle(graph_of_objects("ruby/ext/privy", "build/c/ruby/ext/privy"))


def imports(path: Path, package: Path) -> set[str]:
    """The modules of the package that a module imports when it is loaded, but for type checkers."""
    tree = ast.parse(path.read_text("utf-8"))
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
    ]
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    later = {inner for function in functions for inner in ast.walk(function)}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and node not in later:
            base = path.parents[node.level - 1]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found |= {module_of(base.joinpath(*name.split(".")), package) for name in names}
    return found - {""}


def module_of(path: Path, package: Path) -> str:
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return str(candidate.relative_to(package))
    return ""


def test_the_python_package() -> None:
    package = ROOT / "python/privy"
    assert not circle({str(path.relative_to(package)): imports(path, package) for path in package.rglob("*.py")})


def test_the_ruby_library() -> None:
    library = ROOT / "ruby/lib"
    requires = re.compile(r'^\s*(require|require_relative|autoload :\w+,) "([^"]+)"', re.MULTILINE)

    def used(path: Path) -> set[str]:
        names = requires.findall(path.read_text("utf-8"))
        files = [(path.parent if how == "require_relative" else library) / f"{name}.rb" for how, name in names]
        return {str(file.relative_to(library)) for file in files if file.is_file()}

    assert not circle({str(path.relative_to(library)): used(path) for path in library.rglob("*.rb")})
