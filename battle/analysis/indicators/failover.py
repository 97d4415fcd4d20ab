"""Requests that one provider did not serve and another did, and what it cost them."""

from collections.abc import Callable

import numpy as np

from battle.analysis.failovers import Failovers
from battle.analysis.indicator import Indicator, Measurement, enter
from battle.analysis.reading import Reading, Selection
from battle.analysis.statistics import Instants, Mask, percentile
from battle.core.objective import Unit

_NO_REQUESTS = "no requests in this window"


def failover_times_ns(reading: Reading, mask: Mask) -> tuple[Instants, Instants] | None:
    """Failover times and plain response times in ns of the failed-over requests in `mask` that succeeded.

    failover time = response time − median response time of the baseline, not below 0. None without a baseline.
    """
    median = reading.baseline_median_ns
    if median is None:
        return None
    response = reading.columns.response_ns(mask & reading.failovers.failed_over & reading.columns.ok)
    return np.maximum(response - median, 0), response


def _count(which: Callable[[Failovers], Mask]) -> Callable[[Reading, Selection], Measurement]:
    def measure(reading: Reading, selection: Selection) -> Measurement:
        mask = reading.mask(selection)
        total = int(np.count_nonzero(mask))
        if not total:
            return Measurement(None, 0, _NO_REQUESTS)
        return Measurement(float(np.count_nonzero(mask & which(reading.failovers))), total)

    return measure


def _rate(reading: Reading, selection: Selection) -> Measurement:
    mask = reading.mask(selection) & reading.columns.sent
    total = int(np.count_nonzero(mask))
    if not total:
        return Measurement(None, 0, _NO_REQUESTS)
    return Measurement(int(np.count_nonzero(mask & reading.failovers.failed_over)) / total, total)


def _time(figure: Callable[[Instants], float | None]) -> Callable[[Reading, Selection], Measurement]:
    def measure(reading: Reading, selection: Selection) -> Measurement:
        found = failover_times_ns(reading, reading.requests(selection))
        if found is None:
            return Measurement(None, 0, "no request ended before the first fault, so there is no baseline")
        times, _ = found
        if not len(times):
            return Measurement(None, 0, "there was no failover in this window")
        value = figure(times)
        return Measurement(None if value is None else float(value), len(times))

    return measure


for _name, _which, _meaning in (
    ("failovers", lambda found: found.failed_over, "requests tried at one provider and served by another"),
    ("hedges", lambda found: found.hedged, "requests with a second attempt while the first was alive"),
    ("ambiguous", lambda found: found.ambiguous, "second attempts of which it cannot be told what they were"),
):
    enter(Indicator(_name, Unit.NUMBER, "neither", "requests", _meaning, _count(_which), needs_records=True))
enter(
    Indicator(
        "failover_rate",
        Unit.SHARE,
        "lower",
        "requests",
        "failovers ÷ requests sent",
        _rate,
        needs_records=True,
        share_of_requests=True,
    )
)
for _suffix, _figure in (
    ("p50", lambda times: percentile(times, 50)),
    ("p95", lambda times: percentile(times, 95)),
    ("max", lambda times: float(times.max())),
    ("mean", lambda times: float(times.mean())),
):
    enter(
        Indicator(
            f"failover_time.{_suffix}",
            Unit.DURATION,
            "lower",
            "requests",
            f"response time of failed-over requests that succeeded − the baseline's median, {_suffix}",
            _time(_figure),
            needs_records=True,
            counts_http=True,
        )
    )
