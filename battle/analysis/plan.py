"""What a scenario plans: its time line, its windows, and how many requests each objective can count on.

Pure, and before the run: faults are taken to act the moment they are due. All instants are ns from t0, the end of the
warm-up. The number of requests in a span is the integral of the planned arrival rate; in the closed model it depends on
the answers, and is unknown (None).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from battle.analysis.indicator import Indicator, indicators, samples_needed
from battle.core.objective import Condition, Objective, Unit
from battle.core.ports.fault import Fault
from battle.core.ports.load import OpenPattern, Pattern, ScriptedPattern
from battle.core.scenario import BatchRequest, HttpRequest, RpcRequest, Scenario, Stream, phase_names
from battle.core.units import NS_PER_S, format_duration

Span = tuple[int, int]
MOST_OCCURRENCES = 1_000
"""More injections of one fault than this are no plan."""
BASELINE_NS = 3 * NS_PER_S
BASELINE_REQUESTS = 100
_NEED_BASELINE = ("detection_time", "recovery_time", "failover_time")


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """When a fault is due. With `after`, `spans` hold if that one clears as planned; they are None if it never does."""

    name: str
    spans: tuple[Span, ...] | None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of the time line. `after` and `delay_ns` say so when it depends on the clear of another fault."""

    what: str
    at_ns: int | None
    until_ns: int | None
    after: str | None = None
    delay_ns: int = 0


@dataclass(frozen=True, slots=True)
class Shortfall:
    """An objective (by its position) that the plan cannot satisfy, and why."""

    objective: int
    message: str
    hint: str


class Plan:
    """The plan of one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.end_ns = max(0, scenario.load_ns - scenario.warmup_ns)
        self.has_batches = scenario.has_batches

    @cached_property
    def faults(self) -> dict[str, PlannedFault]:
        """When each fault is due, in the order of the scenario."""
        return {name: PlannedFault(name, self._fault_spans(name, ()), fault.after) for name, fault in self._chaos}

    @cached_property
    def timeline(self) -> list[TimelineEntry]:
        """Phases and faults by their start; what depends on another fault comes right after it."""
        start = -self._scenario.warmup_ns
        entries = []
        for name, stream in self._scenario.workload.items():
            for label, (since, until), phase in zip(
                phase_names(stream), _spans(stream, start), stream.load, strict=True
            ):
                text = f"{name}: {label}{' (warm-up)' if phase.warmup else ''}"
                entries.append(TimelineEntry(text, since, until))
        for name, fault in self._chaos:
            what = f"{name}: {fault.kind} {', '.join(self._scenario.targets_of(name))}"
            if fault.after is None:
                entries += (TimelineEntry(what, since, until) for since, until in self.faults[name].spans or ())
            else:
                entries.append(TimelineEntry(what, None, None, fault.after, fault.delay))
        entries.append(TimelineEntry("end of the load", self.end_ns, None))
        return sorted(entries, key=self._order)

    def baseline(self) -> Span:
        """From t0 to the first onset of any fault; the whole run when there is none."""
        onsets = [spans[0][0] for fault in self.faults.values() if (spans := fault.spans)]
        return (0, min([self.end_ns, *onsets]))

    def window(self, condition: Condition) -> list[Span] | None:
        """The spans that a condition is about; None when they cannot be known beforehand."""
        subject = condition.subject or ""
        if condition.relation in {None, "of", "in"}:
            return [(0, self.end_ns)]
        spans = self.faults[subject].spans if subject in self.faults else None
        if spans is None:
            return None
        onset, clear = (spans[0][0], spans[-1][1]) if spans else (self.end_ns, self.end_ns)
        if condition.relation == "during":
            return list(spans)
        return [(0, onset)] if condition.relation == "before" else [(clear, self._next_onset(clear))]

    def expected(self, condition: Condition) -> float | None:
        """How many samples the plan gives a condition; None when that cannot be known beforehand.

        Which provider serves is not planned, so `where provider=` counts what all providers get: an upper bound.
        """
        spans = self.window(condition)
        phase = condition.subject if condition.relation == "in" else None
        if spans is None:
            return None
        return self._count(spans, condition.where, phase, calls=_counts_calls(condition))

    def expected_in_run(self) -> float | None:
        """How many requests are due from t0 on; None while users decide it."""
        return self._count([(0, self.end_ns)])

    def expected_in_baseline(self, condition: Condition | None = None) -> float | None:
        """How many requests the baseline holds, or how many samples of a condition."""
        if condition is None:
            return self._count([self.baseline()])
        return self._count([self.baseline()], condition.where, calls=_counts_calls(condition))

    @property
    def _chaos(self) -> Iterable[tuple[str, Fault]]:
        return self._scenario.chaos.items()

    def _fault_spans(self, name: str, waiting: tuple[str, ...]) -> tuple[Span, ...] | None:
        fault = self._scenario.chaos.get(name)
        if fault is None or name in waiting:
            return None
        start = fault.at
        if start is None:
            before = self._fault_spans(fault.after or "", (*waiting, name))
            if not before:
                return None
            start = before[-1][1] + fault.delay
        spans = []
        for occurrence in islice(fault.occurrences(max(0, self.end_ns - start)), MOST_OCCURRENCES):
            since = start + occurrence.start_ns
            until = self.end_ns if occurrence.for_ns is None else min(self.end_ns, since + occurrence.for_ns)
            if since < self.end_ns:
                spans.append((since, until))
        return tuple(spans)

    def _next_onset(self, after_ns: int) -> int:
        onsets = (since for fault in self.faults.values() for since, _ in fault.spans or ())
        return min((since for since in onsets if since >= after_ns), default=self.end_ns)

    def _count(
        self,
        spans: list[Span],
        where: Iterable[tuple[str, str]] = (),
        phase: str | None = None,
        *,
        calls: bool = False,
    ) -> float | None:
        """How many HTTP requests, or calls, lie in the spans."""
        total = 0.0
        only = dict(where)
        what = _Counted(only.get("method"), calls)
        for name, stream in self._scenario.workload.items():
            if only.get("stream", name) != name:
                continue
            count = _planned_in(stream, spans, -self._scenario.warmup_ns, phase, what)
            if count is None:
                return None
            total += count
        return total

    def _order(self, entry: TimelineEntry) -> tuple[int, int]:
        if entry.at_ns is not None:
            return entry.at_ns, 0
        spans = self.faults[entry.after].spans if entry.after in self.faults else None
        return (spans[-1][1] if spans else self.end_ns), 1


def shortfalls(scenario: Scenario) -> list[Shortfall]:
    """Every judged objective that the plan cannot satisfy: too few requests in its window, or no usable baseline."""
    plan = Plan(scenario)
    found: list[Shortfall] = []
    for number, objective in enumerate(scenario.slo):
        indicator = indicators().get(objective.condition.indicator)
        if indicator is not None and not objective.warn:
            found += (Shortfall(number, *said) for said in _lacks(plan, objective, indicator))
    return found


def _lacks(plan: Plan, objective: Objective, indicator: Indicator) -> list[tuple[str, str]]:
    condition = objective.condition
    relative = condition.required.unit is Unit.RELATIVE
    required = 0.0 if relative else condition.required.value
    needed = objective.min_samples or samples_needed(indicator, required)
    lacks = []
    if indicator.about == "requests":
        planned = plan.expected(condition)
        if planned is not None and round(planned) < needed:
            said = f"{indicator.name} needs {_requests(needed)} in this window, the plan gives {round(planned):,}"
            lacks.append((said, "send more, or for longer; `min_samples: N` in the mapping form asks for fewer"))
    if relative or indicator.name.startswith(_NEED_BASELINE):
        lacks += _baseline_lacks(plan, condition, max(needed, BASELINE_REQUESTS) if relative else BASELINE_REQUESTS)
    return lacks


def _baseline_lacks(plan: Plan, condition: Condition, needed: int) -> list[tuple[str, str]]:
    start, stop = plan.baseline()
    if stop - start < BASELINE_NS:
        length, least = format_duration(stop - start), format_duration(BASELINE_NS)
        said = f"{condition.indicator} needs a baseline of {least}, and the first fault comes after {length}"
        return [(said, "let the first fault come later: the baseline is the time from t0 to it")]
    relative = condition.required.unit is Unit.RELATIVE
    planned = plan.expected_in_baseline(condition if relative else None)
    if planned is not None and round(planned) < needed:
        said = f"{condition.indicator} needs {_requests(needed)} in the baseline, the plan gives {round(planned):,}"
        return [(said, "let the first fault come later, or send more")]
    return []


def _requests(number: int) -> str:
    return f"{number:,} request{'' if number == 1 else 's'}"


def _spans(stream: Stream, start_ns: int) -> list[Span]:
    spans = []
    for phase in stream.load:
        spans.append((start_ns, start_ns + phase.duration))
        start_ns += phase.duration
    return spans


def _counts_calls(condition: Condition) -> bool:
    """Whether the samples of a condition are calls, and not HTTP requests."""
    indicator = indicators().get(condition.indicator)
    return indicator is not None and not indicator.counts_http


@dataclass(frozen=True, slots=True)
class _Counted:
    """What is counted of the arrivals: those that hold a call of this method (None: of any), or these calls."""

    method: str | None
    calls: bool

    def in_one(self, request: RpcRequest | BatchRequest | HttpRequest) -> int:
        """How many of it a request holds."""
        held = sum(self.method in {None, call.label} for call in request.calls)
        return held if self.calls else min(held, 1)

    def per_arrival(self, stream: Stream, phase: Pattern) -> float:
        """How many of it an arrival of a phase holds in the mean."""
        held = [self.in_one(request) for request in stream.requests]
        if len(set(held)) == 1:
            return held[0]
        weights = sum(request.weight for request in stream.requests)
        chosen = sum(count * request.weight for count, request in zip(held, stream.requests, strict=True))
        drawn = chosen / weights if weights else 0.0
        if not isinstance(phase, ScriptedPattern):
            return drawn
        return sum(share * (drawn if at is None else held[at]) for at, share in phase.shares().items())


def _planned_in(stream: Stream, spans: list[Span], start_ns: int, only: str | None, what: _Counted) -> float | None:
    """What is planned of a stream inside spans, with at most `max_requests` arrivals from its start on."""
    total = sent = 0.0
    known = True
    limit = float("inf") if stream.max_requests is None else stream.max_requests
    for label, (since, until), phase in zip(phase_names(stream), _spans(stream, start_ns), stream.load, strict=True):
        inside = [(max(since, a), min(until, b)) for a, b in spans if max(since, a) < min(until, b)]
        each = what.per_arrival(stream, phase)
        counted = bool(inside) and each > 0 and only in {None, label}
        if counted and (not isinstance(phase, OpenPattern) or (stream.max_requests is not None and not known)):
            return None
        if not isinstance(phase, OpenPattern):
            known = False
            continue
        if counted:
            for a, b in inside:
                first = min(limit, sent + phase.planned_until(a - since))
                total += each * (min(limit, sent + phase.planned_until(b - since)) - first)
        sent += phase.planned()
    return total
