"""The table of targets: how much of the best peer's time, memory or space privy may take for the same work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from . import figures
from .measure import Measured, Spread, spread


@dataclass(frozen=True)
class Target:
    """One row, for a group measured side by side. The best of the peers is who needs least."""

    work: str
    group: str
    peers: Sequence[str]
    most: float
    ours: str = "privy"
    metric: str = "cpu"


@dataclass(frozen=True)
class Row:
    """One row as it came out."""

    work: str
    metric: str
    ours: str
    peer: str
    theirs: str
    ratio: Spread
    most: float

    @property
    def passed(self) -> bool:
        """A ratio of 1 stands for "below", which a tie is not."""
        return self.ratio.median < self.most if self.most == 1 else self.ratio.median <= self.most


ASYNC = "1,000 calls, 64 at once, 20 ms server delay"
CALL = "one call on a kept connection"
LISTING = "200 pages listed, 20 ms delay and 5 ms of the user's work a page"
TARGETS = (
    Target("C core: page of 100 contacts, bytes to checked records", "c-page100", ["yyjson Document"], 1.3),
    Target("C core: page of 100 contacts, bytes to Arrow columns", "c-columns100", ["privy, records only"], 1.75),
    Target("Python: page to 100 contacts, all 11 fields of each read", "python-page100-all", ["msgspec"], 0.85),
    Target("Python: the same, and every custom field's value", "python-page100-members", ["msgspec"], 1),
    Target("Python: page to page object, 3 contacts looked at", "python-page100-three", ["msgspec"], 0.40),
    Target("Python: order of 10 items, objects to validated body", "python-order10", ["pydantic"], 0.15),
    Target("Python: the same, the peer without any validation", "python-order10", ["msgspec"], 1.5),
    Target("Ruby: page to 100 contacts, all fields read", "ruby-page100", ["oj"], 0.45),
    Target("Ruby: order of 10 items, objects to validated body", "ruby-order10", ["oj"], 1.5),
    Target(f"C: {CALL}", "c-call", ["libcurl loop in C"], 1.25),
    Target(f"Python: {CALL}", "python-call", ["libcurl loop in C"], 1.6),
    Target(f"Ruby: {CALL}", "ruby-call", ["libcurl loop in C"], 1.6),
    Target("Python: the same, next to clients for Python", "python-call", ["pycurl", "requests", "httpx"], 1),
    Target("Ruby: the same, next to clients for Ruby", "ruby-call", ["net_http", "typhoeus", "excon", "faraday"], 1),
    Target(f"Python: {CALL}, PRIVY_OTEL=0", "python-otel-none", ["without it"], 1.05, ours="PRIVY_OTEL=0"),
    Target(f"Python: {CALL}, OpenTelemetry's API alone", "python-otel-none", ["PRIVY_OTEL=0"], 1.10, ours="API alone"),
    Target(f"Python: {CALL}, spans", "python-otel-sdk", ["the same spans by hand"], 1.5, ours="spans of privy"),
    Target(f"Ruby: {CALL}, no subscriber", "ruby-notifications", ["without them"], 1.10, ours="no subscriber"),
    Target(f"Ruby: {CALL}, call.privy", "ruby-notifications", ["without them"], 1.5, ours="one subscriber"),
    Target(f"Python, asyncio: {ASYNC}", "python-many", ["aiohttp, asyncio"], 1, ours="AsyncClient, asyncio"),
    Target(f"Python, uvloop: {ASYNC}", "python-many", ["aiohttp, uvloop"], 1, ours="AsyncClient, uvloop"),
    Target(
        f"Python, ingest_many: {ASYNC}", "python-many", ["aiohttp, asyncio", "aiohttp, uvloop"], 1, ours="ingest_many"
    ),
    Target(f"Ruby, ingest_many: {ASYNC}", "ruby-many", ["Typhoeus::Hydra"], 1, ours="ingest_many"),
    Target(f"Python: {LISTING}", "python-listing", ["loop of pycurl and msgspec"], 0.85, metric="wall"),
    Target(f"Ruby: {LISTING}", "ruby-listing", ["loop of Net::HTTP and Oj"], 0.85, metric="wall"),
)


def duration(nanoseconds: float) -> str:
    units = (("s", 1e9), ("ms", 1e6), ("µs", 1e3))
    unit, size = next((one for one in units if nanoseconds >= one[1]), ("ns", 1.0))
    number = nanoseconds / size
    return f"{number:.0f} {unit}" if number >= 100 else f"{number:.3g} {unit}"


def mebibytes(kibibytes: float) -> str:
    return f"{kibibytes / 1024:.2f} MiB"


def row_of(target: Target, measured: Measured) -> Row:
    peer = measured.best(target.peers, target.metric)
    return Row(
        target.work,
        {"cpu": "CPU", "wall": "wall"}[target.metric],
        duration(measured.spread(target.ours, target.metric).median),
        peer,
        duration(measured.spread(peer, target.metric).median),
        measured.ratio(target.ours, peer, target.metric),
        target.most,
    )


def side_by_side(measured: dict[str, Measured]) -> Iterator[Row]:
    """The rows of those groups that were measured."""
    yield from (row_of(target, measured[target.group]) for target in TARGETS if target.group in measured)


def starting() -> Iterator[Row]:
    for language, call, peer in (("python", "import", "stripe"), ("ruby", "require", "octokit")):
        found = figures.starts(language)
        for metric, words, show in (("wall", "time", duration), ("memory", "memory added", mebibytes)):
            ours, theirs = (figures.median(getattr(found[name], metric)) for name in ("privy", peer))
            ratio = figures.start_ratio(found, peer, metric)
            yield Row(f"{call} privy: {words}", words, show(ours), f"{call} {peer}", show(theirs), ratio, 0.10)


def commands() -> Iterator[Row]:
    found = figures.commands()
    bare = found["pass"]
    for argument, most in (("--version", 4), ("--help", 8)):
        ours = found[argument]
        yield Row(
            f"privy {argument}",
            "CPU",
            duration(figures.median(ours)),
            "python -c pass",
            duration(figures.median(bare)),
            spread([mine / other for mine, other in zip(ours, bare, strict=True)]),
            most,
        )


def listing_memory() -> Iterator[Row]:
    for language in ("python", "ruby"):
        peaks = figures.memory(language)
        most, few = figures.median(peaks["many"]), figures.median(peaks["few"])
        yield Row(
            f"{language.capitalize()}: peak memory over 1,000,000 contacts listed",
            "peak memory",
            mebibytes(most),
            "itself at 10,000",
            mebibytes(few),
            spread([many / few for many in peaks["many"]]),
            1.05,
        )


def frames() -> Iterator[Row]:
    found = figures.frames()
    for metric, words, tell in (("wall", "time", duration), ("memory", "peak memory added", mebibytes)):
        ours, theirs = found["columns"][metric], found["records"][metric]
        yield Row(
            f"Python: 100,000 contacts listed to a pandas.DataFrame: {words}",
            words,
            tell(figures.median(ours)),
            "DataFrame of to_dict()",
            tell(figures.median(theirs)),
            spread([mine / other for mine, other in zip(ours, theirs, strict=True)]),
            0.4,
        )


def uploads() -> Iterator[Row]:
    found = figures.uploads()
    yield Row(
        "Python: a pandas.DataFrame of 10,000 orders sent to a sandbox: time",
        "time",
        duration(figures.median(found["frame"])),
        'its to_dict("records") sent',
        duration(figures.median(found["records"])),
        spread([mine / other for mine, other in zip(found["frame"], found["records"], strict=True)]),
        1.0,
    )


def installed_size() -> Iterator[Row]:
    ours, theirs = figures.size("privy-marketing"), figures.size("stripe")
    ratio = ours / theirs
    yield Row(
        "Python: installed size, without libcurl",
        "bytes",
        mebibytes(ours / 1024),
        "stripe",
        mebibytes(theirs / 1024),
        Spread(ratio, ratio, ratio),
        0.10,
    )


def remark() -> str:
    """What no client can do without that calls libcurl, whenever it loads it."""
    alone = figures.starts("libcurl")["libcurl"]
    return (
        f"Loading libcurl with all that it needs takes {duration(figures.median(alone.wall))} and "
        f"{mebibytes(figures.median(alone.memory))}, measured by itself. It is not part of starting: the first "
        f"client brings it."
    )


def single_figures() -> Iterator[Row]:
    """The rows that need no pair of workers."""
    yield from starting()
    yield from commands()
    yield from listing_memory()
    yield from frames()
    yield from uploads()
    yield from installed_size()
