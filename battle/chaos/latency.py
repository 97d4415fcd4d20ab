"""Slower answers."""

from typing import ClassVar, Literal

from pydantic import Field

from battle.chaos.on_answers import AnswerFault
from battle.chaos.slowness import seen_as_slow, wait_for_slow
from battle.core.effects import Effect
from battle.core.ports.fault import Probe
from battle.core.units import Duration


class Latency(AnswerFault):
    """Adds a delay to answers, with jitter."""

    example: ClassVar[str] = "{kind: latency, target: alpha, latency: 300ms, jitter: 50ms, at: 6s, for: 5s}"

    kind: Literal["latency"] = "latency"
    latency: Duration = Field(gt=0)
    jitter: Duration = 0

    def effects(self) -> list[Effect]:
        """The delay."""
        return [Effect(delay_ns=self.latency, jitter_ns=self.jitter, **self.part())]

    def verify(self, probe: Probe) -> bool | None:
        """An answer later than usual by most of the delay: in force."""
        return seen_as_slow(probe, self.latency - self.jitter)

    def silence_ns(self, healthy_ns: int) -> int:
        """Long enough for the delayed answer."""
        return wait_for_slow(healthy_ns, self.latency + self.jitter)
