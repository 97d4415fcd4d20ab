"""Load patterns: pure sequences of start times, and pure numbers of users."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from pydantic import Field

from battle.core.component import Component
from battle.core.names import Name
from battle.core.units import Duration


class Pattern(Component):
    """One phase of load."""

    room: ClassVar[str] = "load"

    duration: Duration
    name: Name | None = None
    warmup: bool = False


class OpenPattern(Pattern):
    """Arrivals that do not wait for responses."""

    def arrivals(self, rng: np.random.Generator) -> Iterator[int]:
        """Start offsets in ns from the phase's start: monotonic, in [0, duration). Pure."""
        raise NotImplementedError

    def rate_at(self, offset_ns: int) -> float:
        """The planned arrival rate, per second, at this offset."""
        raise NotImplementedError

    def planned(self) -> float:
        """The expected number of arrivals: the integral of the rate."""
        raise NotImplementedError

    def peak_per_s(self) -> float:
        """The highest planned rate, per second."""
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
