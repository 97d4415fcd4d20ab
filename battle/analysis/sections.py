"""The sections of run.json that describe the run as a whole: requests, failovers, providers, breakers, resources."""

import numpy as np

from battle.analysis.attribution import JoinedBy
from battle.analysis.generator import generator_section
from battle.analysis.indicator import indicators
from battle.analysis.indicators.correctness import height_regressions
from battle.analysis.indicators.failover import failover_times_ns
from battle.analysis.indicators.providers import served_counts
from battle.analysis.key_index import NOBODY
from battle.analysis.narrow import counted
from battle.analysis.reading import Reading, Selection
from battle.analysis.samples import cpu_share, samples_of
from battle.analysis.statistics import Mask, in_ms, percentiles, request_stats
from battle.analysis.windows import Window
from battle.core.journal import Event, EventKind
from battle.core.records import NO_HEIGHT
from battle.core.run import (
    Attribution,
    BreakerSection,
    FailoverSection,
    ProviderResult,
    ProxyResources,
    RequestSection,
    RequestStats,
    SystemSection,
    Transition,
    WindowResult,
)
from battle.core.units import NS_PER_MS

_MB = 1_000_000


def _run(reading: Reading) -> Selection:
    return Selection(reading.windows.run())


def _stats(reading: Reading, selection: Selection) -> RequestStats:
    calls, requests = reading.mask(selection), reading.requests(selection)
    return request_stats(reading.columns, calls, requests, selection.window.seconds, reading.failovers.failed_over)


def request_section(reading: Reading) -> RequestSection:
    """All requests after the warm-up, and the same by method, serving provider and stream."""
    run = _run(reading)
    mask, columns = reading.mask(run), reading.columns

    def grouped(key: str, names: list[str]) -> dict[str, RequestStats]:
        found = {name: _stats(reading, Selection(run.window, ((key, name),))) for name in names}
        return {name: stats for name, stats in found.items() if stats.calls}

    with_height = mask & columns.ok & (columns.height > NO_HEIGHT)
    return RequestSection(
        **_stats(reading, run).model_dump(),
        by_method=grouped("method", list(dict.fromkeys(one.label for one in reading.scenario.templates))),
        by_provider=grouped("provider", list(reading.provider_numbers)),
        by_stream=grouped("stream", list(reading.scenario.workload)),
        warmup_total=int(np.count_nonzero(~reading.in_run & columns.leads)),
        height_regressions=int(np.count_nonzero(mask & height_regressions(reading))) if np.any(with_height) else None,
    )


def failover_section(reading: Reading) -> FailoverSection:
    """Failovers by the grade of their evidence, what they cost, and how the join went."""
    run = _run(reading)
    mask, requests, found = reading.mask(run), reading.requests(run), reading.failovers
    times, response = failover_times_ns(reading, requests) or (np.zeros(0, np.int64), np.zeros(0, np.int64))
    p50, p95, longest = percentiles(times, (50, 95, 100), in_place=True)
    refused = reading.unrecorded.attempts[mask[reading.unrecorded.request]]
    knows_refused = reading.tells_attempts and bool(np.all(reading.keeps_records))
    rate = indicators()["failover_rate"].measure(reading, run).value if np.any(reading.keeps_records) else None
    return FailoverSection(
        count=_count(mask & found.failed_over),
        proved=_count(mask & found.proved),
        witnessed=_count(mask & found.witnessed),
        hedges=_count(mask & found.hedged),
        ambiguous=_count(mask & found.ambiguous),
        late=reading.received.late,
        rate=_number(rate),
        p50_ms=in_ms(p50),
        p95_ms=in_ms(p95),
        max_ms=in_ms(longest),
        response_time_max_ms=in_ms(int(response.max())) if len(response) else None,
        amplification=_number(indicators()["amplification"].measure(reading, run).value),
        attempts=int(reading.received.attempts.sum()),
        refused_attempts=int(refused.sum()) if knows_refused else None,
        attribution=_attribution(reading, mask),
    )


def _attribution(reading: Reading, mask: Mask) -> Attribution:
    joined, columns = reading.joined, reading.columns
    answers = mask & columns.ok & ~joined.by_proxy
    counts = counted(joined.joined_by[answers])
    if not reading.provider_numbers:
        return Attribution()
    by = {how.name.lower(): int(counts[how]) for how in JoinedBy if how is not JoinedBy.NONE}
    if not by["direct"]:
        del by["direct"]
    by["none"] = _count(answers & (joined.serving == NOBODY))
    return Attribution(
        joined=joined.joined_share(columns, mask),
        by=by,
        disagreements=_count(mask & joined.disagrees),
        answered_by_proxy=_count(mask & joined.by_proxy),
        attempts_without_key=reading.received.without_key,
    )


def provider_section(reading: Reading) -> list[ProviderResult]:
    """What reached each provider after the warm-up, and what became of it."""
    received, served = reading.received, served_counts(reading, _run(reading))
    total = sum(served)
    results = []
    for name, number in reading.provider_numbers.items():
        provider = reading.scenario.setup.providers[name]
        results.append(
            ProviderResult(
                name=name,
                kind=provider.kind,
                attempts=int(received.attempts[number]) if provider.keeps_records else None,
                served=served[number],
                share=round(served[number] / total, 6) if total else None,
                failed_attempts=int(received.failed[number]) if provider.keeps_records else None,
                restarts=max(0, len(_of_provider(reading, EventKind.PROVIDER_STARTED, name)) - 1),
                unplanned_ends=sum(
                    event.fields.get("planned") is False
                    for event in _of_provider(reading, EventKind.PROVIDER_ENDED, name)
                ),
            )
        )
    return results


def breaker_section(reading: Reading) -> BreakerSection:
    """Every change of rotation after t0, and how long providers were out."""
    breakers, window = reading.breakers, reading.windows.run()
    if breakers.source is None:
        return BreakerSection()
    return BreakerSection(
        opens=breakers.counted("open", window.spans),
        closes=breakers.counted("closed", window.spans),
        time_open_ms=in_ms(breakers.open_ns(window.spans)),
        source=breakers.source,
        transitions=[
            Transition(
                provider=one.provider,
                state=one.state,
                at_ms=round((one.at_ns - reading.t0_ns) / NS_PER_MS, 3),
                source=one.source,
            )
            for one in breakers.changes
        ],
    )


def window_section(reading: Reading) -> list[WindowResult]:
    """The baseline, every fault's during and after, and every phase, as far as they have any length."""
    windows: list[Window] = [reading.windows.baseline()] if reading.faults else []
    for name in reading.faults:
        windows += [reading.windows.during(name), reading.windows.after(name)]
    windows += reading.windows.phases()
    return [
        WindowResult(
            name=window.name,
            from_ms=round(((window.from_ns or 0) - reading.t0_ns) / NS_PER_MS, 3),
            to_ms=round(((window.to_ns or 0) - reading.t0_ns) / NS_PER_MS, 3),
            requests=_stats(reading, Selection(window)),
        )
        for window in windows
        if window.spans
    ]


def system_section(reading: Reading) -> SystemSection:
    """What the proxy and the load generator used, and how well the generator kept its schedule."""
    proxy = samples_of(reading.evidence, "proxy", reading.windows.run())
    memory = [one.values["rss_bytes"] for one in proxy if "rss_bytes" in one.values]
    return SystemSection(
        proxy=ProxyResources(
            peak_memory_mb=round(max(memory) / _MB, 3) if memory else None,
            peak_processes=max((one.values["processes"] for one in proxy if "processes" in one.values), default=None),
            cpu_percent_mean=_percent(cpu_share(proxy)),
            peak_open_files=max(
                (one.values["open_files"] for one in proxy if "open_files" in one.values), default=None
            ),
        ),
        generator=generator_section(reading),
    )


def failed_meanwhile(reading: Reading, fault: str) -> int:
    """Requests that failed and whose time, from schedule to end, overlaps with the fault's."""
    columns = reading.columns
    failed = np.flatnonzero(reading.in_run & columns.failed)
    scheduled = columns.scheduled_ns[failed]
    finished = scheduled + columns.took_ns[failed]
    met = np.zeros(len(failed), dtype=np.bool_)
    for start, stop in reading.faults[fault].in_force(reading.end_ns):
        met |= (finished >= start) & (scheduled < stop)
    return _count(met)


def _of_provider(reading: Reading, kind: EventKind, name: str) -> list[Event]:
    return [event for event in reading.evidence.of_kind(kind) if event.fields.get("provider") == name]


def _count(mask: Mask) -> int:
    return int(np.count_nonzero(mask))


def _number(value: object) -> float | None:
    return round(value, 6) if isinstance(value, float) else None


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 2)
