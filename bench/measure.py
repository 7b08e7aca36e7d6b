"""Side by side: cases take turns, and every round gives one ratio of each pair."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .workers import Sample, Worker

BATCH = 25e6  # nanoseconds of CPU that one turn should take, so that clocks and scheduling hardly matter
ROUNDS = 21


@dataclass(frozen=True)
class Case:
    """One way to do the work of a group."""

    label: str
    command: Sequence[str]


@dataclass(frozen=True)
class Group:
    """The same work done in several ways; the first case is the measure of what is right."""

    key: str
    title: str
    cases: Sequence[Case]
    rounds: int = ROUNDS
    times: int = 0  # repetitions a turn; 0: as many as fill a batch
    same: Callable[[Any, Any], bool] = lambda ours, theirs: bool(ours == theirs)
    answered: Callable[[str, bool], None] = lambda label, first: None  # called after each answer


@dataclass(frozen=True)
class Spread:
    """Median and quartiles."""

    median: float
    low: float
    high: float


@dataclass
class Measured:
    """The samples of one group, round by round."""

    group: Group
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    instructions: dict[str, float] = field(default_factory=dict)

    def values(self, label: str, metric: str) -> list[float]:
        return [getattr(sample, metric) for sample in self.samples[label]]

    def spread(self, label: str, metric: str) -> Spread:
        return spread(self.values(label, metric))

    def ratio(self, ours: str, peer: str, metric: str) -> Spread:
        """Ours by the peer's, of each round."""
        pairs = zip(self.values(ours, metric), self.values(peer, metric), strict=True)
        return spread([mine / theirs for mine, theirs in pairs])

    def best(self, labels: Sequence[str], metric: str) -> str:
        return min(labels, key=lambda label: self.spread(label, metric).median)


def spread(values: Sequence[float]) -> Spread:
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, low, high)


def start(group: Group, workers: dict[str, Worker]) -> None:
    """Starts the cases one by one. Each must give what the first one gives, before anything is timed."""
    right: Any = None
    for number, case in enumerate(group.cases):
        worker = workers[case.label] = Worker(case.command)
        answer = worker.answer()
        group.answered(case.label, number == 0)
        if number == 0:
            right = answer
        elif not group.same(right, answer):
            first = group.cases[0].label
            raise AssertionError(f"{group.title}: {case.label} answers\n{answer}\nbut {first}\n{right}")


def repetitions(worker: Worker) -> int:
    """How many fill a batch, found with the caches warm."""
    times = 1
    while True:
        sample = worker.run(times)
        if sample.cpu * times >= BATCH / 4 or times >= 1 << 20:
            return max(1, round(BATCH / max(sample.cpu, 1.0)))
        times *= 4


def run(group: Group) -> Measured:
    """Checks the answers, then lets the cases take turns; who begins changes from round to round."""
    measured = Measured(group, {case.label: [] for case in group.cases})
    workers: dict[str, Worker] = {}
    try:
        start(group, workers)
        times = {label: group.times or repetitions(worker) for label, worker in workers.items()}
        labels = list(workers)
        for number in range(group.rounds):
            shift = number % len(labels)
            for label in labels[shift:] + labels[:shift]:
                measured.samples[label].append(workers[label].run(times[label]))
    finally:
        for worker in workers.values():
            worker.close()
    return measured
