"""Whether the load generator kept its own schedule, so that what it measured can be held against the proxy.

Response time counts from the schedule: a late generator can only make it look worse. So an objective that holds in
spite of lag does hold; one that is broken proves nothing, unless the service time, which begins at the send, breaks it
too.
"""

import math

import numpy as np

from battle.analysis.indicator import indicators
from battle.analysis.indicators.latency import RESPONSE_TIMES
from battle.analysis.reading import Reading, Selection, found_once
from battle.analysis.remedy import what_to_do
from battle.analysis.statistics import percentile
from battle.core.journal import EventKind
from battle.core.objective import Condition, Unit
from battle.core.records import Outcome
from battle.core.units import NS_PER_MS, format_duration

_LAG_NS = 5 * NS_PER_MS
_LAG_SHARE = 0.1
_SENT_SHARE = 0.95
_DEVIATIONS = 3
_RATES = frozenset({"success_rate", "error_rate", "dropped"})


def planned_arrivals(reading: Reading) -> int | None:
    """How many arrivals after the warm-up were due until the load ended; None when nobody could know.

    Users have no plan, a load that ended early has only the one that its end states, and `max_requests` cuts it short.
    """
    started, ended = (reading.evidence.first(kind) for kind in (EventKind.LOAD_STARTED, EventKind.LOAD_ENDED))
    if ended is not None and ended.fields.get("planned") is not None:
        return int(ended.fields["planned"])
    completed = ended is not None and ended.fields.get("reason") == "completed"
    limited = any(stream.max_requests is not None for stream in reading.scenario.workload.values())
    planned = started.fields.get("planned") if started else None
    return int(planned) if completed and not limited and planned is not None else None


@found_once
def sent_share(reading: Reading, selection: Selection) -> float:
    """Requests of a selection that left the generator ÷ those that were due; 1 of nothing."""
    mask = reading.requests(selection)
    due = int(np.count_nonzero(mask))
    return int(np.count_nonzero(mask & reading.columns.sent)) / due if due else 1.0


def unrecorded_share(reading: Reading) -> float:
    """The share of the planned arrivals of the run that left no record at all, beyond what chance explains.

    A random plan states the mean: Poisson arrivals deviate from it by √n, so that 3 √n fewer count for nothing.
    """
    planned = planned_arrivals(reading)
    if not planned:
        return 0.0
    missing = planned - int(np.count_nonzero(reading.in_run & reading.columns.leads))
    return missing / planned if missing > _DEVIATIONS * math.sqrt(planned) else 0.0


def lag_limit_ns(reading: Reading) -> float:
    """The lag p99 from which the generator counts as late: max(5 ms, 10 % of the tightest latency objective)."""
    tightest = [
        one.condition.required.value
        for one in reading.objectives
        if one.condition.indicator in RESPONSE_TIMES and one.condition.required.unit is Unit.DURATION
    ]
    return max(_LAG_NS, _LAG_SHARE * min(tightest, default=0.0))


@found_once
def late_by_ns(reading: Reading, selection: Selection) -> int | None:
    """The send lag p99 of a selection when it is over the limit, else None."""
    lag = percentile(reading.columns.send_lag_ns(reading.requests(selection)), 99, in_place=True)
    return lag if lag is not None and lag > lag_limit_ns(reading) else None


def unjudged(reading: Reading, condition: Condition, selection: Selection, required: float, holds: bool) -> str | None:
    """Why a measured objective must stay unjudged because of the generator; None when it can be judged.

    - A response time that is broken under a late generator, and whose service time is not.
    - When under 95 % of the planned arrivals were sent: throughput, and latencies that hold (under less load than
      planned). Success and error rates count what was dropped, so they stand, unless the generator was late as well or
      the missing arrivals have no record at all.
    """
    name = condition.indicator
    late = late_by_ns(reading, selection)
    unrecorded = unrecorded_share(reading)
    sent = sent_share(reading, selection) * (1 - unrecorded)
    if sent < _SENT_SHARE:
        short = f"only {sent:.1%} of the planned arrivals were sent"
        if late is not None:
            short += f"; {what_to_do(reading, selection)}"
        elif not unrecorded and _all_dropped(reading, selection):
            short += "; the others were dropped, at max_in_flight or max_send_lag"
        timed = name in RESPONSE_TIMES or name.startswith("service_time.")
        if name == "throughput" or (timed and holds):
            return short
        if name in _RATES and (late is not None or unrecorded > 1 - _SENT_SHARE):
            return short
    if (
        name in RESPONSE_TIMES
        and late is not None
        and not holds
        and not _service_breaks(reading, selection, condition, required)
    ):
        lag, limit = (format_duration(round(ns, -3)) for ns in (late, lag_limit_ns(reading)))
        return f"the generator was late: send lag p99 {lag}, over {limit}; {what_to_do(reading, selection)}"
    return None


def _all_dropped(reading: Reading, selection: Selection) -> bool:
    """Whether everything that was not sent was dropped, rather than given up while it waited for a connection."""
    unsent = reading.mask(selection) & ~reading.columns.sent
    return bool(np.all(reading.columns.outcome[unsent] == Outcome.DROPPED))


def _service_breaks(reading: Reading, selection: Selection, condition: Condition, required: float) -> bool:
    service = indicators()[f"service_time.{condition.indicator}"].measure(reading, selection)
    return isinstance(service.value, float) and not condition.holds(service.value, required)
