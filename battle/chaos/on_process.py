"""Faults that take a provider's process away: what they have in common."""

from typing import ClassVar

from battle.core.ports.fault import Fault, Probe, ProbeOutcome


class ProcessFault(Fault):
    """A fault after which nothing listens: connections are refused or break; an answer shows that it is over."""

    leaves_records: ClassVar[bool] = False

    def verify(self, probe: Probe) -> bool | None:
        """Refused or broken: in force. Answered: not. Silence says nothing."""
        if probe.outcome is ProbeOutcome.SILENT:
            return None
        return probe.outcome is not ProbeOutcome.ANSWERED
