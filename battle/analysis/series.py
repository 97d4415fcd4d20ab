"""The run second by second."""

import numpy as np

from battle.analysis.reading import Reading
from battle.analysis.statistics import in_ms, percentiles
from battle.core.ports.load import OpenPattern
from battle.core.run import Second
from battle.core.units import NS_PER_MS, NS_PER_S

_RANKS = (50.0, 95.0, 100.0)


def per_second(reading: Reading) -> list[Second]:
    """One row a second from the start of the load to its end; requests stand in the second of their schedule."""
    columns = reading.columns
    start = reading.t0_ns - reading.scenario.warmup_ns
    if len(columns):
        start = min(start, int(columns.scheduled_ns.min()))
    start = reading.t0_ns - -(-(reading.t0_ns - start) // NS_PER_S) * NS_PER_S
    count = max(0, -(-(reading.end_ns - start) // NS_PER_S))
    second = (columns.scheduled_ns - start) // NS_PER_S
    order = np.argsort(second, kind="stable")
    bounds = np.searchsorted(second[order], np.arange(count + 1))
    rows = []
    for index in range(count):
        chosen = order[bounds[index] : bounds[index + 1]]
        offset = index * NS_PER_S + start - reading.t0_ns
        ended = chosen[columns.ended[chosen]] if len(chosen) else chosen
        p50, p95, longest = percentiles(columns.ended_ns[ended] - columns.scheduled_ns[ended], _RANKS)
        rows.append(
            Second(
                from_ms=offset / NS_PER_MS,
                planned=_planned(reading, offset),
                total=len(chosen),
                ok=int(np.count_nonzero(columns.ok[chosen])),
                p50_ms=in_ms(p50),
                p95_ms=in_ms(p95),
                max_ms=in_ms(longest),
                by_provider=_served(reading, chosen),
            )
        )
    return rows


def _served(reading: Reading, chosen: np.ndarray[tuple[int], np.dtype[np.int64]]) -> dict[str, int]:
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
