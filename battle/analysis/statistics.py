"""Exact statistics of what was recorded: percentiles, and the figures of a set of requests."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from battle.analysis.columns import Columns
from battle.analysis.narrow import counted
from battle.analysis.pieces import slices
from battle.core.record_source import PIECE
from battle.core.records import ErrorClass, Outcome
from battle.core.run import RequestStats
from battle.core.units import NS_PER_MS

LATENCY_RANKS = (50.0, 90.0, 95.0, 99.0, 99.9)

Mask = NDArray[np.bool_]
Instants = NDArray[np.int64]


def rank_of(percent: float, count: int) -> int:
    """The position, from 0, of a percentile among `count` sorted values: ceil(percent/100 × count) − 1.

    The nearest rank: the smallest recorded value that at least `percent` % of all values do not exceed, as
    HdrHistogram's getValueAtPercentile. It is always a value that occurred; nothing is interpolated.
    """
    return max(0, math.ceil(percent * count / 100) - 1)


def percentiles(values: Instants, ranks: Sequence[float], *, in_place: bool = False) -> list[int | None]:
    """The nearest-rank percentiles of values in any order, each None when there are no values. O(n).

    `in_place` leaves the values in another order, and takes no memory for a copy of them.
    """
    if not len(values):
        return [None] * len(ranks)
    positions = [rank_of(rank, len(values)) for rank in ranks]
    placed = values if in_place else values.copy()
    placed.partition(sorted(set(positions)))
    return [int(placed[position]) for position in positions]


def percentile(values: Instants, rank: float, *, in_place: bool = False) -> int | None:
    """One nearest-rank percentile, None of nothing."""
    return percentiles(values, [rank], in_place=in_place)[0]


def deviation(values: Instants, piece: int = PIECE) -> float:
    """The standard deviation of the population of values, of which there is at least one."""
    mean = values.mean()
    squares = math.fsum(float(np.square(values[place] - mean).sum()) for place in slices(len(values), piece))
    return math.sqrt(squares / len(values))


def in_ms(ns: float | None) -> float | None:
    """Nanoseconds as milliseconds, to the microsecond."""
    return None if ns is None else round(ns / NS_PER_MS, 3)


def jain(loads: Sequence[float]) -> float | None:
    """Jain's fairness index (Σx)² ÷ (n Σx²): 1 when all x are equal, 1/n when one has everything; None of nothing.

    R. Jain, D. Chiu, W. Hawe, "A Quantitative Measure of Fairness", DEC-TR-301, 1984.
    """
    squares = sum(load * load for load in loads)
    return sum(loads) ** 2 / (len(loads) * squares) if squares else None


def success_rate(ok: int, failed: int, dropped: int) -> float | None:
    """Success rate: ok ÷ (ok + failed + dropped), None of nothing. Cancelled requests are outside."""
    judged = ok + failed + dropped
    return ok / judged if judged else None


def request_stats(
    columns: Columns, mask: Mask, requests: Mask, seconds: float | None, failed_over: Mask
) -> RequestStats:
    """The figures of the calls in `mask` and of their HTTP requests, each of which is one of the calls.

    The window is `seconds` long (None: a rate has no meaning there). Outcomes are those of calls; rates and latencies
    are of HTTP requests, the latter of those with an end; the standard deviation is that of the population.
    """
    outcomes = counted(columns.outcome[mask])
    ok, failed, dropped = (int(outcomes[kind]) for kind in (Outcome.OK, Outcome.FAILED, Outcome.DROPPED))
    wholly_ok = int(np.count_nonzero(requests & columns.wholly_ok))
    service50, service99 = percentiles(columns.service_ns(requests), (50, 99), in_place=True)
    response = columns.response_ns(requests)
    mean, spread = (float(response.mean()), deviation(response)) if len(response) else (None, None)
    p50, p90, p95, p99, p99_9, longest = percentiles(response, (*LATENCY_RANKS, 100.0), in_place=True)
    return RequestStats(
        total=int(np.count_nonzero(requests)),
        calls=int(outcomes.sum()),
        ok=ok,
        failed=failed,
        dropped=dropped,
        cancelled=int(outcomes[Outcome.CANCELLED]),
        success_rate=success_rate(ok, failed, dropped),
        throughput_per_s=round(wholly_ok / seconds, 3) if seconds else None,
        p50_latency_ms=in_ms(p50),
        p90_latency_ms=in_ms(p90),
        p95_latency_ms=in_ms(p95),
        p99_latency_ms=in_ms(p99),
        p99_9_latency_ms=in_ms(p99_9),
        max_latency_ms=in_ms(longest),
        mean_latency_ms=in_ms(mean),
        stddev_latency_ms=in_ms(spread),
        service_time_p50_ms=in_ms(service50),
        service_time_p99_ms=in_ms(service99),
        failover_count=int(np.count_nonzero(failed_over & mask)),
        errors=_errors(columns, mask),
    )


def _errors(columns: Columns, mask: Mask) -> dict[str, int]:
    counts = counted(columns.error[mask & columns.failed])
    return {ErrorClass(code).label: int(n) for code, n in enumerate(counts) if n and code < len(ErrorClass)}
