"""When a provider's records can be trusted: its processes' ends, and the spans in which it could write nothing.

A process that died ended all it had in flight; a stopped one sees what happened meanwhile only when it goes on, and
dates it then.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from battle.analysis.evidence import Evidence
from battle.analysis.fault_times import FaultTimes
from battle.core.journal import EventKind

Spans = tuple[tuple[int, int, int], ...]
_CODES = 256


@dataclass(frozen=True, slots=True)
class Blindness:
    """`incarnation_end_ns` has shape (256, 256): provider × incarnation, 0 while it lives.

    `spans` are (provider, from, to): no arrival could be recorded there.
    """

    incarnation_end_ns: NDArray[np.int64]
    spans: Spans

    def at(self, providers: NDArray[np.uint8], instants: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each provider could write nothing at each instant; both of shape (m,)."""
        blind = np.zeros(len(instants), dtype=np.bool_)
        for provider, start, stop in self.spans:
            blind |= (providers == provider) & (instants >= start) & (instants < stop)
        return blind

    def just_after(
        self, providers: NDArray[np.uint8], instants: NDArray[np.int64], within_ns: int
    ) -> NDArray[np.bool_]:
        """Whether each instant lies in, or at most `within_ns` behind, such a span of its provider; shape (m,)."""
        found = np.zeros(len(instants), dtype=np.bool_)
        for provider, start, stop in self.spans:
            found |= (providers == provider) & (instants >= start) & (instants < stop + within_ns)
        return found


def blindness(evidence: Evidence, faults: dict[str, FaultTimes], end_ns: int) -> Blindness:
    """What the journal tells of ended and stopped processes."""
    number = {name: index for index, name in enumerate(evidence.scenario.provider_names)}
    ends = np.zeros((_CODES, _CODES), dtype=np.int64)
    for event in evidence.of_kind(EventKind.PROVIDER_ENDED):
        provider = number.get(str(event.fields.get("provider")))
        if provider is not None:
            ends[provider, int(event.fields.get("incarnation", 0)) % _CODES] = event.at_ns
    spans = [
        (number[one.target], one.injecting_ns, one.rolled_back_ns or one.gone_ns or end_ns)
        for times in faults.values()
        if not times.fault.leaves_records
        for one in times.entered
        if one.target in number
    ]
    return Blindness(ends, tuple(spans))
