"""What is reported by one process each: starting up, memory over a long list, size on disk, instructions."""

from __future__ import annotations

import json
import re
import resource
import statistics
import subprocess
from dataclasses import dataclass

from .measure import Spread, spread
from .wire import TOKEN
from .workers import BUILT, INPUT, PATIENCE, PYTHON, ROOT, RUBY, environment, output, program, python, served

STARTS = 15
LISTINGS = 3
FRAMED = 100_000  # contacts
UPLOADED = 10_000
LISTED = {"few": 10_000, "many": 1_000_000}  # contacts
VALGRIND = ["valgrind", "--tool=callgrind", "--callgrind-out-file=build/bench/callgrind.out"]


@dataclass(frozen=True)
class Start:
    """What starting one library costs: nanoseconds, KiB."""

    wall: list[float]
    cpu: list[float]
    memory: list[float]


def starts(what: str) -> dict[str, Start]:
    """Loads privy and its peer in turns, each time in a new process; for "libcurl" that library alone."""
    commands = {
        "python": {name: [PYTHON, "bench/python/start.py", name] for name in ("privy", "stripe")},
        "ruby": {
            name: [*RUBY, f"-I{ROOT}/build/ruby/lib", "bench/ruby/start.rb", name] for name in ("privy", "octokit")
        },
        "libcurl": {"libcurl": program("load", "libcurl.so.4")},
    }[what]
    found = {name: Start([], [], []) for name in commands}
    for command in commands.values():
        output(command)  # once for the caches: compiled files, the disk's pages
    for _ in range(STARTS):
        for name, command in commands.items():
            wall, cpu, memory = map(float, output(command).split())
            found[name].wall.append(wall)
            found[name].cpu.append(cpu)
            found[name].memory.append(memory)
    return found


def start_ratio(found: dict[str, Start], peer: str, metric: str) -> Spread:
    pairs = zip(getattr(found["privy"], metric), getattr(found[peer], metric), strict=True)
    return spread([ours / theirs for ours, theirs in pairs])


def commands() -> dict[str, list[float]]:
    """Nanoseconds of a processor that the command needs for its help and its version, and the interpreter for nothing;
    in turns."""
    arguments = {"--help": ["-m", "privy", "--help"], "--version": ["-m", "privy", "--version"], "pass": ["-c", "pass"]}
    found: dict[str, list[float]] = {name: [] for name in arguments}
    for each in arguments.values():
        output([PYTHON, *each])  # once for the caches
    for _ in range(STARTS):
        for name, each in arguments.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            output([PYTHON, *each])
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            found[name].append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e9)
    return found


def memory(language: str) -> dict[str, list[float]]:
    """The most memory in KiB that listing so many contacts takes, several times, each in a process of its own."""
    command = {
        "python": [PYTHON, "bench/python/memory.py"],
        "ruby": [*RUBY, f"-I{ROOT}/build/ruby/lib", "bench/ruby/memory.rb"],
    }[language]
    return {name: [peak(command, contacts) for _ in range(LISTINGS)] for name, contacts in LISTED.items()}


def peak(command: list[str], contacts: int) -> float:
    with served(pages=contacts // 100) as api:
        count, most = output([*command, api, TOKEN]).split()
    if int(count) != contacts:
        raise AssertionError(f"{command} listed {count} contacts, not {contacts}")
    return float(most)


def frames() -> dict[str, dict[str, list[float]]]:
    """Nanoseconds and KiB of listing contacts into a pandas.DataFrame, by columns and by dicts in turns. Each run is a
    new process."""
    found: dict[str, dict[str, list[float]]] = {how: {"wall": [], "memory": []} for how in ("columns", "records")}
    with served(pages=FRAMED // 100) as api:
        for _ in range(LISTINGS):
            for how, values in found.items():
                count, wall, _, memory = output([PYTHON, "bench/python/frame.py", how, api, TOKEN]).split()
                if int(count) != FRAMED:
                    raise AssertionError(f"{how}: a frame of {count} contacts, not {FRAMED}")
                values["wall"].append(float(wall))
                values["memory"].append(float(memory))
    return found


def uploads() -> dict[str, list[float]]:
    """Nanoseconds of uploading a pandas.DataFrame to a sandbox, as it is and as dicts in turns, each in a new
    process."""
    found: dict[str, list[float]] = {how: [] for how in ("frame", "records")}
    for _ in range(LISTINGS):
        for how, walls in found.items():
            count, wall = output([PYTHON, "bench/python/upload.py", how]).split()
            if int(count) != UPLOADED:
                raise AssertionError(f"{how}: {count} orders succeeded, not {UPLOADED}")
            walls.append(float(wall))
    return found


def size(distribution: str) -> int:
    """Bytes that pip has put on the disk, compiled Python files left out."""
    code = (
        "import importlib.metadata, sys;"
        "files = importlib.metadata.files(sys.argv[1]);"
        "print(sum(f.locate().stat().st_size for f in files if f.suffix != '.pyc'))"
    )
    return int(output([PYTHON, "-c", code, distribution]))


def counted(command: list[str], times: int) -> int:
    """Instructions of a whole worker that did its work so many times."""
    done = subprocess.run(
        [*VALGRIND, *command],
        cwd=ROOT,
        env=environment(PYTHONMALLOC="malloc"),
        input=f"run {times}\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        raise RuntimeError(f"callgrind: {' '.join(command)}\n{done.stderr}")
    return int(found[1])


def instructions() -> dict[str, dict[str, float]]:
    """Instructions in user space of one piece of work: what more of it adds, so that starting up does not count."""

    def each(command: list[str], few: int, many: int) -> float:
        return (counted(command, many) - counted(command, few)) / (many - few)

    found: dict[str, dict[str, float]] = {}
    for contacts in (25, 100):
        path = str(INPUT / f"page{contacts}.json")
        found[f"c-page{contacts}"] = {
            "privy": each(program("page", path), 10, 60),
            "yyjson Document": each(python("dom", "page", path), 10, 60),
        }
    contact_id = json.loads((INPUT / "contact.json").read_text(encoding="utf-8"))["data"]["id"]
    with served() as api:
        loop = program("curl_loop", f"{api}/contacts/{contact_id}", str(BUILT / "call-c.txt"))
        found["c-call"] = {
            "privy": each(program("call", api, TOKEN, contact_id), 10, 110),
            "libcurl loop in C": each(loop, 10, 110),
        }
    return found


def median(values: list[float]) -> float:
    return statistics.median(values)
