"""What must not be written down: facts of the API in the bindings, paths of a machine, somebody else's package."""

import re
from pathlib import Path

import pytest
from tree import PUBLIC, ROOT, all_files, relative, sources, string_literals

# Attributes of every error (privy_error in privy.h, the same for all endpoints) that happen to be fields as well: the
# HTTP status (an event's status), the server's error code (a discount's code), and the key that a request carried.
ERROR_ATTRIBUTES = {"status", "code", "idempotency_key"}
EXTENSIONS = sources("python/ext", "ruby/ext", endings=(".c", ".h"))


def table(name: str) -> str:
    return re.sub(r"/\*.*?\*/", "", (ROOT / "csrc/schema" / name).read_text(), flags=re.DOTALL)


def field_names() -> set[str]:
    names = set(re.findall(r"^PART_FIELD\(\w+, (\w+),", table("parts.def"), re.MULTILINE))
    for resource in ("contact.def", "order.def", "event.def", "page.def"):
        rows = re.findall(r"^(?:BOTH|SEND|READ|HEADER)\((\w+),", table(resource), re.MULTILINE)
        assert len(rows) > 3, f"{resource} has changed its shape"
        names |= set(rows)
    return names


def other_facts() -> set[str]:
    operations = re.findall(r'^OPERATION\(\w+, "([\w.]+)", "\w+", "([^"]+)"', table("endpoints.def"), re.MULTILINE)
    values = re.findall(r"^ENUM_VALUE\(\w+, (\w+),", table("enums.def"), re.MULTILINE)
    scopes = re.findall(r'^SCOPE\(\w+, "(\w+)"', table("scopes.def"), re.MULTILINE)
    assert operations and values and scopes
    return {text for pair in operations for text in pair} | set(values) | set(scopes)


def test_the_tables_are_read() -> None:
    assert {"email", "phone_number", "order_id", "sku", "event_type", "total_count", "created"} <= field_names()
    assert {"contacts.create", "/orders/placed", "never_subscribed", "orders_write"} <= other_facts()


@pytest.mark.parametrize("path", EXTENSIONS, ids=relative)
def test_extensions_spell_no_field_name(path: Path) -> None:
    names = field_names() - ERROR_ATTRIBUTES
    text = path.read_text()
    for literal in string_literals(text):
        assert literal not in names, f'"{literal}" is a field of the API'
    # A name of two words is never plain English: it must not stand anywhere in the file, comments included.
    words = set(re.findall(r"[A-Za-z_]\w*", text))
    assert not words & {name for name in names if "_" in name}


@pytest.mark.parametrize("path", EXTENSIONS, ids=relative)
def test_extensions_spell_no_endpoint_or_value(path: Path) -> None:
    assert not set(string_literals(path.read_text())) & other_facts()


def test_the_core_knows_no_language() -> None:
    for path in sources("csrc", endings=(".c", ".h", ".def")):
        if path.name not in PUBLIC:  # which says what its readers, the bindings, do with it
            assert not re.search(r"\b(python|ruby|pyobject|rb_)", path.read_text(), re.IGNORECASE), relative(path)


def test_only_the_core_words_an_event() -> None:
    literals = string_literals((ROOT / "csrc/call/trace_event.c").read_text())
    words = {part.strip(" ,:") for literal in literals for part in re.split(r"%[-.\w]*?[dsfu]", literal)}
    words = {part for part in words if " " in part}
    assert {"ended with", "retry in", "of the minute"} <= words
    for path in [ROOT / "python/privy/_trace.py", ROOT / "ruby/lib/privy/call_event.rb"]:
        text = path.read_text()
        code = re.sub(r'""".*?"""|#[^\n{]*$', "", text, flags=re.DOTALL | re.MULTILINE)
        assert not {part for part in words if part in code}
        assert not re.search(r"%?\.\d+f|kind *==|case kind|when :", code), "a line or a level is decided here"


def test_no_path_of_a_machine_in_the_tree() -> None:
    pattern = re.compile(rb"(?<![\w.>}])/(?:work|root|home|Users|opt|mnt)/[A-Za-z]")
    found = [relative(path) for path in all_files() if pattern.search(path.read_bytes())]
    assert found == []


def test_nobody_is_sent_to_a_stranger_s_package() -> None:
    pattern = re.compile(r"(?:pip|gem|uv|pipx|bundle|poetry) (?:install|add) (?:-\S+ )*[\"']?privy(?![\w./-])")
    for path in all_files():
        text = path.read_bytes().decode("utf-8", "replace")
        assert not pattern.search(text), f"{relative(path)} names a package that is not this one"


def test_nothing_is_left_to_be_done() -> None:
    pattern = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "X" * 3 + ":", "NotImplemented" + "Error"]))
    for path in all_files():
        match = pattern.search(path.read_bytes().decode("utf-8", "replace"))
        assert not match, f"{relative(path)}: {match and match[0]}"
