"""When each fault was put in, took effect, was taken out and was gone, by the journal."""

from collections import defaultdict
from dataclasses import dataclass, field

from battle.analysis.evidence import Evidence
from battle.core.journal import Event, EventKind
from battle.core.ports.fault import Fault
from battle.core.scenario import Scenario


@dataclass(slots=True)
class Injected:
    """One injection of a fault on one target: its instants in ns, None for what did not happen."""

    occurrence: int
    target: str
    injecting_ns: int
    injected_ns: int | None = None
    effective_ns: int | None = None
    rolled_back_ns: int | None = None
    cleared_ns: int | None = None
    verified: bool = False
    not_cleared: bool = False
    seen: str | None = None
    why: str | None = None

    @property
    def gone_ns(self) -> int | None:
        """When it was over: seen to have cleared, else undone (when nobody looked), else None."""
        if self.not_cleared:
            return None
        return self.cleared_ns if self.cleared_ns is not None else self.rolled_back_ns


@dataclass(slots=True)
class FaultTimes:
    """One fault of the scenario, over all its injections. `looked` is False when it was declared `verify: none`."""

    name: str
    number: int
    fault: Fault
    looked: bool
    targets: list[str]
    injections: list[Injected] = field(default_factory=list)
    skipped: str | None = None
    failed: str | None = None

    @property
    def entered(self) -> list[Injected]:
        """The injections whose entry was completed."""
        return [one for one in self.injections if one.injected_ns is not None]

    @property
    def injecting_ns(self) -> int | None:
        """When it was first begun."""
        return min((one.injecting_ns for one in self.entered), default=None)

    @property
    def injected_ns(self) -> int | None:
        """When it was first in."""
        return min((one.injected_ns for one in self.entered if one.injected_ns is not None), default=None)

    @property
    def effective_ns(self) -> int | None:
        """t₀, the onset: when it was first seen to have taken effect; when it went in, if nobody was to look."""
        if not self.looked:
            return self.injected_ns
        return min((one.effective_ns for one in self.entered if one.effective_ns is not None), default=None)

    @property
    def rolled_back_ns(self) -> int | None:
        """When the last undo was done; None while one is missing."""
        undone = [one.rolled_back_ns for one in self.entered]
        return None if None in undone else max((at for at in undone if at is not None), default=None)

    @property
    def cleared_ns(self) -> int | None:
        """t₁: when the last of it was gone; None while it is not."""
        gone = [one.gone_ns for one in self.entered]
        return None if None in gone else max((at for at in gone if at is not None), default=None)

    @property
    def verified(self) -> bool | None:
        """Whether every injection was seen to take effect; None when nobody was to look."""
        if not self.looked:
            return None
        return bool(self.entered) and self.failed is None and all(one.verified for one in self.injections)

    @property
    def cleared(self) -> bool | None:
        """Whether every injection was seen to be gone; None when nothing was injected or nobody was to look."""
        if any(one.not_cleared or one.gone_ns is None for one in self.entered):
            return False
        if not self.entered or not self.looked:
            return None
        return all(one.cleared_ns is not None for one in self.entered)

    @property
    def why(self) -> str | None:
        """What went wrong with it, None when nothing did."""
        if self.failed or self.skipped:
            return self.failed or self.skipped
        return next((one.why for one in self.injections if one.why), None)

    def spans(self, end_ns: int) -> list[tuple[int, int]]:
        """The spans [effective, cleared) of all injections, united, in order; an open one lasts until `end_ns`."""
        pairs = []
        for one in self.entered:
            start = one.effective_ns if one.effective_ns is not None else one.injected_ns
            if start is not None:
                pairs.append((start, one.gone_ns if one.gone_ns is not None else end_ns))
        return united(pairs)

    def in_force(self, end_ns: int) -> list[tuple[int, int]]:
        """The spans from the beginning of each entry until it was over, united."""
        return united([(one.injecting_ns, one.gone_ns or end_ns) for one in self.entered])


def united(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans [from, to) in order, those that touch or overlap made one; empty ones are left out."""
    result: list[tuple[int, int]] = []
    for start, stop in sorted(span for span in spans if span[1] > span[0]):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(stop, result[-1][1]))
        else:
            result.append((start, stop))
    return result


def fault_times(evidence: Evidence) -> dict[str, FaultTimes]:
    """Every fault of the scenario by name, also those that the journal does not know."""
    scenario = evidence.scenario
    by_fault: dict[str, list[Event]] = defaultdict(list)
    for event in evidence.events:
        if "fault" in event.fields:
            by_fault[str(event.fields["fault"])].append(event)
    return {name: _told(scenario, name, by_fault[name]) for name in scenario.chaos}


def _told(scenario: Scenario, name: str, events: list[Event]) -> FaultTimes:
    fault = scenario.chaos[name]
    number = scenario.fault_numbers[name]
    times = FaultTimes(name, number, fault, fault.verify_by != "none", scenario.targets_of(name))
    open_ones: dict[tuple[int, str], Injected] = {}
    for event in events:
        if event.kind is EventKind.FAULT_SKIPPED:
            times.skipped = str(event.fields.get("why") or "its time never came")
            continue
        key = (int(event.fields.get("occurrence", 0)), str(event.fields.get("target", "")))
        if key not in open_ones:
            open_ones[key] = Injected(*key, injecting_ns=event.at_ns)
        _note(times, open_ones[key], event)
    times.injections = sorted(open_ones.values(), key=lambda one: (one.occurrence, one.injecting_ns))
    return times


def _note(times: FaultTimes, one: Injected, event: Event) -> None:
    why = event.fields.get("why")
    match event.kind:
        case EventKind.FAULT_INJECTED:
            one.injected_ns = event.at_ns
        case EventKind.FAULT_EFFECTIVE:
            one.effective_ns, one.verified = event.at_ns, True
            one.seen = _text(event.fields.get("detail"))
        case EventKind.FAULT_UNVERIFIED:
            one.why = _text(why) or "it was not seen to take effect"
        case EventKind.FAULT_FAILED:
            one.why = _text(why) or "it could not be injected"
            times.failed = one.why
        case EventKind.FAULT_ROLLED_BACK:
            one.rolled_back_ns = event.at_ns
        case EventKind.FAULT_CLEARED:
            one.cleared_ns, one.not_cleared = event.at_ns, False
        case EventKind.FAULT_NOT_CLEARED:
            one.not_cleared = True
            one.why = _text(why) or "it was not seen to be gone"
        case _:
            pass


def _text(value: object) -> str | None:
    return str(value) if value else None
