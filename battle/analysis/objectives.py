"""Objectives against the evidence: each one held, was broken, or cannot be judged, and why."""

from collections.abc import Iterator
from dataclasses import dataclass

from battle.analysis.indicator import NEVER, Indicator, Measurement, indicators, samples_needed
from battle.analysis.lateness import unjudged
from battle.analysis.limits import DEFAULT_SUCCESS_RATE
from battle.analysis.reading import Reading, Selection
from battle.analysis.showing import UNIT_NAMES, in_unit, shown, shown_required
from battle.analysis.touched import touched
from battle.core.journal import EventKind
from battle.core.objective import Condition, Objective, Unit
from battle.core.run import SloResult
from battle.core.units import format_share
from battle.core.verdict import Verdict

IMPLIED = Objective(objective=f"success_rate >= {format_share(DEFAULT_SUCCESS_RATE)}")
"""What holds when no objective is about success or errors."""
_JOINED = 0.99
_JOINED_FOR_NONE = 0.999
_UPPER = ("<=", "<", "==")


@dataclass(frozen=True, slots=True)
class _Finding:
    """The outcome of one objective on one selection, before it is put into words."""

    measured: Measurement
    required: float | None
    verdict: Verdict
    reason: str | None = None


def judge_all(reading: Reading) -> list[SloResult]:
    """Every objective in force, judged; those about each fault give one result a fault. The implied one comes first."""
    results: list[SloResult] = []
    if not any(
        one.condition.indicator in {"success_rate", "error_rate"} and not one.warn for one in reading.objectives
    ):
        results += [result.model_copy(update={"implied": True}) for result in judge(reading, IMPLIED)]
    for objective in reading.objectives:
        results += judge(reading, objective)
    return results


def judge(reading: Reading, objective: Objective) -> Iterator[SloResult]:
    """The results of one objective."""
    condition = objective.condition
    indicator = indicators().get(condition.indicator)
    if indicator is None:
        yield _unknown(objective, f"there is no indicator {condition.indicator!r}")
        return
    for fault in _faults(reading, indicator, condition):
        window = reading.windows.named(condition.relation, condition.subject)
        selection = Selection(window, condition.where, fault)
        yield _result(objective, indicator, selection, _find(reading, objective, indicator, selection))


def _faults(reading: Reading, indicator: Indicator, condition: Condition) -> list[str | None]:
    """Which faults a condition is judged for: the named one, else each that met traffic or had to; [None]: no fault."""
    if indicator.about != "fault":
        return [None]
    if condition.relation in {"of", "during", "after"}:
        return [condition.subject]
    concerned = [
        name for name, times in reading.faults.items() if not times.fault.may_miss or touched(reading, name).met
    ]
    return list(concerned or reading.faults) or [None]


def _find(reading: Reading, objective: Objective, indicator: Indicator, selection: Selection) -> _Finding:
    condition = objective.condition
    if why := _void(reading, condition, selection):
        return _Finding(Measurement(None, 0, why), None, Verdict.INCONCLUSIVE, why)
    measured = indicator.measure(reading, selection)
    required, why_not = _required(reading, objective, indicator, selection)
    if guard := _guard_broken(reading, objective):
        return _Finding(measured, required, Verdict.FAIL, guard)
    if required is None or measured.value is None:
        return _Finding(measured, required, Verdict.INCONCLUSIVE, measured.reason or why_not or "it was not measured")
    if _holds(condition, measured, required):
        finding = _Finding(measured, required, Verdict.PASS)
    else:
        finding = _Finding(measured, required, Verdict.FAIL, f"measured {shown(measured.value, indicator.unit)}")
    if why := _doubt(reading, objective, indicator, selection, finding):
        return _Finding(measured, required, Verdict.INCONCLUSIVE, why)
    return finding


def _doubt(
    reading: Reading, objective: Objective, indicator: Indicator, selection: Selection, finding: _Finding
) -> str | None:
    """Why a value that was measured cannot be judged, None when it can."""
    required = finding.required or 0.0
    needed = objective.min_samples or samples_needed(indicator, required)
    if finding.measured.samples < needed:
        return f"it needs {needed:,} samples and has {finding.measured.samples:,}"
    return _badly_joined(reading, indicator, objective.condition, selection) or unjudged(
        reading, objective.condition, selection, required, finding.verdict is Verdict.PASS
    )


def _void(reading: Reading, condition: Condition, selection: Selection) -> str | None:
    if selection.window.void:
        return selection.window.void
    if condition.relation == "of" and condition.subject not in reading.faults:
        return f"there is no fault {condition.subject!r} in this run"
    if condition.relation is not None and condition.relation != "of" and not selection.window.spans:
        return f"the window `{selection.window.name}` is empty"
    return None


def _holds(condition: Condition, measured: Measurement, required: float) -> bool:
    """Whether it holds. What never came is longer than any limit."""
    if measured.value == NEVER:
        return condition.op not in _UPPER
    return condition.holds(float(measured.value or 0), required)


def _required(
    reading: Reading, objective: Objective, indicator: Indicator, selection: Selection
) -> tuple[float | None, str | None]:
    """The required value in the unit's base; of a relative objective, as many times the baseline's value."""
    required = objective.condition.required
    if required.unit is not Unit.RELATIVE:
        return required.value, None
    baseline = Selection(reading.windows.baseline(), selection.where, selection.fault)
    measured = indicator.measure(reading, baseline)
    if not isinstance(measured.value, float):
        return None, f"the baseline has no {indicator.name}: {measured.reason or 'it never came'}"
    needed = samples_needed(indicator, measured.value)
    if measured.samples < needed:
        return None, f"the baseline needs {needed:,} samples and has {measured.samples:,}"
    return required.value * measured.value, None


def _badly_joined(reading: Reading, indicator: Indicator, condition: Condition, selection: Selection) -> str | None:
    named = any(key == "provider" for key, _ in selection.where)
    if not (indicator.needs_records or indicator.needs_attribution or named):
        return None
    everything = selection.without("provider")
    share = reading.joined.joined_share(reading.columns, reading.mask(everything))
    none_allowed = condition.op == "==" and condition.required.value == 0
    needed = _JOINED_FOR_NONE if none_allowed else _JOINED
    if share is None:
        return "no answer could be joined to a provider"
    if share < needed:
        return f"only {share:.2%} of the answers could be joined to the provider that gave them; it needs {needed:.1%}"
    return None


def _guard_broken(reading: Reading, objective: Objective) -> str | None:
    if not objective.guard:
        return None
    for event in reading.evidence.of_kind(EventKind.GUARD_BROKEN):
        if str(event.fields.get("objective")).strip() in {objective.objective, str(objective.condition)}:
            at = (event.at_ns - reading.t0_ns) / 1e9
            return f"the guard ended the run at {at:.1f} s"
    return None


def _result(objective: Objective, indicator: Indicator, selection: Selection, finding: _Finding) -> SloResult:
    condition = objective.condition
    required = finding.required
    if required is None and condition.required.unit is not Unit.RELATIVE:
        required = condition.required.value
    in_required = in_unit(required, indicator.unit)
    return SloResult(
        objective=objective.objective,
        indicator=indicator.name,
        window=selection.window.name,
        op=condition.op,
        required=in_required if isinstance(in_required, float) else None,
        actual=in_unit(finding.measured.value, indicator.unit),
        unit=UNIT_NAMES[indicator.unit],
        shown_required=shown_required(condition.required, required, indicator.unit),
        shown_actual=shown(finding.measured.value, indicator.unit),
        samples=finding.measured.samples,
        verdict=finding.verdict,
        reason=finding.reason,
        guard=objective.guard,
        warn=objective.warn,
        subject=selection.fault,
    )


def _unknown(objective: Objective, why: str) -> SloResult:
    condition = objective.condition
    return SloResult(
        objective=objective.objective,
        indicator=condition.indicator,
        window="run",
        op=condition.op,
        required=None,
        actual=None,
        unit=UNIT_NAMES[condition.required.unit],
        shown_required=str(condition.required),
        shown_actual=shown(None, Unit.NUMBER),
        samples=None,
        verdict=Verdict.INCONCLUSIVE,
        reason=why,
        guard=objective.guard,
        warn=objective.warn,
    )
