"""No arrivals."""

from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np

from battle.core.ports.load import OpenPattern


class LoadPause(OpenPattern):
    """Nothing is sent; stands among open and closed phases."""

    example: ClassVar[str] = "{kind: pause, duration: 5s}"

    kind: Literal["pause"] = "pause"

    def arrivals(self, rng: np.random.Generator) -> Iterator[int]:
        """None."""
        del rng
        return iter(())

    def rate_at(self, offset_ns: int) -> float:
        """Always 0."""
        del offset_ns
        return 0.0

    def planned_until(self, offset_ns: int) -> float:
        """Always 0."""
        del offset_ns
        return 0.0

    def peak_per_s(self) -> float:
        """Always 0."""
        return 0.0
