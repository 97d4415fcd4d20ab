"""Windows: the spans of a run that figures are about. A request belongs to the one that holds its scheduled instant.

    run       t0 … the end of the load; the warm-up before t0 is outside of every number
    baseline  t0 … the first injection of any fault (the whole run when there is none)
    before    t0 … the fault's onset
    during    [effective, cleared) of the fault; its repeats are united, so that there can be several spans
    after     the fault's last clear … the next onset of any fault, else the end of the load
    in        a load phase, of the streams that have it

The onset is the instant at which a fault was seen to take effect, so that before, during and after leave no gap. The
baseline ends earlier, where the first fault was begun: nothing that was disturbed is in it.
"""

from dataclasses import dataclass

from battle.analysis.fault_times import FaultTimes, united
from battle.core.scenario import Scenario, phase_names

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Window:
    """A named set of spans [from, to) in ns, in order and apart; `phases` narrows it to (stream, phase) numbers.

    `void` says why nothing may be concluded from it, None when all is well.
    """

    name: str
    spans: tuple[Span, ...]
    phases: frozenset[tuple[int, int]] | None = None
    void: str | None = None

    @property
    def seconds(self) -> float:
        """How long it is, all spans together."""
        return sum(stop - start for start, stop in self.spans) / 1e9

    @property
    def from_ns(self) -> int | None:
        """Where the first span begins."""
        return self.spans[0][0] if self.spans else None

    @property
    def to_ns(self) -> int | None:
        """Where the last span ends."""
        return self.spans[-1][1] if self.spans else None


class Windows:
    """All windows of one run, from t0 to its end, both in ns."""

    def __init__(self, scenario: Scenario, faults: dict[str, FaultTimes], t0_ns: int, end_ns: int) -> None:
        self._scenario = scenario
        self._faults = faults
        self._t0 = t0_ns
        self._end = max(t0_ns, end_ns)

    def run(self) -> Window:
        """The whole run after the warm-up."""
        return self._window("run", [(self._t0, self._end)])

    def baseline(self) -> Window:
        """Before anything was disturbed."""
        begun = (times.injecting_ns for times in self._faults.values())
        first = min((at for at in begun if at is not None), default=self._end)
        return self._window("baseline", [(self._t0, first)])

    def before(self, fault: str) -> Window:
        """From t0 to the fault's onset."""
        onset = self._onset(fault)
        return self._window(f"before {fault}", [(self._t0, self._end if onset is None else onset)], fault)

    def during(self, fault: str) -> Window:
        """While the fault was in effect."""
        return self._window(f"during {fault}", self._faults[fault].spans(self._end), fault)

    def after(self, fault: str) -> Window:
        """From the fault's last clear to the next onset of any fault."""
        cleared = self._faults[fault].cleared_ns
        spans = [] if cleared is None else [(cleared, self._next_onset(cleared))]
        return self._window(f"after {fault}", spans, fault)

    def phase(self, name: str) -> Window:
        """A load phase; streams that have no phase of this name are outside of it."""
        spans, phases = [], set()
        for number, stream in enumerate(self._scenario.workload.values()):
            start = self._t0 - self._scenario.warmup_ns
            for index, (label, pattern) in enumerate(zip(phase_names(stream), stream.load, strict=True)):
                if label == name:
                    spans.append((start, start + pattern.duration))
                    phases.add((number, index))
                start += pattern.duration
        window = self._window(f"in {name}", spans)
        return Window(window.name, window.spans, frozenset(phases), window.void)

    def phases(self) -> list[Window]:
        """Every phase that is not warm-up, each name once."""
        names = [name for stream in self._scenario.workload.values() for name in phase_names(stream)]
        found = [self.phase(name) for name in dict.fromkeys(names)]
        return [window for window in found if window.spans]

    def named(self, relation: str | None, subject: str | None) -> Window:
        """The window that an objective names. `of` is about a fault and not about a window: the whole run."""
        if relation is None or relation == "of" or subject is None:
            return self.run()
        if relation == "in":
            return self.phase(subject)
        if subject not in self._faults:
            return Window(f"{relation} {subject}", (), void=f"there is no fault {subject!r} in this run")
        return {"before": self.before, "during": self.during, "after": self.after}[relation](subject)

    def recovery_end_ns(self, fault: str) -> int | None:
        """Where the fault's after-window ends, None when the end of the load ends it."""
        times = self._faults[fault]
        start = times.cleared_ns if times.cleared_ns is not None else self._end
        until = self._next_onset(start)
        return None if until >= self._end else until

    def _window(self, name: str, spans: list[Span], fault: str | None = None) -> Window:
        clipped = united([(max(start, self._t0), min(stop, self._end)) for start, stop in spans])
        return Window(name, tuple(clipped), void=void_reason(self._faults[fault]) if fault else None)

    def _onset(self, fault: str) -> int | None:
        times = self._faults[fault]
        return times.effective_ns if times.effective_ns is not None else times.injected_ns

    def _next_onset(self, after_ns: int) -> int:
        onsets = (start for times in self._faults.values() for start, _ in times.spans(self._end))
        return min((start for start in onsets if start > after_ns), default=self._end)


def void_reason(times: FaultTimes) -> str | None:
    """Why the windows of a fault prove nothing, None when they can be used."""
    if times.failed:
        return f"{times.name} could not be injected: {times.failed}"
    if not times.entered:
        return f"{times.name} was not injected: {times.skipped or 'the journal does not know it'}"
    if times.verified is False:
        return f"{times.name} was not seen to take effect" + (f": {times.why}" if times.why else "")
    return None
