"""Slow and failing at once."""

from typing import ClassVar, Literal

from pydantic import model_validator

from battle.chaos.on_answers import AnswerFault
from battle.chaos.slowness import seen_as_slow, wait_for_slow
from battle.core.effects import Effect
from battle.core.ports.fault import Probe, ProbeOutcome
from battle.core.units import Duration, Share

_STATUS = 500


class Degrade(AnswerFault):
    """A provider that is going bad: slower answers, and a share of HTTP 500."""

    example: ClassVar[str] = "{kind: degrade, target: alpha, latency: 200ms, error_rate: 30%, at: 6s, for: 5s}"

    kind: Literal["degrade"] = "degrade"
    latency: Duration = 0
    jitter: Duration = 0
    error_rate: Share = 0.0

    @model_validator(mode="after")
    def _check_effect(self) -> "Degrade":
        if not self.latency and not self.error_rate:
            raise ValueError("nothing would be degraded: give `latency`, `error_rate`, or both")
        return self

    def effects(self) -> list[Effect]:
        """The delay on every answer that is met, the status on a share of them."""
        found = []
        if self.latency:
            found.append(Effect(delay_ns=self.latency, jitter_ns=self.jitter, **self.part()))
        if self.error_rate:
            found.append(Effect(status=_STATUS, **{**self.part(), "share": self.share * self.error_rate}))
        return found

    def verify(self, probe: Probe) -> bool | None:
        """All that was asked for must show: the delay, and the status."""
        if probe.outcome is ProbeOutcome.SILENT and self.latency:
            return None
        seen = []
        if self.latency:
            seen.append(seen_as_slow(probe, self.latency - self.jitter))
        if self.error_rate:
            seen.append(probe.status == _STATUS if probe.outcome is ProbeOutcome.ANSWERED else None)
        if None in seen:
            return None
        if all(seen):
            return True
        return None if any(seen) else False

    def silence_ns(self, healthy_ns: int) -> int:
        """Long enough for the delayed answer."""
        return wait_for_slow(healthy_ns, self.latency + self.jitter)
