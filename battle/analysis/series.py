"""The run second by second."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from battle.analysis.reading import Reading
from battle.analysis.statistics import in_ms, percentiles
from battle.core.ports.load import OpenPattern
from battle.core.records import REQUEST_MEMBER, REQUEST_PARTLY, Outcome
from battle.core.run import Second
from battle.core.units import NS_PER_MS, NS_PER_S

_RANKS = (50.0, 95.0, 100.0)
_BATCH = 1 << 20


def per_second(reading: Reading, size: int = _BATCH) -> list[Second]:
    """One row a second from the start of the load to its end; requests stand in the second of their schedule."""
    columns = reading.columns
    start = reading.t0_ns - reading.scenario.warmup_ns
    if len(columns):
        start = min(start, int(columns.scheduled_ns.min()))
    start = reading.t0_ns - -(-(reading.t0_ns - start) // NS_PER_S) * NS_PER_S
    count = max(0, -(-(reading.end_ns - start) // NS_PER_S))
    second = np.empty(len(columns), np.int32)
    totals = np.zeros(count, np.int64)
    for place, part in columns.parts():
        second[place] = (part.scheduled_ns - start) // NS_PER_S
        totals += np.bincount(second[place], minlength=count)
    rows: list[Second] = []
    for first, last in _batches(totals, size):
        found = np.flatnonzero((second >= first) & (second < last))
        found = found[np.argsort(second[found], kind="stable")]
        bounds = np.cumsum([0, *totals[first:last]])
        for index in range(first, last):
            chosen = found[bounds[index - first] : bounds[index - first + 1]]
            rows.append(_row(reading, chosen, index * NS_PER_S + start - reading.t0_ns))
    return rows


def _batches(totals: NDArray[np.int64], size: int) -> Iterator[tuple[int, int]]:
    """Seconds that together hold at most `size` requests, one of them at the least: the first, and that behind them."""
    first, held = 0, 0
    for index, total in enumerate(totals.tolist()):
        if index > first and held + total > size:
            yield first, index
            first, held = index, 0
        held += total
    if first < len(totals):
        yield first, len(totals)


def _row(reading: Reading, chosen: NDArray[np.int64], offset_ns: int) -> Second:
    """What is served are calls; all else are HTTP requests, ok when all of their calls are."""
    columns = reading.columns
    leads = chosen[np.equal(columns.flags[chosen] & REQUEST_MEMBER, 0)]
    outcome, took = columns.outcome[leads], columns.took_ns[leads]
    ended = ((outcome == Outcome.OK) | (outcome == Outcome.FAILED)) & columns.has_end[leads]
    wholly_ok = (outcome == Outcome.OK) & np.equal(columns.flags[leads] & REQUEST_PARTLY, 0)
    p50, p95, longest = percentiles(took[ended], _RANKS, in_place=True)
    return Second(
        from_ms=offset_ns / NS_PER_MS,
        planned=_planned(reading, offset_ns),
        total=len(leads),
        ok=int(np.count_nonzero(wholly_ok)),
        p50_ms=in_ms(p50),
        p95_ms=in_ms(p95),
        max_ms=in_ms(longest),
        by_provider=_served(reading, chosen),
    )


def _served(reading: Reading, chosen: NDArray[np.int64]) -> dict[str, int]:
    serving = reading.joined.serving[chosen]
    counts = np.bincount(serving[serving >= 0], minlength=len(reading.provider_numbers))
    return {name: int(counts[number]) for name, number in reading.provider_numbers.items()}


def _planned(reading: Reading, offset_ns: int) -> float | None:
    """The arrivals planned for the second at this offset from t0; None while a closed phase decides by itself."""
    from_start = offset_ns + reading.scenario.warmup_ns
    total = 0.0
    for stream in reading.scenario.workload.values():
        begin = 0
        for pattern in stream.load:
            low, high = max(from_start, begin), min(from_start + NS_PER_S, begin + pattern.duration)
            if high > low:
                if not isinstance(pattern, OpenPattern):
                    return None
                total += pattern.planned_until(high - begin) - pattern.planned_until(low - begin)
            begin += pattern.duration
    return round(total, 3)
