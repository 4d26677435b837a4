"""What a measurement gives: rows of figures, and the targets that are held against them."""

import statistics
from typing import NamedTuple

from msgspec import Struct, field


class Column(Struct, frozen=True):
    """One figure of every row."""

    key: str
    heading: str
    """With its unit: ``SYN spread ms``."""
    digits: int = 1


class Row(Struct):
    """The figures of one subject: all its rounds, of which the median counts."""

    subject: str
    rounds: dict[str, list[float]] = field(default_factory=dict)
    note: str = ""

    def add(self, **figures: float) -> None:
        """Add one round."""
        for key, value in figures.items():
            self.rounds.setdefault(key, []).append(value)

    def value(self, key: str) -> float | None:
        """Give the median of a figure; None if there is none."""
        rounds = self.rounds.get(key)
        return statistics.median(rounds) if rounds else None


class Check(Struct, frozen=True):
    """A target of the issue, and how it came out."""

    claim: str
    actual: float
    limit: float
    at_most: bool = True

    @property
    def passed(self) -> bool:
        """Tell whether the target was reached; the limit itself is inside."""
        return self.actual <= self.limit if self.at_most else self.actual >= self.limit


class Growth(Struct):
    """How a figure changes with the size of what is measured: what the plot shows."""

    size: str
    """What grows: ``connections``."""
    value: str
    """What it costs, with its unit: ``KiB/connection``."""
    curves: dict[str, dict[int, list[float]]] = field(default_factory=dict)
    """Of each subject, of each size, the figures of all rounds."""

    def add(self, subject: str, size: int, value: float | None) -> None:
        """Add one round; a figure that could not be had is left out."""
        if value is not None:
            self.curves.setdefault(subject, {}).setdefault(size, []).append(value)

    def points(self, subject: str) -> list[tuple[int, float]]:
        """Give the medians of one subject, by size."""
        curve = self.curves.get(subject, {})
        return [(size, statistics.median(rounds)) for size, rounds in sorted(curve.items())]


class Measurement(Struct):
    """One table. The first column is what ratios to `reference` are made of."""

    name: str
    title: str
    columns: list[Column]
    reference: str | None = None
    rows: list[Row] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    growth: Growth | None = None
    broken: str | None = None
    """Why it could not be made."""

    def row(self, subject: str) -> Row:
        """Give the row of a subject, made if it is new."""
        for row in self.rows:
            if row.subject == subject:
                return row
        self.rows.append(Row(subject))
        return self.rows[-1]

    def ratio(self, subject: str, to: str | None = None, key: str | None = None) -> float | None:
        """Divide a figure of one subject by that of another; None if either is missing."""
        key = key or self.columns[0].key
        above, below = (
            next((row.value(key) for row in self.rows if row.subject == name), None)
            for name in (subject, to or self.reference)
        )
        return above / below if above is not None and below else None

    def hold(self, claim: str, actual: float | None, limit: float, *, at_most: bool = True) -> None:
        """Hold a figure against a target; one that could not be had is noted."""
        if actual is None:
            self.notes.append(f"not held against its target: {claim}")
        else:
            self.checks.append(Check(claim, actual, limit, at_most))


class Verdict(NamedTuple):
    """A check as it is kept in the JSON, where properties are not."""

    claim: str
    actual: float
    limit: float
    passed: bool


def verdicts(measurement: Measurement) -> list[Verdict]:
    """Give the checks with their outcome."""
    return [
        Verdict(check.claim, check.actual, check.limit, check.passed)
        for check in measurement.checks
    ]
