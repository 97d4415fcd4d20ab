"""A rate that changes linearly."""

import math
from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from battle.core.ports.load import OpenPattern
from battle.core.units import NS_PER_S, Rate


class Ramp(OpenPattern):
    """Arrivals whose rate goes linearly from one value to another."""

    example: ClassVar[str] = "{kind: ramp, from: 10/s, to: 500/s, duration: 1m}"

    kind: Literal["ramp"] = "ramp"
    from_: Rate = Field(alias="from", ge=0)
    to: Rate = Field(ge=0)

    def arrivals(self, rng: np.random.Generator) -> Iterator[int]:
        """The k-th arrival is where the integral of the rate reaches k.

        With rate r(t) = a + b·t the integral is a·t + b·t²/2; it is k at t = 2k / (a + √(a² + 2·b·k)), a form that
        also holds for b = 0.
        """
        del rng
        seconds = self.duration / NS_PER_S
        start, slope = self.from_, (self.to - self.from_) / seconds
        count = 0
        while (inside := start * start + 2 * slope * count) >= 0:
            below = start + math.sqrt(inside)
            if below == 0:
                if count or slope <= 0:
                    return
                offset = 0
            else:
                offset = round(2 * count / below * NS_PER_S)
            if offset >= self.duration:
                return
            yield offset
            count += 1

    def rate_at(self, offset_ns: int) -> float:
        """The rate on the line between the two, inside the phase."""
        if not 0 <= offset_ns < self.duration:
            return 0.0
        return self.from_ + (self.to - self.from_) * offset_ns / self.duration

    def planned(self) -> float:
        """The mean of both rates × duration."""
        return (self.from_ + self.to) / 2 * self.duration / NS_PER_S

    def peak_per_s(self) -> float:
        """The larger of both rates."""
        return max(self.from_, self.to)
