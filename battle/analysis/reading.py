"""What the indicators measure on: the evidence with everything that was joined and found in it, and a choice of it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, TypeVar, TypeVarTuple

import numpy as np
from numpy.typing import NDArray

from battle.analysis.arrivals import Records
from battle.analysis.attribution import Attribution, attribute
from battle.analysis.blindness import Blindness, blindness
from battle.analysis.breakers import FROM_TRAFFIC, Breakers, find_breakers
from battle.analysis.columns import Columns
from battle.analysis.evidence import Evidence
from battle.analysis.failovers import Failovers, find_failovers
from battle.analysis.fault_times import FaultTimes, fault_times
from battle.analysis.received import Received, count_received
from battle.analysis.statistics import Mask, percentile
from battle.analysis.traffic import Traffic, Unrecorded, find_traffic, find_unrecorded
from battle.analysis.windows import Window, Windows
from battle.core.objective import Objective
from battle.core.records import NO_PROVIDER

_MASKS_KEPT = 3


@dataclass(frozen=True, slots=True)
class Selection:
    """What one measurement is about: a window, the `where` pairs that narrow it, and a fault for what is per fault."""

    window: Window
    where: tuple[tuple[str, str], ...] = ()
    fault: str | None = None

    def without(self, key: str) -> "Selection":
        """The same without one of the `where` keys."""
        return Selection(self.window, tuple(pair for pair in self.where if pair[0] != key), self.fault)


class Reading:
    """The evidence of one run, read once: each finding is computed when it is first asked for.

    `objectives` are those in force; recovery is measured against them. Raises EvidenceError when the load never
    started.
    """

    def __init__(self, evidence: Evidence, objectives: list[Objective] | None = None) -> None:
        self.evidence = evidence
        self.scenario = evidence.scenario
        self.objectives = evidence.scenario.slo if objectives is None else objectives
        self.t0_ns = evidence.t0_ns
        self.found: dict[Any, Any] = {}
        self._masks: dict[Selection, Mask] = {}
        self.provider_numbers = {name: number for number, name in enumerate(self.scenario.provider_names)}

    @property
    def columns(self) -> Columns:
        """The requests as columns."""
        return self.evidence.columns

    @cached_property
    def end_ns(self) -> int:
        """The end of the load, and in any case after the last scheduled request."""
        last = int(self.columns.scheduled_ns.max()) + 1 if len(self.columns) else 0
        return max(self.evidence.end_ns, last, self.t0_ns)

    @cached_property
    def faults(self) -> dict[str, FaultTimes]:
        """When each fault of the scenario was in force."""
        return fault_times(self.evidence)

    @cached_property
    def windows(self) -> Windows:
        """The windows of the run."""
        return Windows(self.scenario, self.faults, self.t0_ns, self.end_ns)

    @property
    def in_run(self) -> Mask:
        """Requests after the warm-up."""
        return self.columns.scheduled_ns >= self.t0_ns

    @cached_property
    def keeps_records(self) -> NDArray[np.bool_]:
        """Which providers keep records."""
        return np.array([one.keeps_records for one in self.scenario.setup.providers.values()], dtype=np.bool_)

    @cached_property
    def blind(self) -> Blindness:
        """Where a provider's silence says nothing."""
        return blindness(self.evidence, self.faults, self.end_ns)

    @cached_property
    def records(self) -> Records:
        """The providers' records, to go through."""
        return Records(self.columns, self.evidence.attempts, self.blind)

    @cached_property
    def received(self) -> Received:
        """What reached the providers, in numbers."""
        writes = [template.request.write for template in self.scenario.templates]
        return count_received(self.records, self.windows.run().spans, writes, len(self.scenario.chaos))

    @cached_property
    def _joined(self) -> tuple[Attribution, Failovers]:
        """Both at once: the arrivals of requests that have several are not kept for longer than that."""
        joined, contested = attribute(self.scenario, self.records, self.received)
        timeout_ns = self.scenario.setup.proxy.attempt_timeout
        return joined, find_failovers(self.columns, joined, contested, self.blind, timeout_ns)

    @property
    def joined(self) -> Attribution:
        """Who served what."""
        return self._joined[0]

    @property
    def failovers(self) -> Failovers:
        """Which requests were failed over."""
        return self._joined[1]

    @cached_property
    def tells_attempts(self) -> bool:
        """Whether the proxy says how many attempts it made."""
        return bool(np.any(self.columns.witness_attempts > 0))

    @cached_property
    def names_first(self) -> bool:
        """Whether the proxy says which provider it tried first."""
        return bool(np.any(self.columns.witness_first != NO_PROVIDER))

    @cached_property
    def unrecorded(self) -> Unrecorded:
        """Attempts that only the proxy knows of."""
        return find_unrecorded(self.columns, self.received, self.blind, self.keeps_records)

    @cached_property
    def traffic(self) -> Traffic:
        """All attempts that are known, in the order of time."""
        return find_traffic(self.records, self.joined, self.unrecorded, self.keeps_records)

    @cached_property
    def breakers(self) -> Breakers:
        """Which providers were out of rotation when."""
        return find_breakers(self.evidence, self.traffic, self.windows.baseline(), self.end_ns)

    @property
    def breakers_inferred(self) -> bool:
        """Whether the breakers' changes are no word of the proxy."""
        return self.breakers.source == FROM_TRAFFIC

    @cached_property
    def baseline_median_ns(self) -> int | None:
        """The median response time before anything was disturbed."""
        times = self.columns.response_ns(self.requests(Selection(self.windows.baseline())))
        return percentile(times, 50, in_place=True)

    def mask(self, selection: Selection) -> Mask:
        """The requests of a selection, shape (n,), read-only. The last ones are kept: several figures ask for them."""
        mask = self._masks.pop(selection, None)
        if mask is None:
            mask = self._mask(selection)
            mask.flags.writeable = False
        self._masks[selection] = mask
        if len(self._masks) > _MASKS_KEPT:
            self._masks.pop(next(iter(self._masks)))
        return mask

    def requests(self, selection: Selection, *, of_each_method: bool = False) -> Mask:
        """The HTTP requests of a selection, shape (n,): a batch is one, at its first call.

        With `where method=`, or `of_each_method`, it is one for each method in it, at the first call of that.
        """
        mask = self.mask(selection)
        if not self.scenario.has_batches:
            return mask
        if of_each_method or any(key == "method" for key, _ in selection.where):
            return mask & ~_one_of(self.columns.template, self._repeated)
        return mask & self.columns.leads

    @cached_property
    def _repeated(self) -> list[int]:
        """Templates of calls that have one of the same method before them in their batch."""
        streams = self.scenario.workload.values()
        labels = [[call.label for call in request.calls] for one in streams for request in one.requests]
        again = [label in own[:place] for own in labels for place, label in enumerate(own)]
        return np.flatnonzero(again).tolist()

    def _mask(self, selection: Selection) -> Mask:
        scheduled = self.columns.scheduled_ns
        chosen = np.zeros(len(scheduled), dtype=np.bool_)
        for start, stop in selection.window.spans:
            chosen |= (scheduled >= start) & (scheduled < stop)
        if selection.window.phases is not None:
            within = np.zeros(len(scheduled), dtype=np.bool_)
            for stream, phase in selection.window.phases:
                within |= (self.columns.stream == stream) & (self.columns.phase == phase)
            chosen &= within
        for key, value in selection.where:
            chosen &= self._where(key, value)
        return chosen

    def _where(self, key: str, value: str) -> Mask:
        if key == "stream":
            numbers = [index for index, name in enumerate(self.scenario.workload) if name == value]
            return _one_of(self.columns.stream, numbers)
        if key == "method":
            numbers = [index for index, one in enumerate(self.scenario.templates) if one.label == value]
            return _one_of(self.columns.template, numbers)
        return np.equal(self.joined.serving, self.provider_numbers.get(value, len(self.provider_numbers)))


def _one_of(values: NDArray[np.unsignedinteger[Any]], numbers: list[int]) -> Mask:
    found = np.zeros(len(values), dtype=np.bool_)
    for number in numbers:
        found |= values == number
    return found


Args = TypeVarTuple("Args")
Finding = TypeVar("Finding")


def found_once(find: Callable[[Reading, *Args], Finding]) -> Callable[[Reading, *Args], Finding]:
    """For a function of a reading: its findings are kept in the reading, since several sections ask for them."""

    @wraps(find)
    def look(reading: Reading, *args: *Args) -> Finding:
        key = (find, args)
        if key not in reading.found:
            reading.found[key] = find(reading, *args)
        finding: Finding = reading.found[key]
        return finding

    return look
