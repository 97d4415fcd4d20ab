"""What faults look like that leave a provider silent."""

from battle.core.ports.fault import Probe, ProbeOutcome


def seen_as_silence(probe: Probe) -> bool | None:
    """True for silence, False for an answer, None for a connection that was refused or broke."""
    match probe.outcome:
        case ProbeOutcome.SILENT:
            return True
        case ProbeOutcome.ANSWERED:
            return False
        case _:
            return None
