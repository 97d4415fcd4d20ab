"""What each fault did: how long until it took effect, was noticed, was over and was forgotten."""

from collections.abc import Callable

from battle.analysis.fault_times import FaultTimes
from battle.analysis.indicator import Indicator, Measurement, enter
from battle.analysis.limits import recovery_of
from battle.analysis.reaction import detection, return_time
from battle.analysis.reading import Reading, Selection
from battle.core.objective import Unit

_NOT_NAMED = Measurement(None, 0, "there is no fault in this run")


def _per_fault(measure: Callable[[Reading, str], Measurement]) -> Callable[[Reading, Selection], Measurement]:
    def measure_one(reading: Reading, selection: Selection) -> Measurement:
        return measure(reading, selection.fault) if selection.fault in reading.faults else _NOT_NAMED

    return measure_one


def _detection(reading: Reading, fault: str) -> Measurement:
    return detection(reading, fault)[0]


def time_to_effect_ns(times: FaultTimes) -> int | None:
    """The longest time from an entry to its effect on the data path; None when it was not seen everywhere."""
    if not times.verified:
        return None
    return max(max(0, (one.effective_ns or 0) - (one.injected_ns or 0)) for one in times.entered)


def time_to_clear_ns(times: FaultTimes) -> int | None:
    """The longest time from an undo until the data path was well; None when it was not seen everywhere."""
    if not times.cleared:
        return None
    return max(max(0, (one.cleared_ns or 0) - (one.rolled_back_ns or 0)) for one in times.entered)


def _time_to_effect(reading: Reading, fault: str) -> Measurement:
    value = time_to_effect_ns(reading.faults[fault])
    return Measurement(None, 0, "nobody saw it take effect") if value is None else Measurement(float(value), 1)


def _time_to_clear(reading: Reading, fault: str) -> Measurement:
    value = time_to_clear_ns(reading.faults[fault])
    return Measurement(None, 0, "nobody saw it clear") if value is None else Measurement(float(value), 1)


for _name, _measure, _meaning in (
    ("recovery_time", recovery_of, "onset of a fault → the objective holds again for good"),
    ("detection_time", _detection, "onset of a fault → the proxy has turned its traffic away from that provider"),
    ("return_time", return_time, "end of a fault → the first live request at that provider"),
    ("time_to_effect", _time_to_effect, "inject → the fault is seen on the data path"),
    ("time_to_clear", _time_to_clear, "rollback → the fault is seen to be gone from the data path"),
):
    enter(Indicator(_name, Unit.DURATION, "lower", "fault", _meaning, _per_fault(_measure)))
