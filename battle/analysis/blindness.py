"""When a provider's records can be trusted: its processes' ends, and the spans in which it could write nothing.

A process that died ended all it had in flight; a stopped one sees what happened meanwhile only when it goes on, and
dates it then. The journal notes an end some time after it happened, and on a busy machine the proxy has long tried
elsewhere by then. So an end is dated to the beginning of the fault that brought it (an unplanned one to a second before
it was noted), or to the last thing that the process wrote, if that is later.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from battle.analysis.evidence import Evidence
from battle.analysis.fault_times import FaultTimes
from battle.core.journal import EventKind
from battle.core.record_source import pieces_of

Spans = tuple[tuple[int, int, int], ...]
ABANDONED_WITHIN_NS = 50_000_000
"""An attempt that ends this soon after the next one came counts as abandoned when it came."""
WAKING_NS = 1_000_000_000
"""A process that went on reads what had come meanwhile within this time."""
_CODES = 256
_NOTED_WITHIN_NS = 1_000_000_000


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
    spans = [
        (number[one.target], one.injecting_ns, one.rolled_back_ns or one.gone_ns or end_ns)
        for times in faults.values()
        if not times.fault.leaves_records
        for one in times.entered
        if one.target in number
    ]
    ended = {
        (number[str(event.fields["provider"])], int(event.fields.get("incarnation", 0)) % _CODES): event.at_ns
        for event in evidence.of_kind(EventKind.PROVIDER_ENDED)
        if event.fields.get("provider") in number
    }
    ends = np.zeros((_CODES, _CODES), dtype=np.int64)
    signs = _signs_of_life(evidence, list(ended))
    for (provider, incarnation), noted_ns in ended.items():
        begun = [start for index, start, stop in spans if index == provider and start <= noted_ns <= stop]
        earliest = max(begun, default=noted_ns - _NOTED_WITHIN_NS)
        ends[provider, incarnation] = min(noted_ns, max(earliest, signs[provider, incarnation]))
    return Blindness(ends, tuple(spans))


def _signs_of_life(evidence: Evidence, processes: list[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """The last instant that each of these processes (provider, incarnation) wrote down, 0 when it wrote nothing."""
    last = dict.fromkeys(processes, 0)
    for records in pieces_of(evidence.attempts, evidence.piece) if processes else ():
        provider, incarnation = records["provider"].copy(), records["incarnation"].copy()
        for process in processes:
            own = records[(provider == process[0]) & (incarnation == process[1])]
            for instant in ("arrived_ns", "answered_ns", "closed_ns"):
                last[process] = max(last[process], int(own[instant].max(initial=0)))
    return last
