"""Whether the answers were right across a failover."""

import numpy as np

from battle.analysis.indicator import Indicator, Measurement, enter
from battle.analysis.reading import Reading, Selection, found_once
from battle.analysis.statistics import Mask
from battle.core.objective import Unit
from battle.core.records import NO_HEIGHT


@found_once
def height_regressions(reading: Reading) -> Mask:
    """Answers that went back: the request started after a higher answer had ended, by more than `allowed_lag` blocks.

    Real-time order, so that a slower provider is not accused: only what had ended before the start counts. Shape (n,);
    O(n log n).
    """
    columns = reading.columns
    answers = np.flatnonzero(columns.ok & (columns.height > NO_HEIGHT) & columns.sent)
    order = answers[np.argsort(columns.ended_ns[answers], kind="stable")]
    highest = np.maximum.accumulate(columns.height[order])
    before = np.searchsorted(columns.ended_ns[order], columns.started_ns[answers], side="left")
    known = before > 0
    answers, before = answers[known], before[known]
    allowed = np.array(_allowed_lags(reading), dtype=np.int64)[columns.stream[answers]]
    regressed = np.zeros(len(columns), dtype=np.bool_)
    regressed[answers[columns.height[answers] < highest[before - 1] - allowed]] = True
    return regressed


def _allowed_lags(reading: Reading) -> list[int]:
    """`allowed_lag` of each stream; by default 0 when all providers are mocks without skew, else 1."""
    providers = reading.scenario.setup.providers.values()
    in_step = all(provider.kind == "mock" and not getattr(provider, "skew", 0) for provider in providers)
    default = 0 if in_step and reading.provider_numbers else 1
    lags = [stream.allowed_lag for stream in reading.scenario.workload.values()]
    return [default if lag is None else lag for lag in lags]


def _regressions(reading: Reading, selection: Selection) -> Measurement:
    mask = reading.mask(selection)
    with_height = int(np.count_nonzero(mask & reading.columns.ok & (reading.columns.height > NO_HEIGHT)))
    if not with_height:
        return Measurement(None, 0, "no answer in this window tells a block height")
    return Measurement(float(np.count_nonzero(mask & height_regressions(reading))), with_height)


def _duplicate_writes(reading: Reading, selection: Selection) -> Measurement:
    templates = [number for number, one in enumerate(reading.scenario.templates) if one.request.write]
    writes = reading.mask(selection) & np.isin(reading.columns.template, templates)
    total = int(np.count_nonzero(writes))
    if not total:
        return Measurement(None, 0, "no request in this window is marked `write: true`")
    arrivals = reading.joined.arrivals
    executed = np.bincount(arrivals.request[arrivals.keyed & (arrivals.executed > 0)], minlength=len(writes))
    return Measurement(float(np.count_nonzero(writes & (executed > 1))), total)


enter(
    Indicator(
        "height_regressions",
        Unit.NUMBER,
        "lower",
        "requests",
        "answers below one that had ended before the request started, by more than `allowed_lag`",
        _regressions,
    )
)
enter(
    Indicator(
        "duplicate_writes",
        Unit.NUMBER,
        "lower",
        "requests",
        "requests marked `write: true` that were executed more than once",
        _duplicate_writes,
        needs_records=True,
    )
)
