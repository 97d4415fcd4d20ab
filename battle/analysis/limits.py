"""What a good second is for a fault's recovery, by the objectives in force."""

from battle.analysis.ends import find_ends
from battle.analysis.indicator import Measurement
from battle.analysis.reading import Reading, Selection, found_once
from battle.analysis.recovery import Limits, recovery
from battle.analysis.statistics import percentile
from battle.core.objective import Condition, Unit

DEFAULT_SUCCESS_RATE = 0.99
_BASELINE_FACTOR = 1.5


def recovery_of(reading: Reading, fault: str) -> Measurement:
    """The recovery time of a fault, by its formula in `recovery`."""
    return _recoveries(reading)[fault]


@found_once
def _recoveries(reading: Reading) -> dict[str, Measurement]:
    """All at once, so that the ends are put in order once and not kept."""
    found = {}
    ends = find_ends(reading.columns, reading.in_run)
    for fault, times in reading.faults.items():
        onset = times.effective_ns
        if onset is None:
            found[fault] = Measurement(None, 0, f"{fault} was not seen to take effect")
        else:
            until = reading.windows.recovery_end_ns(fault)
            found[fault] = recovery(ends, limits_of(reading, fault), onset, until, reading.columns.piece)
    return found


def limits_of(reading: Reading, fault: str) -> Limits:
    """The fault's own `during` objective, else the run's, else 99 % success; for p95 at least 1.5 × the baseline's."""
    return Limits(_success_rate(reading, fault), _p95_ns(reading, fault, _baseline_p95_ns(reading)))


@found_once
def _baseline_p95_ns(reading: Reading) -> int | None:
    times = reading.columns.response_ns(reading.requests(Selection(reading.windows.baseline())))
    return percentile(times, 95, in_place=True)


def _success_rate(reading: Reading, fault: str) -> float:
    at_least = _applying(reading, fault, "success_rate", (">=", ">"))
    at_most = _applying(reading, fault, "error_rate", ("<=", "<"))
    for condition in at_least[:1] or at_most[:1]:
        if condition.required.unit is not Unit.RELATIVE:
            value = condition.required.value
            return value if condition.indicator == "success_rate" else 1 - value
    return DEFAULT_SUCCESS_RATE


def _p95_ns(reading: Reading, fault: str, baseline: int | None) -> float | None:
    floor = None if baseline is None else _BASELINE_FACTOR * baseline
    for condition in _applying(reading, fault, "p95", ("<=", "<"))[:1]:
        required = condition.required.value
        if condition.required.unit is Unit.RELATIVE:
            if baseline is None:
                return None
            required *= baseline
        return max(required, floor or 0)
    return floor


def _applying(reading: Reading, fault: str, indicator: str, ops: tuple[str, ...]) -> list[Condition]:
    """Conditions on an indicator that hold for all requests: those during this fault first, then those on the run."""
    found = [
        one.condition
        for one in reading.objectives
        if one.condition.indicator == indicator and one.condition.op in ops and not one.condition.where
    ]
    own = [one for one in found if one.relation == "during" and one.subject == fault]
    return own + [one for one in found if one.relation is None]
