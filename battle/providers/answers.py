"""What becomes of an arrival: latency, the provider's own errors, and the effects that are in force. Pure."""

import math
import random
from dataclasses import dataclass, field
from typing import Any

from battle.core.effects import Effect

_OWN_ERROR_STATUS = 500


@dataclass(slots=True)
class Planned:
    """How one arrival is to be answered. `faults` has the bits of the faults that met it.

    `rpc_errors` stand in the place of results: each with the methods that it is about, all when there are none.
    """

    delay_ns: int = 0
    hang: bool = False
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    rpc_errors: list[tuple[tuple[str, ...], dict[str, Any]]] = field(default_factory=list)
    faults: int = 0

    def error_of(self, method: str) -> dict[str, Any] | None:
        """The error that a call gets in place of its result: the first one applied that is about its method."""
        if not self.rpc_errors:
            return None
        return next((error for methods, error in self.rpc_errors if not methods or method in methods), None)


class AnswerPlanner:
    """Draws what becomes of each arrival, from the provider's own random numbers."""

    def __init__(self, rng: random.Random, *, latency_ns: int, jitter_ns: int, error_rate: float) -> None:
        self._rng = rng
        self._latency_ns = latency_ns
        self._jitter_ns = jitter_ns
        self._error_rate = error_rate
        self._effects: list[tuple[int, int, Effect]] = []
        self._counts: dict[tuple[int, int], int] = {}
        self._is_bare = not (latency_ns or jitter_ns or error_rate)
        self.plain = Planned()
        self.is_plain = self._is_bare
        """Whether every arrival is answered as `plain` says: nothing is drawn and nothing is in force."""

    def put(self, effects: dict[int, list[Effect]]) -> None:
        """The effects that are in force from now on, by fault number, in the order they were applied."""
        self._effects = [(number, place, one) for number, each in effects.items() for place, one in enumerate(each)]
        counts = self._counts  # those that stay in force go on counting
        self._counts = {(number, place): counts.get((number, place), 0) for number, place, _ in self._effects}
        self.is_plain = self._is_bare and not self._effects

    def plan(self, methods: list[str], extra_ns: int = 0, *, probe: bool = False) -> Planned:
        """What becomes of an arrival with these methods. A probe meets every effect, and no error of the provider."""
        if self.is_plain and not extra_ns:
            return self.plain
        planned = Planned(delay_ns=self._spread(self._latency_ns, self._jitter_ns) + extra_ns)
        for number, place, effect in self._effects:
            if probe or self._meets((number, place), effect, methods):
                self._add(planned, number, effect, () if probe else effect.methods)
        if planned.status == 200 and not probe and self._error_rate and self._rng.random() < self._error_rate:  # noqa: PLR2004
            planned.status = _OWN_ERROR_STATUS
        return planned

    def _meets(self, counted: tuple[int, int], effect: Effect, methods: list[str]) -> bool:
        if effect.methods and not any(method in effect.methods for method in methods):
            return False
        self._counts[counted] += 1
        if self._counts[counted] % effect.every_nth:
            return False
        return effect.share >= 1 or self._rng.random() < effect.share

    def _add(self, planned: Planned, number: int, effect: Effect, methods: tuple[str, ...]) -> None:
        planned.faults |= 1 << number
        planned.delay_ns += self._spread(effect.delay_ns, effect.jitter_ns)
        planned.hang = planned.hang or effect.hang
        planned.headers |= {name: value for name, value in effect.headers.items() if name not in planned.headers}
        if effect.status is not None and planned.status == 200:  # noqa: PLR2004  (the first one applied wins)
            planned.status = effect.status
        if effect.rpc_error:
            planned.rpc_errors.append((methods, effect.rpc_error))

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
