"""Whether the answers were right across a failover."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from battle.analysis.columns import Columns
from battle.analysis.indicator import Indicator, Measurement, enter
from battle.analysis.reading import Reading, Selection, found_once
from battle.analysis.statistics import Mask
from battle.core.objective import Unit
from battle.core.records import NO_HEIGHT


@found_once
def height_regressions(reading: Reading) -> Mask:
    """Answers that went back: the request started after a higher answer had ended, by more than `allowed_lag` blocks.

    Real-time order, so that a slower provider is not accused: only what had ended before the start counts. Shape (n,).
    """
    columns = reading.columns
    allowed = np.array(_allowed_lags(reading), dtype=np.int64)
    regressed = np.zeros(len(columns), dtype=np.bool_)
    heights = _rising(columns)
    if not len(heights.height):
        return regressed
    for place, part in columns.parts():
        before = np.searchsorted(heights.ended_ns, part.started_ns, side="left")
        answers = np.flatnonzero(part.ok & (part.height > NO_HEIGHT) & part.sent & (before > 0))
        highest = heights.height[before[answers] - 1]
        regressed[place][answers] = part.height[answers] < highest - allowed[part.stream[answers]]
    return regressed


@dataclass(frozen=True, slots=True)
class _Rising:
    """The ends of the answers that were higher than all that had ended before, and their heights; both ascend."""

    ended_ns: NDArray[np.int64]
    height: NDArray[np.int64]


def _rising(columns: Columns) -> _Rising:
    """Of each part only those are kept, so that few are ever looked at together."""
    ended, height = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for _, part in columns.parts():
        answers = part.ok & (part.height > NO_HEIGHT) & part.sent
        ended = np.concatenate((ended, part.ended_at(answers)))
        height = np.concatenate((height, part.height[answers]))
        order = np.argsort(ended, kind="stable")
        ended, height = ended[order], np.maximum.accumulate(height[order])
        rises = np.diff(height, prepend=NO_HEIGHT) > 0
        ended, height = ended[rises], height[rises]
    return _Rising(ended, height)


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
    return Measurement(float(np.count_nonzero(writes & (reading.received.executed > 1))), total)


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
