"""How long requests took: response time, service time, and the generator's own lateness, all in ns."""

from collections.abc import Callable

from battle.analysis.columns import Columns
from battle.analysis.indicator import Indicator, Measurement, enter
from battle.analysis.reading import Reading, Selection
from battle.analysis.statistics import Instants, Mask, percentile
from battle.core.objective import Unit

RANKS = {"p50": 50.0, "p75": 75.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p99.9": 99.9}
RESPONSE_TIMES = frozenset({*RANKS, "max", "mean"})
"""The indicators on response time, which a late generator can make look worse."""

Times = Callable[[Columns, Mask], Instants]
Figure = Callable[[Instants], float | None]
Measure = Callable[[Reading, Selection], Measurement]


def _measure(times: Times, figure: Figure) -> Measure:
    def measure(reading: Reading, selection: Selection) -> Measurement:
        values = times(reading.columns, reading.requests(selection))
        if not len(values):
            return Measurement(None, 0, "no request in this window has an end")
        value = figure(values)
        return Measurement(None if value is None else float(value), len(values))

    return measure


def _percentile(rank: float) -> Figure:
    return lambda values: percentile(values, rank, in_place=True)


def _longest(values: Instants) -> float:
    return float(values.max())


def _mean(values: Instants) -> float:
    return float(values.mean())


def _enter_family(prefix: str, times: Times, what: str) -> None:
    for name, rank in RANKS.items():
        enter(
            Indicator(
                prefix + name,
                Unit.DURATION,
                "lower",
                "requests",
                f"{what}, {name[1:]}th percentile (nearest rank)",
                _measure(times, _percentile(rank)),
                percentile=rank,
                counts_http=True,
            )
        )
    for name, figure in (("max", _longest), ("mean", _mean)):
        enter(
            Indicator(
                prefix + name,
                Unit.DURATION,
                "lower",
                "requests",
                f"{what}, {name} over all",
                _measure(times, figure),
                counts_http=True,
            )
        )


_enter_family("", Columns.response_ns, "response time: ended − scheduled, of ok and failed requests")
_enter_family("service_time.", Columns.service_ns, "service time: ended − started, of ok and failed requests")
_enter_family("send_lag.", Columns.send_lag_ns, "the generator's lateness: started − scheduled, of what was sent")
