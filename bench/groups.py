"""What is measured side by side: every group is one piece of work, done by privy and by each of its peers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from .measure import Case, Group, Measured, run
from .wire import TOKEN, same_request
from .workers import BUILT, INPUT, program, python, ruby, served

EVENTS = str(INPUT / "events.json")
DELAY = 0.02  # seconds that the slow server waits before it answers
PAGES = 200
CALL_ROUNDS = 41  # sockets make single rounds differ more


def alike(ours: Any, theirs: Any) -> bool:
    """Equal but for how a time is written: a client may have reported it as text, another as an instant."""
    return bool(instants(ours) == instants(theirs))


def instants(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: datetime.fromisoformat(member) if key in ("created_at", "updated_at") else instants(member)
            for key, member in value.items()
        }
    return [instants(element) for element in value] if isinstance(value, list) else value


def same_values(columns: list[int], records: list[dict[str, Any]]) -> bool:
    """Whether the columns hold as many values, null left out, as the records have fields."""
    names = {name for record in records for name in record}
    counts = [sum(record.get(name) is not None for record in records) for name in names]
    return sorted(columns) == sorted(counts)


def pages() -> Iterator[Group]:
    for size in (25, 100):
        path = str(INPUT / f"page{size}.json")
        yield Group(
            f"c-page{size}",
            f"C: a page of {size} contacts, bytes to checked records",
            [Case("privy", program("page", path)), Case("yyjson Document", python("dom", "page", path))],
        )
        yield Group(
            f"c-columns{size}",
            f"C: a page of {size} contacts, bytes to Arrow columns",
            [Case("privy", program("columns", path)), Case("privy, records only", program("page", path))],
            same=same_values,
        )
        names = ("privy", "msgspec", "orjson", "pydantic")
        for how, words in (
            ("all", "all fields of each read"),
            ("members", "all fields of each read, and every custom field's value"),
            ("three", "three of them looked at"),
        ):
            yield Group(
                f"python-page{size}-{how}",
                f"Python: a page of {size} contacts, {words}",
                [Case(name, python("decode", name, path, how)) for name in names],
            )
        yield Group(
            f"ruby-page{size}",
            f"Ruby: a page of {size} contacts, all fields of each read",
            [Case(name, ruby("decode", name, path)) for name in ("privy", "oj", "oj_texts", "json")],
            same=alike,
        )


def orders() -> Iterator[Group]:
    for items in (1, 10, 50):
        path = str(INPUT / f"order{items}.json")
        names = ("privy", "pydantic", "msgspec", "msgspec_structs", "orjson")
        yield Group(
            f"python-order{items}",
            f"Python: an order of {items} items, objects to body",
            [Case(name, python("encode", name, path)) for name in names],
        )
        yield Group(
            f"ruby-order{items}",
            f"Ruby: an order of {items} items, objects to body",
            [Case(name, ruby("encode", name, path)) for name in ("privy", "oj")],
        )


def calls(api: str) -> Iterator[Group]:
    """One call, over and over on one connection. In C the peer sends exactly privy's bytes."""
    contact_id = json.loads((INPUT / "contact.json").read_text(encoding="utf-8"))["data"]["id"]
    wanted = (api, TOKEN, contact_id)
    url = f"{api}/contacts/{contact_id}"
    loop = Case("libcurl loop in C", program("curl_loop", url, str(BUILT / "call-c.txt")))
    yield Group(
        "c-call",
        "C: one call on a kept connection",
        [Case("privy", program("call", *wanted)), loop],
        rounds=CALL_ROUNDS,
        answered=same_request(api, BUILT, "call-c", exact=True),
    )
    for language, names in (
        (python, ("pycurl", "requests", "httpx")),
        (ruby, ("net_http", "typhoeus", "excon", "faraday")),
    ):
        reported = f"call-{language.__name__}"
        path = str(BUILT / f"{reported}.json")
        yield Group(
            f"{language.__name__}-call",
            f"{language.__name__.capitalize()}: one call on a kept connection",
            [
                Case("privy", language("call", "privy", *wanted)),
                Case("libcurl loop in C", program("curl_loop", url, str(BUILT / f"{reported}.txt"))),
                *(Case(name, language("call", name, path)) for name in names),
            ],
            rounds=CALL_ROUNDS,
            same=alike,
            answered=same_request(api, BUILT, reported),
        )


def telemetry(api: str) -> Iterator[Group]:
    """What OpenTelemetry adds to one call."""
    contact_id = json.loads((INPUT / "contact.json").read_text(encoding="utf-8"))["data"]["id"]
    for key, words, cases in (
        (
            "none",
            "OpenTelemetry off, and its API alone",
            {"none": "without it", "off": "PRIVY_OTEL=0", "api": "API alone"},
        ),
        ("sdk", "spans and metrics of the SDK", {"spans": "spans of privy", "by_hand": "the same spans by hand"}),
    ):
        yield Group(
            f"python-otel-{key}",
            f"Python: one call on a kept connection, {words}",
            [Case(label, python("telemetry", name, api, TOKEN, contact_id)) for name, label in cases.items()],
            rounds=CALL_ROUNDS,
            same=alike,
        )


def notifications(api: str) -> Iterator[Group]:
    """What ActiveSupport::Notifications adds to one call."""
    contact_id = json.loads((INPUT / "contact.json").read_text(encoding="utf-8"))["data"]["id"]
    cases = {
        "none": "without them",
        "installed": "no subscriber",
        "subscriber": "one subscriber",
        "by_hand": "the instrumenter by hand",
    }
    yield Group(
        "ruby-notifications",
        "Ruby: one call on a kept connection, ActiveSupport::Notifications",
        [Case(label, ruby("notifications", name, api, TOKEN, contact_id)) for name, label in cases.items()],
        rounds=CALL_ROUNDS,
        same=alike,
    )


def many(api: str) -> Iterator[Group]:
    """A thousand calls, 64 at once, to a server that takes its time."""
    asked = str(BUILT / "many-python.json")
    yield Group(
        "python-many",
        "Python: 1,000 calls, 64 at once, 20 ms server delay",
        [
            Case("AsyncClient, asyncio", python("many", "privy_async", "asyncio", api, TOKEN, EVENTS)),
            Case("aiohttp, asyncio", python("many", "aiohttp", "asyncio", asked, EVENTS)),
            Case("AsyncClient, uvloop", python("many", "privy_async", "uvloop", api, TOKEN, EVENTS)),
            Case("aiohttp, uvloop", python("many", "aiohttp", "uvloop", asked, EVENTS)),
            Case("ingest_many", python("many", "privy_many", api, TOKEN, EVENTS)),
        ],
        rounds=7,
        times=1,
        answered=same_request(api, BUILT, "many-python"),
    )
    asked = str(BUILT / "many-ruby.json")
    yield Group(
        "ruby-many",
        "Ruby: 1,000 calls, 64 at once, 20 ms server delay",
        [
            Case("ingest_many", ruby("many", "privy", api, TOKEN, EVENTS)),
            Case("Typhoeus::Hydra", ruby("many", "typhoeus", asked, EVENTS)),
        ],
        rounds=7,
        times=1,
        answered=same_request(api, BUILT, "many-ruby"),
    )


def listings(api: str) -> Iterator[Group]:
    for language, words in ((python, "pycurl and msgspec"), (ruby, "Net::HTTP and Oj")):
        name = f"listing-{language.__name__}"
        yield Group(
            f"{language.__name__}-listing",
            f"{language.__name__.capitalize()}: 200 pages, 20 ms delay and 5 ms of the user's work a page",
            [
                Case("privy", language("listing", "privy", api, TOKEN)),
                Case(f"loop of {words}", language("listing", "sequential", str(BUILT / f"{name}.json"))),
            ],
            rounds=5,
            times=1,
            answered=same_request(api, BUILT, name),
        )


def every(chosen: str) -> Iterator[Measured]:
    """Measures all groups whose key contains `chosen`, one after the other."""
    yield from (run(group) for group in [*pages(), *orders()] if chosen in group.key)
    with served() as api:
        yield from (run(group) for group in [*calls(api), *telemetry(api), *notifications(api)] if chosen in group.key)
    with served(DELAY, PAGES) as api:
        yield from (run(group) for group in [*many(api), *listings(api)] if chosen in group.key)
