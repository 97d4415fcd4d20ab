"""Load patterns: pure sequences of start times, and pure numbers of users."""

import math
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from battle.core.component import Component
from battle.core.names import Name
from battle.core.units import Duration

_BLOCK = 512
"""Arrivals that are computed at once: a block takes some 20 µs, so that it holds up no send."""


class Pattern(Component):
    """One phase of load."""

    room: ClassVar[str] = "load"

    duration: Duration = Field(gt=0)
    name: Name | None = None
    warmup: bool = False


class OpenPattern(Pattern):
    """Arrivals that do not wait for responses."""

    def arrivals(self, rng: np.random.Generator) -> Iterator[int]:
        """Start offsets in ns from the phase's start: monotonic, in [0, duration). Pure."""
        raise NotImplementedError

    def rate_at(self, offset_ns: int) -> float:
        """The planned arrival rate, per second, at this offset; 0 outside the phase."""
        raise NotImplementedError

    def planned_until(self, offset_ns: int) -> float:
        """The expected number of arrivals before this offset: the integral of the rate from 0 to it."""
        raise NotImplementedError

    def planned(self) -> float:
        """The expected number of arrivals of the phase."""
        return self.planned_until(self.duration)

    def peak_per_s(self) -> float:
        """The highest planned rate, per second."""
        raise NotImplementedError


class EvenPattern(OpenPattern):
    """Arrivals without chance: the k-th, from 0, is where the integral of the rate reaches k.

    Each is computed from the start of the phase, so that no drift adds up.
    """

    def instants(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """The offsets in ns, shape (n,), at which `planned_until` reaches these counts, shape (n,), ascending."""
        raise NotImplementedError

    def arrivals(self, rng: np.random.Generator) -> Iterator[int]:
        """The instants of 0, 1, 2 …, computed a block at a time."""
        del rng
        total = math.ceil(self.planned())
        for first in range(0, total, _BLOCK):
            counts = np.arange(first, min(first + _BLOCK, total), dtype=np.float64)
            offsets = np.rint(self.instants(counts)).astype(np.int64)
            if offsets[-1] >= self.duration:
                yield from offsets[offsets < self.duration].tolist()
                return
            yield from offsets.tolist()


class ScriptedPattern(OpenPattern):
    """An open pattern that also says what each arrival sends."""

    def script(self) -> Iterator[tuple[int, int | None]]:
        """(offset, position among the stream's requests) of each arrival; None: drawn by weight, as in other phases."""
        raise NotImplementedError

    def shares(self) -> dict[int | None, float]:
        """The share of the arrivals that sends each of the stream's requests, by its position; None: drawn."""
        raise NotImplementedError


class ClosedPattern(Pattern):
    """Users who wait for their response, then think."""

    think_time: Duration = 0
    iterations: int | None = Field(default=None, ge=1)

    def users_at(self, offset_ns: int) -> int:
        """How many users are active at this offset. Pure."""
        raise NotImplementedError

    def peak_users(self) -> int:
        """The highest number of users in the phase."""
        raise NotImplementedError
