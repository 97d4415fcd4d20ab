"""Arrivals of many independent clients."""

from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from battle.core.ports.load import OpenPattern
from battle.core.units import NS_PER_S, Rate

_BLOCK = 1024


class Poisson(OpenPattern):
    """Arrivals of many independent clients: gaps are exponentially distributed."""

    example: ClassVar[str] = "{kind: poisson, rate: 200/s, duration: 30s}"

    kind: Literal["poisson"] = "poisson"
    rate: Rate = Field(gt=0)

    def arrivals(self, rng: np.random.Generator) -> Iterator[int]:
        """Sums of exponential gaps with mean 1 / rate, drawn a block at a time."""
        start = 0.0
        while True:
            block = start + np.cumsum(rng.exponential(NS_PER_S / self.rate, _BLOCK))
            for offset in block.astype(np.int64).tolist():
                if offset >= self.duration:
                    return
                yield offset
            start = float(block[-1])

    def rate_at(self, offset_ns: int) -> float:
        """The mean rate, inside the phase."""
        return self.rate if 0 <= offset_ns < self.duration else 0.0

    def planned_until(self, offset_ns: int) -> float:
        """The expected number: rate × time; its standard deviation is the square root of it."""
        return self.rate * offset_ns / NS_PER_S

    def peak_per_s(self) -> float:
        """The mean rate."""
        return self.rate
