"""Recovery: when the service held again for good after a fault."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from battle.analysis.ends import Ends
from battle.analysis.indicator import NEVER, Measurement
from battle.analysis.statistics import Mask
from battle.core.record_source import PIECE
from battle.core.units import NS_PER_S

_AT_LEAST = 20
_FAILURES = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """What a good second is: the least success rate, and the highest p95 in ns (None: latency does not count)."""

    success_rate: float
    p95_ns: float | None


def recovery(ends: Ends, limits: Limits, onset_ns: int, until_ns: int | None, size: int = PIECE) -> Measurement:
    """Recovery time: r − t₀ in ns, r the first instant after which no bad second comes until the after-window's end.

    Steps are the ends of requests from the onset t₀ to `until_ns` (None: to the very last). Each closes a trailing
    second, extended backwards until it holds at least 20 requests; that is bad when its success rate is below the limit
    with at least two failures, or when its (nearest-rank) p95 is over the limit. 0 when never bad, NEVER when the last
    step is bad, None when there was no step. The steps are looked at from the last one back,
    `size` at once. O(n log n).
    """
    first = int(np.searchsorted(ends.at_ns, onset_ns, side="left"))
    last = len(ends) if until_ns is None else int(np.searchsorted(ends.at_ns, until_ns, side="right"))
    if last <= first:
        return Measurement(None, 0, "no request ended after its onset")
    for stop in range(last, first, -size):
        steps = np.arange(max(first, stop - size), stop)
        bad = np.flatnonzero(_bad(ends, limits, steps))
        if len(bad):
            latest = int(steps[bad[-1]])
            since_ns = float(ends.at_ns[latest] - onset_ns)
            return Measurement(NEVER if latest == last - 1 else since_ns, last - first)
    return Measurement(0.0, last - first)


def _bad(ends: Ends, limits: Limits, steps: NDArray[np.int64]) -> Mask:
    second = np.searchsorted(ends.at_ns, ends.at_ns[steps] - NS_PER_S, side="right")
    start = np.maximum(np.minimum(second, steps + 1 - _AT_LEAST), 0)
    reach = slice(int(start.min()), int(steps[-1]) + 1)
    good, timed, slow = map(_running, (ends.ok(reach), ends.timed(reach), ends.slow(reach, limits.p95_ns)))
    start, stop = start - reach.start, steps + 1 - reach.start
    count = stop - start
    failures = count - (good[stop] - good[start])
    bad: Mask = (failures >= _FAILURES) & (1 - failures / count < limits.success_rate)
    measured = timed[stop] - timed[start]
    # p95 > limit exactly when fewer than ceil(0.95 n) values are at most the limit
    fast = measured - (slow[stop] - slow[start])
    too_slow: Mask = (measured > 0) & (fast < np.ceil(np.round(0.95 * measured, 9)))
    return bad | too_slow


def _running(flags: Mask) -> NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(flags, dtype=np.int64)))
