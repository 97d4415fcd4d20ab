"""run.json: what a run found, as one versioned document.

Instants are milliseconds from t0 (the end of the warm-up; earlier instants are negative), durations are milliseconds,
shares are in [0, 1]. A value that was not measured is null, never 0. `battle schema run` prints the JSON Schema
of this model.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from battle.core.verdict import Verdict

SCHEMA_VERSION = 1


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)


class ScenarioInfo(_Section):
    """Which scenario ran."""

    name: str
    description: str = ""
    seed: int
    tags: list[str] = Field(default_factory=list)
    sha256: str
    duration_ms: float


class SloResult(_Section):
    """One objective against the evidence. `required` and `actual` are in `unit`; `shown_*` are for people."""

    objective: str
    indicator: str
    window: str
    op: str
    required: float | None
    actual: float | Literal["never"] | None
    unit: str
    shown_required: str
    shown_actual: str
    samples: int | None
    verdict: Verdict
    reason: str | None = None
    guard: bool = False
    warn: bool = False
    implied: bool = False
    subject: str | None = None


class RequestStats(_Section):
    """Requests of one window or group. Latencies are response times over ok and failed.

    `total` counts HTTP requests and `calls` what they held, which is more where there are batches. Outcomes and errors
    are those of the calls.
    """

    total: int = 0
    calls: int = 0
    ok: int = 0
    failed: int = 0
    dropped: int = 0
    cancelled: int = 0
    success_rate: float | None = None
    throughput_per_s: float | None = None
    p50_latency_ms: float | None = None
    p90_latency_ms: float | None = None
    p95_latency_ms: float | None = None
    p99_latency_ms: float | None = None
    p99_9_latency_ms: float | None = None
    max_latency_ms: float | None = None
    mean_latency_ms: float | None = None
    stddev_latency_ms: float | None = None
    service_time_p50_ms: float | None = None
    service_time_p99_ms: float | None = None
    failover_count: int = 0
    errors: dict[str, int] = Field(default_factory=dict)


class RequestSection(RequestStats):
    """The whole run after the warm-up, and the same by group."""

    by_method: dict[str, RequestStats] = Field(default_factory=dict)
    by_provider: dict[str, RequestStats] = Field(default_factory=dict)
    by_stream: dict[str, RequestStats] = Field(default_factory=dict)
    warmup_total: int = 0
    height_regressions: int | None = None


class Attribution(_Section):
    """How requests were joined to the providers that served them."""

    joined: float | None = None
    by: dict[str, int] = Field(default_factory=dict)
    disagreements: int = 0
    answered_by_proxy: int = 0
    attempts_without_key: int = 0


class FailoverSection(_Section):
    """Requests that were tried at one provider and served by another."""

    count: int = 0
    proved: int = 0
    witnessed: int = 0
    hedges: int = 0
    ambiguous: int = 0
    late: int = 0
    rate: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    max_ms: float | None = None
    response_time_max_ms: float | None = None
    amplification: float | None = None
    attempts: int = 0
    refused_attempts: int | None = None
    attribution: Attribution = Field(default_factory=Attribution)


class OccurrenceResult(_Section):
    """One injection of a fault on one target: its four instants."""

    occurrence: int
    target: str
    injected_at_ms: float
    effective_at_ms: float | None = None
    rolled_back_at_ms: float | None = None
    cleared_at_ms: float | None = None
    verified: bool | None = None
    cleared: bool | None = None
    seen: str | None = None
    why: str | None = None


class FaultResult(_Section):
    """One fault of the scenario, over all its injections. `verified` is null when `verify: none` was declared."""

    name: str
    kind: str
    targets: list[str]
    injected_at_ms: float | None = None
    effective_at_ms: float | None = None
    rolled_back_at_ms: float | None = None
    cleared_at_ms: float | None = None
    verified: bool | None = None
    cleared: bool | None = None
    time_to_effect_ms: float | None = None
    time_to_clear_ms: float | None = None
    requests_touched: int | None = None
    touched_how: str | None = None
    detection_ms: float | Literal["never"] | None = None
    detection_source: str | None = None
    recovery_ms: float | Literal["never"] | None = None
    return_ms: float | Literal["never"] | None = None
    requests_failed: int | None = None
    why: str | None = None
    occurrences: list[OccurrenceResult] = Field(default_factory=list)


class Transition(_Section):
    """A provider went out of rotation, or came back."""

    provider: str
    state: str
    at_ms: float
    source: str


class BreakerSection(_Section):
    """What took providers out of rotation, from the proxy's own word or inferred from traffic (`source` says which)."""

    opens: int | None = None
    closes: int | None = None
    time_open_ms: float | None = None
    source: str | None = None
    transitions: list[Transition] = Field(default_factory=list)


class ProviderResult(_Section):
    """One provider: what reached it, and what became of it."""

    name: str
    kind: str
    attempts: int | None = None
    served: int = 0
    share: float | None = None
    failed_attempts: int | None = None
    restarts: int = 0
    unplanned_ends: int = 0


class WindowResult(_Section):
    """One span the analysis looked at."""

    name: str
    from_ms: float
    to_ms: float
    requests: RequestStats


class ProxyResources(_Section):
    """The proxy's process tree, sampled."""

    peak_memory_mb: float | None = None
    peak_processes: int | None = None
    cpu_percent_mean: float | None = None
    peak_open_files: int | None = None


class GeneratorResources(_Section):
    """The load generator's own quality, over all its workers: lateness, what it saw of itself, what it can do."""

    workers: int = 1
    send_lag_p50_ms: float | None = None
    send_lag_p99_ms: float | None = None
    send_lag_max_ms: float | None = None
    event_loop_lag_p99_ms: float | None = None
    event_loop_lag_max_ms: float | None = None
    event_loop_lags_over_limit: int | None = None
    gc_off: bool | None = None
    gc_collections: int | None = None
    preempted: int | None = None
    major_faults: int | None = None
    waited: int | None = None
    connection_wait_p99_ms: float | None = None
    connection_wait_max_ms: float | None = None
    cpu_percent_mean: float | None = None
    cpu_percent_by_worker: list[float | None] = Field(default_factory=list)
    peak_memory_mb: float | None = None
    planned: int | None = None
    sent: int | None = None
    peak_per_s: int | None = None
    calibrated_per_s: float | None = None
    calibrated_at: str | None = None
    calibration_stale: str | None = None


class SystemSection(_Section):
    """Resource use."""

    proxy: ProxyResources = Field(default_factory=ProxyResources)
    generator: GeneratorResources = Field(default_factory=GeneratorResources)


class Second(_Section):
    """One second of the run, for time lines. `from_ms` may be negative (warm-up)."""

    from_ms: float
    planned: float | None
    total: int
    ok: int
    p50_ms: float | None
    p95_ms: float | None
    max_ms: float | None
    by_provider: dict[str, int] = Field(default_factory=dict)


class Analysis(_Section):
    """Everything that was computed from the evidence."""

    requests: RequestSection = Field(default_factory=RequestSection)
    failover: FailoverSection = Field(default_factory=FailoverSection)
    faults: list[FaultResult] = Field(default_factory=list)
    circuit_breaker: BreakerSection = Field(default_factory=BreakerSection)
    providers: list[ProviderResult] = Field(default_factory=list)
    windows: list[WindowResult] = Field(default_factory=list)
    series: list[Second] = Field(default_factory=list)
    system: SystemSection = Field(default_factory=SystemSection)


class Notice(_Section):
    """Something that happened and that a reader must know: an unplanned end, an interruption, a warning."""

    at_ms: float | None
    level: Literal["error", "warning", "info"]
    text: str


class Environment(_Section):
    """What ran where."""

    battle: str
    python: str
    proxy: str | None = None
    host: dict[str, Any] = Field(default_factory=dict)


class Run(_Section):
    """The whole document. `passed` is true only for the verdict `pass`."""

    schema_version: int = SCHEMA_VERSION
    report_id: str
    started_at: str
    analysed_at: str
    verdict: Verdict
    passed: bool
    exit_code: int
    reasons: list[str] = Field(default_factory=list)
    ended: Literal["completed", "guard", "interrupted", "worker_lost", "disk_full", "setup_failed"] = "completed"
    disturbed: list[str] = Field(default_factory=list)
    scenario: ScenarioInfo
    slo_results: list[SloResult] = Field(default_factory=list)
    analysis: Analysis = Field(default_factory=Analysis)
    notices: list[Notice] = Field(default_factory=list)
    environment: Environment
