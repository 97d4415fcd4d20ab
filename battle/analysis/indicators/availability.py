"""How many requests were answered ok, and how fast they came."""

import numpy as np

from battle.analysis.indicator import Indicator, Measurement, enter
from battle.analysis.narrow import counted
from battle.analysis.reading import Reading, Selection
from battle.analysis.statistics import success_rate
from battle.core.objective import Unit
from battle.core.records import Outcome

_NO_REQUESTS = "no requests in this window"


def _outcomes(reading: Reading, selection: Selection) -> list[int]:
    counts: list[int] = counted(reading.columns.outcome[reading.mask(selection)]).tolist()
    return counts


def _success_rate(reading: Reading, selection: Selection) -> Measurement:
    _, ok, failed, dropped, *_ = _outcomes(reading, selection)
    rate = success_rate(ok, failed, dropped)
    return Measurement(rate, ok + failed + dropped, _NO_REQUESTS if rate is None else None)


def _error_rate(reading: Reading, selection: Selection) -> Measurement:
    _, ok, failed, dropped, *_ = _outcomes(reading, selection)
    judged = ok + failed + dropped
    return Measurement((failed + dropped) / judged, judged) if judged else Measurement(None, 0, _NO_REQUESTS)


def _throughput(reading: Reading, selection: Selection) -> Measurement:
    requests = reading.requests(selection)
    total, seconds = int(np.count_nonzero(requests)), selection.window.seconds
    if not seconds or not total:
        return Measurement(None, 0, _NO_REQUESTS)
    return Measurement(int(np.count_nonzero(requests & reading.columns.wholly_ok)) / seconds, total)


def _dropped(reading: Reading, selection: Selection) -> Measurement:
    outcomes = _outcomes(reading, selection)
    if not sum(outcomes):
        return Measurement(None, 0, _NO_REQUESTS)
    return Measurement(float(outcomes[Outcome.DROPPED]), sum(outcomes))


enter(
    Indicator(
        "success_rate",
        Unit.SHARE,
        "higher",
        "requests",
        "ok ÷ (ok + failed + dropped); cancelled requests are outside",
        _success_rate,
        share_of_requests=True,
    )
)
enter(
    Indicator(
        "error_rate",
        Unit.SHARE,
        "lower",
        "requests",
        "(failed + dropped) ÷ (ok + failed + dropped)",
        _error_rate,
        share_of_requests=True,
    )
)
enter(
    Indicator(
        "throughput",
        Unit.RATE,
        "higher",
        "requests",
        "requests answered ok per second",
        _throughput,
        counts_http=True,
    )
)
enter(
    Indicator(
        "dropped", Unit.NUMBER, "lower", "requests", "arrivals that were due and not sent, at max_in_flight", _dropped
    )
)
