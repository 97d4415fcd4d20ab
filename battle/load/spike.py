"""A rate with spikes."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from battle.core.ports.load import EvenPattern
from battle.core.units import NS_PER_S, Duration, Rate


class Spike(EvenPattern):
    """Arrivals at one rate, and at a higher one in spikes that begin every so often."""

    example: ClassVar[str] = "{kind: spike, rate: 50/s, peak: 500/s, every: 10s, width: 1s, duration: 1m}"

    kind: Literal["spike"] = "spike"
    rate: Rate = Field(ge=0)
    peak: Rate = Field(gt=0)
    every: Duration = Field(gt=0)
    width: Duration = Field(gt=0)

    @model_validator(mode="after")
    def _check(self) -> "Spike":
        if self.width >= self.every:
            raise ValueError("`width` must be shorter than `every`, or nothing lies between the spikes")
        if self.peak <= self.rate:
            raise ValueError("`peak` must be higher than `rate`")
        if self.every >= self.duration:
            raise ValueError("the first spike begins at `every`, and the phase is over by then")
        return self

    def instants(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """From the first spike on the rate is periodic: the spike, and what follows it."""
        rate, peak = self.rate / NS_PER_S, self.peak / NS_PER_S
        slow = rate or 1.0  # where the rate is 0, no count lies
        beyond = counts - rate * self.every
        spike = peak * self.width
        periods, inside = np.divmod(beyond, spike + rate * (self.every - self.width))
        offsets = np.where(inside < spike, inside / peak, self.width + (inside - spike) / slow)
        return np.where(beyond < 0, counts / slow, (1 + periods) * self.every + offsets)

    def rate_at(self, offset_ns: int) -> float:
        """The peak inside a spike, else the rate."""
        if not 0 <= offset_ns < self.duration:
            return 0.0
        return self.peak if offset_ns >= self.every and offset_ns % self.every < self.width else self.rate

    def planned_until(self, offset_ns: int) -> float:
        """Rate × time, and what each spike adds to it."""
        periods, inside = divmod(max(0, offset_ns - self.every), self.every)
        spiking = periods * self.width + min(inside, self.width)
        return (self.rate * offset_ns + (self.peak - self.rate) * spiking) / NS_PER_S

    def peak_per_s(self) -> float:
        """The peak."""
        return self.peak
