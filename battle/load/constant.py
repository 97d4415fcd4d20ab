"""Evenly spaced arrivals."""

from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from battle.core.ports.load import OpenPattern
from battle.core.units import NS_PER_S, Rate


class Constant(OpenPattern):
    """Arrivals at one rate, evenly spaced."""

    example: ClassVar[str] = "{kind: constant, rate: 200/s, duration: 30s}"

    kind: Literal["constant"] = "constant"
    rate: Rate = Field(gt=0)

    def arrivals(self, rng: np.random.Generator) -> Iterator[int]:
        """The k-th arrival is at k / rate, computed from the start, so that no drift adds up."""
        del rng
        count = 0
        while (offset := round(count * NS_PER_S / self.rate)) < self.duration:
            yield offset
            count += 1

    def rate_at(self, offset_ns: int) -> float:
        """The rate, inside the phase."""
        return self.rate if 0 <= offset_ns < self.duration else 0.0

    def planned(self) -> float:
        """Rate × duration."""
        return self.rate * self.duration / NS_PER_S

    def peak_per_s(self) -> float:
        """The rate."""
        return self.rate
