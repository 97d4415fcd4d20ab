"""What becomes of an arrival: latency, the provider's own errors, and the effects that are in force. Pure."""

import math
import random
from dataclasses import dataclass, field
from typing import Any

from battle.core.effects import Effect

_OWN_ERROR_STATUS = 500


@dataclass(slots=True)
class Planned:
    """How one arrival is to be answered. `faults` has the bits of the faults that met it."""

    delay_ns: int = 0
    hang: bool = False
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    rpc_error: dict[str, Any] | None = None
    faults: int = 0

    @property
    def executes(self) -> bool:
        """Whether the call is carried out, and not refused."""
        return not self.hang and self.status < 400 and self.rpc_error is None  # noqa: PLR2004  (HTTP)


_PLAIN = Planned()


class AnswerPlanner:
    """Draws what becomes of each arrival, from the provider's own random numbers."""

    def __init__(self, rng: random.Random, *, latency_ns: int, jitter_ns: int, error_rate: float) -> None:
        self._rng = rng
        self._latency_ns = latency_ns
        self._jitter_ns = jitter_ns
        self._error_rate = error_rate
        self._effects: list[tuple[int, Effect]] = []
        self._counts: dict[int, int] = {}
        self._plain = not (latency_ns or jitter_ns or error_rate)

    def put(self, effects: dict[int, list[Effect]]) -> None:
        """The effects that are in force from now on, by fault number, in the order they were applied."""
        self._effects = [(number, effect) for number, each in effects.items() for effect in each]
        self._counts = dict.fromkeys(range(len(self._effects)), 0)

    def plan(self, methods: list[str], extra_ns: int = 0, *, probe: bool = False) -> Planned:
        """What becomes of an arrival with these methods. A probe meets every effect, and no error of the provider."""
        if self._plain and not self._effects and not extra_ns:
            return _PLAIN
        planned = Planned(delay_ns=self._spread(self._latency_ns, self._jitter_ns) + extra_ns)
        for index, (number, effect) in enumerate(self._effects):
            if probe or self._meets(index, effect, methods):
                self._add(planned, number, effect)
        if planned.status == 200 and not probe and self._error_rate and self._rng.random() < self._error_rate:  # noqa: PLR2004
            planned.status = _OWN_ERROR_STATUS
        return planned

    def _meets(self, index: int, effect: Effect, methods: list[str]) -> bool:
        if effect.methods and not any(method in effect.methods for method in methods):
            return False
        self._counts[index] += 1
        if self._counts[index] % effect.every_nth:
            return False
        return effect.share >= 1 or self._rng.random() < effect.share

    def _add(self, planned: Planned, number: int, effect: Effect) -> None:
        planned.faults |= 1 << number
        planned.delay_ns += self._spread(effect.delay_ns, effect.jitter_ns)
        planned.hang = planned.hang or effect.hang
        planned.headers |= {name: value for name, value in effect.headers.items() if name not in planned.headers}
        if effect.status is not None and planned.status == 200:  # noqa: PLR2004  (the first one applied wins)
            planned.status = effect.status
        planned.rpc_error = planned.rpc_error or effect.rpc_error

    def _spread(self, median_ns: int, jitter_ns: int) -> int:
        """A log-normal time: its median is the latency, and one sigma above it is latency + jitter.

        Without latency the jitter alone is a half-normal time with that sigma.
        """
        if not jitter_ns:
            return median_ns
        if not median_ns:
            return round(abs(self._rng.gauss(0, jitter_ns)))
        sigma = math.log((median_ns + jitter_ns) / median_ns)
        return round(median_ns * math.exp(self._rng.gauss(0, sigma)))
