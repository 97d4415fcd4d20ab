"""What added delay looks like to a probe."""

from battle.core.ports.fault import Probe, ProbeOutcome
from battle.core.units import NS_PER_S

_MOST = 0.8
"""The part of the delay that an answer must be late by. Less than 1, since the usual time varies too."""


def seen_as_slow(probe: Probe, delay_ns: int) -> bool | None:
    """True when the answer came, or stayed away, for most of the delay beyond the usual time; None when refused."""
    if probe.outcome not in {ProbeOutcome.ANSWERED, ProbeOutcome.SILENT}:
        return None
    return probe.elapsed_ns >= probe.healthy_ns + _MOST * max(delay_ns, 0)


def wait_for_slow(healthy_ns: int, delay_ns: int) -> int:
    """How long to wait for an answer that is delayed by so much."""
    return 5 * healthy_ns + delay_ns + NS_PER_S // 10
