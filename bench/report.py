"""The tables, for the terminal and for RESULTS.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from .measure import Measured, Spread
from .targets import Row, duration

NOTES = Path(__file__).with_name("notes.md")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, *rows)]
    lines.insert(1, "|" + "---|" * len(head))
    return "\n".join(lines)


def between(spread: Spread) -> str:
    return f"{spread.low:.4g} to {spread.high:.4g}"


def limit(row: Row) -> str:
    return "below 1" if row.most == 1 else f"{row.most:.2f}"


def targets(rows: Sequence[Row]) -> str:
    return table(
        ("work", "of", "privy", "best peer", "peer's", "ratio", "quartiles", "at most", "result"),
        (
            (
                row.work,
                row.metric,
                row.ours,
                row.peer,
                row.theirs,
                f"{row.ratio.median:.4g}",
                between(row.ratio),
                limit(row),
                "pass" if row.passed else "**miss**",
            )
            for row in rows
        ),
    )


def percent(spread: Spread) -> str:
    return f"{100 * (spread.high - spread.low) / 2 / spread.median:.1f} %"


def group(measured: Measured) -> str:
    """All cases of a group, with the ratio of its first case, which is privy's, to each."""
    first = measured.group.cases[0].label
    counted = bool(measured.instructions)
    rows = []
    for case in measured.group.cases:
        cpu, wall = measured.spread(case.label, "cpu"), measured.spread(case.label, "wall")
        ratio = "" if case.label == first else f"{measured.ratio(first, case.label, 'cpu').median:.3f}"
        row = [case.label, duration(cpu.median), percent(cpu), duration(wall.median), percent(wall), ratio]
        rows.append([*row, f"{measured.instructions[case.label]:,.0f}"] if counted else row)
    head = ["", "CPU", "±", "wall", "±", f"{first} / this, CPU"]
    return f"### {measured.group.title}\n" + table([*head, "instructions"] if counted else head, rows)


def document(facts: Sequence[tuple[str, str]], rows: Sequence[Row], remark: str, measured: Iterable[Measured]) -> str:
    """RESULTS.md as a whole."""
    passed = sum(row.passed for row in rows)
    parts = [
        "# privy and its peers",
        "Written by `make bench`; do not edit.",
        table(("", ""), facts),
        f"## Targets: {passed} of {len(rows)} met",
        "The ratio is the median over all rounds of privy's time by the peer's in the same round.",
        targets(rows),
        remark,
        "## Everything that was measured",
        "Medians over the rounds; ± is half the distance between the quartiles. Instructions are those of user space, "
        "counted by callgrind.",
        *(group(one) for one in measured),
        NOTES.read_text(encoding="utf-8").strip(),
    ]
    return "\n\n".join(parts) + "\n"
