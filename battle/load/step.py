"""A rate that goes from one value to another in steps."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from battle.core.ports.load import EvenPattern
from battle.core.units import NS_PER_S, Rate


class Step(EvenPattern):
    """Arrivals whose rate goes from one value to another in equally long, equally high steps."""

    example: ClassVar[str] = "{kind: step, from: 100/s, to: 500/s, steps: 5, duration: 1m}"

    kind: Literal["step"] = "step"
    from_: Rate = Field(alias="from", ge=0)
    to: Rate = Field(ge=0)
    steps: int = Field(ge=2, le=10_000)

    def _rate(self, step: int) -> float:
        """The rate of a step, from 0: `from` in the first, `to` in the last."""
        return self.from_ + (self.to - self.from_) * step / (self.steps - 1)

    def instants(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """On the line between the edges of the steps."""
        edges = np.arange(self.steps + 1) * self.duration / self.steps
        rates = np.linspace(self.from_, self.to, self.steps)
        reached = np.concatenate(([0.0], np.cumsum(rates) * (self.duration / self.steps / NS_PER_S)))
        return np.interp(counts, reached, edges)

    def rate_at(self, offset_ns: int) -> float:
        """The rate of the step, inside the phase."""
        return self._rate(offset_ns * self.steps // self.duration) if 0 <= offset_ns < self.duration else 0.0

    def planned_until(self, offset_ns: int) -> float:
        """The whole steps before, and a part of the one that the offset is in."""
        whole = offset_ns * self.steps // self.duration
        length = self.duration / self.steps
        before = whole * (self.from_ + self._rate(max(whole - 1, 0))) / 2 * length
        return (before + self._rate(whole) * (offset_ns - whole * length)) / NS_PER_S

    def peak_per_s(self) -> float:
        """The larger of both rates."""
        return max(self.from_, self.to)
