"""What the built files show to the outside."""

from pathlib import Path

from tree import PUBLIC, ROOT, run


def exported(path: Path) -> set[str]:
    lines = run(["nm", "-D", "--defined-only", "--extern-only", str(path)]).splitlines()
    return {line.split()[-1].split("@")[0] for line in lines}


def built(pattern: str) -> Path:
    found = list((ROOT / "build").glob(pattern))
    assert len(found) == 1, f"{pattern}: {found}"
    return found[0]


def test_every_external_symbol_of_the_core_is_privy_s() -> None:
    lines = run(["nm", "--defined-only", "--extern-only", "build/c/plain/libprivy.a"]).splitlines()
    symbols = {line.split()[-1] for line in lines if len(line.split()) == 3}
    assert "privy_client_call" in symbols
    assert {symbol for symbol in symbols if not symbol.startswith("privy_")} == set()


def test_the_public_functions_are_there_and_no_others_are_public() -> None:
    lines = run(["readelf", "-sW", "build/c/plain/libprivy.a"]).splitlines()
    rows = [line.split() for line in lines]
    defined = [row for row in rows if len(row) >= 8 and row[4] == "GLOBAL" and row[6] not in {"UND", "ABS"}]
    public = {row[7] for row in defined if row[5] == "DEFAULT"}
    header = "".join((ROOT / "csrc" / name).read_text() for name in PUBLIC)
    assert {name for name in public if f"{name}(" not in header} == set()
    assert {"privy_request_new", "privy_response_parse", "privy_sandbox_handle", "privy_client_new"} <= public


def test_the_python_extension_exports_its_init_function_alone() -> None:
    assert exported(built("python/privy/_core*.so")) == {"PyInit__core"}


def test_the_ruby_extension_exports_its_init_function_alone() -> None:
    assert exported(built("ruby/lib/privy/core.so")) == {"Init_core"}
