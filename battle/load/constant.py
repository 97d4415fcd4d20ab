"""Evenly spaced arrivals."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from battle.core.ports.load import EvenPattern
from battle.core.units import NS_PER_S, Rate


class Constant(EvenPattern):
    """Arrivals at one rate, evenly spaced."""

    example: ClassVar[str] = "{kind: constant, rate: 200/s, duration: 30s}"

    kind: Literal["constant"] = "constant"
    rate: Rate = Field(gt=0)

    def instants(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """K / rate."""
        return counts * NS_PER_S / self.rate

    def rate_at(self, offset_ns: int) -> float:
        """The rate, inside the phase."""
        return self.rate if 0 <= offset_ns < self.duration else 0.0

    def planned_until(self, offset_ns: int) -> float:
        """Rate × time."""
        return self.rate * offset_ns / NS_PER_S

    def peak_per_s(self) -> float:
        """The rate."""
        return self.rate
