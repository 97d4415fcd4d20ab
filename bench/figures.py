"""Numbers over rounds: medians, ranges, ratios paired by round. Pure."""

import operator
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

_COMPARE = {">=": operator.ge, "<=": operator.le}
Mark = Literal["met", "not met", "skipped", "no target"]


@dataclass(frozen=True)
class Target:
    """What the median of a row must reach, such as >= 0.95. A later round than the best never counts."""

    comparison: Literal[">=", "<="]
    bound: float

    def __str__(self) -> str:
        return f"{'≥' if self.comparison == '>=' else '≤'} {number(self.bound)}"

    def met_by(self, value: float) -> bool:
        """Whether a value reaches it."""
        return bool(_COMPARE[self.comparison](value, self.bound))


@dataclass(frozen=True)
class Row:
    """One line of the table: a figure in each round, or why there is none."""

    name: str
    unit: str
    values: Sequence[float] = ()
    target: Target | None = None
    skipped: str | None = None
    note: str = ""

    @property
    def median(self) -> float:
        """The median over the rounds."""
        return statistics.median(self.values)

    @property
    def mark(self) -> Mark:
        """Whether the median reaches the target."""
        if self.skipped is not None or not self.values:
            return "skipped"
        if self.target is None:
            return "no target"
        return "met" if self.target.met_by(self.median) else "not met"

    def to_json(self) -> dict[str, Any]:
        """The row as the results file holds it."""
        measured = bool(self.values)
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median if measured else None,
            "min": min(self.values) if measured else None,
            "max": max(self.values) if measured else None,
            "values": list(self.values),
            "target": str(self.target) if self.target else None,
            "mark": self.mark,
            "skipped": self.skipped,
            "note": self.note,
        }


@dataclass
class Measured:
    """What one measurement gives: its rows, and the raw figures of every round."""

    rows: list[Row]
    rounds: list[dict[str, Any]] = field(default_factory=list)


def ratios(of: Sequence[float], to: Sequence[float]) -> list[float]:
    """Each round's figure divided by the other's in the same round. The machine's moods fall out of it."""
    return [one / other for one, other in zip(of, to, strict=True)]


def number(value: float) -> str:
    """A number with three figures or all of its whole part: 0.957, 12.3, 94,336."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 2 if abs(value) < 10 else 1
    return f"{value:.{digits}f}"
