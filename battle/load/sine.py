"""A rate that swings around its mean."""

import math
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from battle.core.ports.load import EvenPattern
from battle.core.units import NS_PER_S, Duration, Rate

_MOST_STEPS = 64
_NEAR_NS = 0.25


class Sine(EvenPattern):
    """Arrivals whose rate is mean + amplitude · sin(2π · t / period): from the mean up, and down, and back."""

    example: ClassVar[str] = "{kind: sine, mean: 200/s, amplitude: 150/s, period: 20s, duration: 1m}"

    kind: Literal["sine"] = "sine"
    mean: Rate = Field(gt=0)
    amplitude: Rate = Field(ge=0)
    period: Duration = Field(gt=0)

    @model_validator(mode="after")
    def _check(self) -> "Sine":
        if self.amplitude > self.mean:
            raise ValueError("`amplitude` is more than `mean`, and a rate cannot be below 0")
        return self

    def instants(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """The integral m·t + a·P/2π · (1 − cos(2π·t/P)) has no inverse in closed form; it is found by Newton's steps.

        Inside whole periods it is sought between (k − a·P/π) / m and k / m, the bounds that the cosine gives. A step
        that leaves the bounds found so far halves them instead, so that each root is found also where the rate is 0.
        """
        mean, amplitude, turn = self.mean / NS_PER_S, self.amplitude / NS_PER_S, 2 * math.pi / self.period
        periods, wanted = np.divmod(counts, mean * self.period)
        high = wanted / mean
        low = np.maximum(0, high - 2 * amplitude / turn / mean)
        found = (low + high) / 2
        for _ in range(_MOST_STEPS):
            excess = mean * found + amplitude / turn * (1 - np.cos(turn * found)) - wanted
            low, high = np.where(excess < 0, found, low), np.where(excess < 0, high, found)
            with np.errstate(divide="ignore", invalid="ignore"):
                stepped = found - excess / (mean + amplitude * np.sin(turn * found))
            following = np.where((low <= stepped) & (stepped <= high), stepped, (low + high) / 2)
            moved = np.abs(following - found).max()
            found = following
            if moved < _NEAR_NS:
                break
        return periods * self.period + found

    def rate_at(self, offset_ns: int) -> float:
        """The rate on the curve, inside the phase."""
        if not 0 <= offset_ns < self.duration:
            return 0.0
        return self.mean + self.amplitude * math.sin(2 * math.pi * offset_ns / self.period)

    def planned_until(self, offset_ns: int) -> float:
        """The integral of the curve."""
        turned = 2 * math.pi * offset_ns / self.period
        swung = self.amplitude * self.period / (2 * math.pi) * (1 - math.cos(turned))
        return (self.mean * offset_ns + swung) / NS_PER_S

    def peak_per_s(self) -> float:
        """Mean + amplitude."""
        return self.mean + self.amplitude
