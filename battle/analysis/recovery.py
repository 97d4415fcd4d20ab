"""Recovery: when the service held again for good after a fault."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from battle.analysis.columns import Columns
from battle.analysis.indicator import NEVER, Measurement
from battle.analysis.statistics import Mask
from battle.core.records import Outcome
from battle.core.units import NS_PER_S

_AT_LEAST = 20
_FAILURES = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """What a good second is: the least success rate, and the highest p95 in ns (None: latency does not count)."""

    success_rate: float
    p95_ns: float | None


@dataclass(frozen=True, slots=True)
class Ends:
    """Requests in the order in which their fate became known, as running counts; shape (n,) and (n + 1,)."""

    at_ns: NDArray[np.int64]
    good: NDArray[np.int64]
    timed: NDArray[np.int64]
    slow: NDArray[np.int64]


def find_ends(columns: Columns, mask: Mask, p95_ns: float | None) -> Ends:
    """The ends of the ok, failed and dropped requests in `mask`."""
    which = np.flatnonzero(mask & columns.judged)
    at = columns.finished_ns[which]
    order = np.argsort(at, kind="stable")
    which, at = which[order], at[order]
    timed = columns.ended[which]
    response = columns.ended_ns[which] - columns.scheduled_ns[which]
    slow = timed & (response > p95_ns) if p95_ns is not None else np.zeros(len(which), dtype=np.bool_)
    return Ends(at, _running(columns.outcome[which] == Outcome.OK), _running(timed), _running(slow))


def recovery(ends: Ends, limits: Limits, onset_ns: int, until_ns: int | None) -> Measurement:
    """Recovery time: r − t₀ in ns, r the first instant after which no bad second comes until the after-window's end.

    Steps are the ends of requests from the onset t₀ to `until_ns` (None: to the very last). Each closes a trailing
    second, extended backwards until it holds at least 20 requests; that is bad when its success rate is below the limit
    with at least two failures, or when its (nearest-rank) p95 is over the limit. 0 when never bad, NEVER when the last
    step is bad, None when there was no step. O(n log n).
    """
    first = int(np.searchsorted(ends.at_ns, onset_ns, side="left"))
    last = len(ends.at_ns) if until_ns is None else int(np.searchsorted(ends.at_ns, until_ns, side="right"))
    if last <= first:
        return Measurement(None, 0, "no request ended after its onset")
    steps = np.arange(first, last)
    second = np.searchsorted(ends.at_ns, ends.at_ns[steps] - NS_PER_S, side="right")
    start = np.maximum(np.minimum(second, steps + 1 - _AT_LEAST), 0)
    stop = steps + 1
    bad = _bad(ends, limits, start, stop)
    if not np.any(bad):
        return Measurement(0.0, len(steps))
    if bad[-1]:
        return Measurement(NEVER, len(steps))
    return Measurement(float(ends.at_ns[steps[np.flatnonzero(bad)[-1]]] - onset_ns), len(steps))


def _bad(ends: Ends, limits: Limits, start: NDArray[np.int64], stop: NDArray[np.int64]) -> Mask:
    count = stop - start
    failures = count - (ends.good[stop] - ends.good[start])
    bad: Mask = (failures >= _FAILURES) & (1 - failures / count < limits.success_rate)
    timed, slow = ends.timed[stop] - ends.timed[start], ends.slow[stop] - ends.slow[start]
    # p95 > limit exactly when fewer than ceil(0.95 n) values are at most the limit
    too_slow: Mask = (timed > 0) & (timed - slow < np.ceil(np.round(0.95 * timed, 9)))
    return bad | too_slow


def _running(flags: Mask) -> NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(flags, dtype=np.int64)))
