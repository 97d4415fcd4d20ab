"""The report's tables on latency, groups, providers, breakers, errors and resources, free of any format."""

from collections.abc import Mapping

from battle.core.run import RequestStats, Run
from battle.reporters import wording as say
from battle.reporters.tables import Table

_LATENCIES = (
    ("p50", "p50_latency_ms"),
    ("p90", "p90_latency_ms"),
    ("p95", "p95_latency_ms"),
    ("p99", "p99_latency_ms"),
    ("p99.9", "p99_9_latency_ms"),
    ("max", "max_latency_ms"),
    ("mean", "mean_latency_ms"),
    ("σ", "stddev_latency_ms"),
)


def latency(run: Run) -> Table:
    """Response and service time of the whole run."""
    requests = run.analysis.requests
    service = {"p50": requests.service_time_p50_ms, "p99": requests.service_time_p99_ms}
    rows = (
        ("Response time", *(say.duration(getattr(requests, field)) for _, field in _LATENCIES)),
        ("Service time", *(say.duration(service.get(name)) for name, _ in _LATENCIES)),
    )
    return Table(("Time", *(f">{name}" for name, _ in _LATENCIES)), rows)


SERVICE_TIME = (
    "Service time counts from the send, response time from when a request was due. Where a target stalls, only the "
    "response time shows what those who had to wait went through."
)


def groups(first: str, members: Mapping[str, RequestStats]) -> Table:
    """Requests of several groups side by side."""
    rows = [(say.one_line(name), *_stats(stats)) for name, stats in members.items()]
    return Table((first, *_STATS), tuple(rows))


def windows(run: Run) -> Table:
    """Requests of each window."""
    rows = [
        (
            say.one_line(window.name),
            f"{say.instant(window.from_ms)} … {say.instant(window.to_ms)}",
            *_stats(window.requests),
        )
        for window in run.analysis.windows
    ]
    return Table(("Window", ">From … to", *_STATS), tuple(rows))


_STATS = (">Requests", ">Failed", ">Dropped", ">Success", ">p50", ">p95", ">p99", ">max")


def _stats(stats: RequestStats) -> tuple[str, ...]:
    return (
        say.count(stats.total),
        say.count(stats.failed),
        say.count(stats.dropped),
        say.share(stats.success_rate),
        say.duration(stats.p50_latency_ms),
        say.duration(stats.p95_latency_ms),
        say.duration(stats.p99_latency_ms),
        say.duration(stats.max_latency_ms),
    )


def providers(run: Run) -> Table:
    """What reached each provider, and what became of it."""
    rows = [
        (
            say.one_line(provider.name),
            provider.kind,
            say.count(provider.attempts),
            say.count(provider.served),
            say.share(provider.share),
            say.count(provider.failed_attempts),
            say.count(provider.restarts),
            say.count(provider.unplanned_ends),
        )
        for provider in run.analysis.providers
    ]
    columns = (">Attempts", ">Served", ">Share", ">Failed attempts", ">Restarts", ">Unplanned ends")
    return Table(("Provider", "Kind", *columns), tuple(rows))


def failover(run: Run) -> Table:
    """Failovers and what else had a second attempt."""
    found = run.analysis.failover
    rows = (
        ("Failovers", say.count(found.count)),
        ("— proved by the providers' records", say.count(found.proved)),
        ("— witnessed by the proxy", say.count(found.witnessed)),
        ("Share of requests", say.share(found.rate)),
        ("Failover time p50 / p95 / max", _three(found.p50_ms, found.p95_ms, found.max_ms)),
        ("Longest response time of a failed-over request", say.duration(found.response_time_max_ms)),
        ("Hedges / ambiguous / late", " / ".join(map(say.count, (found.hedges, found.ambiguous, found.late)))),
        ("Attempts at providers", say.count(found.attempts)),
        ("Refused attempts, known to the proxy only", say.count(found.refused_attempts)),
        ("Amplification", say.number(found.amplification)),
    )
    return Table(("What", ">Measured"), rows)


def transitions(run: Run) -> Table:
    """Each change of a breaker, and who says so."""
    rows = [
        (say.instant(change.at_ms), say.one_line(change.provider), change.state, say.one_line(change.source))
        for change in run.analysis.circuit_breaker.transitions
    ]
    return Table((">At", "Provider", "State", "Source"), tuple(rows))


def errors(run: Run) -> Table:
    """Failed requests by class, the most frequent first."""
    requests = run.analysis.requests
    calls = max(requests.calls, requests.total)  # stored runs of before may have no calls
    rows = [
        (name, say.count(failed), say.share(failed / calls if calls else None))
        for name, failed in sorted(requests.errors.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    return Table(("Error", ">Requests", ">Share"), tuple(rows))


def system(run: Run) -> Table:
    """Resource use of the proxy, and the generator's own quality."""
    proxy, generator = run.analysis.system.proxy, run.analysis.system.generator
    lag = _three(generator.send_lag_p50_ms, generator.send_lag_p99_ms, generator.send_lag_max_ms)
    rows = [
        ("Proxy: memory, at most", say.megabytes(proxy.peak_memory_mb)),
        ("Proxy: CPU, mean (100% is one core)", say.percent(proxy.cpu_percent_mean)),
        ("Proxy: processes, at most", say.count(proxy.peak_processes)),
        ("Proxy: open files, at most", say.count(proxy.peak_open_files)),
        ("Generator: send lag p50 / p99 / max", lag),
        (
            "Generator: event loop lag p99 / max",
            _three(generator.event_loop_lag_p99_ms, generator.event_loop_lag_max_ms),
        ),
        (
            "Generator: looks at the event loop that were over 5 ms late",
            say.count(generator.event_loop_lags_over_limit),
        ),
        ("Generator: garbage collections during the load", say.count(generator.gc_collections)),
        ("Generator: times preempted / major page faults", _two(generator.preempted, generator.major_faults)),
        ("Generator: requests that waited for a connection", say.count(generator.waited)),
        ("Generator: their wait p99 / max", _three(generator.connection_wait_p99_ms, generator.connection_wait_max_ms)),
        ("Generator: CPU, mean (100% is one core)", say.percent(generator.cpu_percent_mean)),
        ("Generator: memory, at most", say.megabytes(generator.peak_memory_mb)),
        ("Generator: requests planned / sent", f"{say.count(generator.planned)} / {say.count(generator.sent)}"),
        ("Generator: most requests in a second", say.count(generator.peak_per_s)),
    ]
    if generator.workers > 1:
        each = " / ".join(say.percent(share) for share in generator.cpu_percent_by_worker)
        rows.append((f"Generator: CPU of each of {generator.workers} workers, mean", each))
    return Table(("What", ">Measured"), tuple(rows))


def _two(first: int | None, second: int | None) -> str:
    return f"{say.count(first)} / {say.count(second)}"


def _three(*values: float | None) -> str:
    if all(value is None for value in values):
        return say.UNKNOWN
    return " / ".join(say.duration(value) for value in values)
