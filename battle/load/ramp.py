"""A rate that changes linearly."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from battle.core.ports.load import EvenPattern
from battle.core.units import NS_PER_S, Rate


class Ramp(EvenPattern):
    """Arrivals whose rate goes linearly from one value to another."""

    example: ClassVar[str] = "{kind: ramp, from: 10/s, to: 500/s, duration: 1m}"

    kind: Literal["ramp"] = "ramp"
    from_: Rate = Field(alias="from", ge=0)
    to: Rate = Field(ge=0)

    def instants(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """With rate r(t) = a + b·t the integral is a·t + b·t²/2.

        It is k at t = 2k / (a + √(a² + 2·b·k)), a form that also holds for b = 0.
        """
        slope = (self.to - self.from_) / (self.duration / NS_PER_S)
        root = np.sqrt(np.maximum(self.from_ * self.from_ + 2 * slope * counts, 0))
        below = self.from_ + root
        return 2 * counts / np.where(below > 0, below, 1) * NS_PER_S

    def rate_at(self, offset_ns: int) -> float:
        """The rate on the line between the two, inside the phase."""
        if not 0 <= offset_ns < self.duration:
            return 0.0
        return self.from_ + (self.to - self.from_) * offset_ns / self.duration

    def planned_until(self, offset_ns: int) -> float:
        """The mean of the rate at the start and the rate at the offset × time."""
        then = self.from_ + (self.to - self.from_) * offset_ns / self.duration
        return (self.from_ + then) / 2 * offset_ns / NS_PER_S

    def peak_per_s(self) -> float:
        """The larger of both rates."""
        return max(self.from_, self.to)
