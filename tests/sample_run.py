"""A realistic run document, as the failover scenario leaves it, and what bad days make of it."""

from battle.core.run import (
    Analysis,
    Attribution,
    BreakerSection,
    Environment,
    FailoverSection,
    FaultResult,
    GeneratorResources,
    Notice,
    OccurrenceResult,
    ProviderResult,
    ProxyResources,
    RequestSection,
    RequestStats,
    Run,
    ScenarioInfo,
    Second,
    SloResult,
    SystemSection,
    Transition,
    WindowResult,
)
from battle.core.verdict import Verdict

RUN_ID = "20261123T041500Z-provider-failover-a1b2c3"
INSTANTS = {"injected_at_ms": 6002.1, "effective_at_ms": 6014.8, "rolled_back_at_ms": 14391.0, "cleared_at_ms": 14402.7}


def objective(text: str, required: float, actual: float | None, shown: tuple[str, str], **fields: object) -> SloResult:
    indicator, op, *_ = text.split()
    settings: dict[str, object] = {"window": "run", "unit": "ms", "samples": 6021, "verdict": Verdict.PASS}
    return SloResult.model_validate(
        {
            "objective": text,
            "indicator": indicator,
            "op": op,
            "required": required,
            "actual": actual,
            "shown_required": shown[0],
            "shown_actual": shown[1],
            **settings,
            **fields,
        }
    )


def stats(total: int, failed: int = 0, **fields: object) -> RequestStats:
    measured = {
        "success_rate": (total - failed) / total,
        "throughput_per_s": 200.2,
        "p50_latency_ms": 41.2,
        "p90_latency_ms": 58.9,
        "p95_latency_ms": 61.2,
        "p99_latency_ms": 83.4,
        "max_latency_ms": 561.9,
        "mean_latency_ms": 40.6,
        "stddev_latency_ms": 19.8,
        "service_time_p50_ms": 41.1,
        "service_time_p99_ms": 83.2,
    }
    return RequestStats.model_validate({"total": total, "ok": total - failed, "failed": failed, **measured, **fields})


def _objectives() -> list[SloResult]:
    during = {"window": "during kill-alpha", "samples": 1679}
    fault = {"subject": "kill-alpha", "samples": 1}
    return [
        objective("success_rate >= 99.9%", 0.999, 0.99983, ("99.9%", "99.983%"), unit="share"),
        objective("p95 <= 250ms", 250, 61.2, ("250ms", "61.2ms")),
        objective("success_rate >= 99% during kill-alpha", 0.99, 0.9994, ("99%", "99.94%"), unit="share", **during),
        objective("recovery_time <= 2s", 2000, 0, ("2s", "0s"), **fault),
        objective("failover_time.max <= 1s", 1000, 520.7, ("1s", "520.7ms"), samples=47),
        objective("amplification <= 1.5", 1.5, 1.008, ("1.5", "1.008"), unit="number"),
        objective("height_regressions == 0", 0, 0, ("0", "0"), unit="number"),
    ]


def _fault() -> FaultResult:
    occurrence = OccurrenceResult(
        occurrence=0, target="alpha", verified=True, cleared=True, seen="refused after 0 ms", **INSTANTS
    )
    return FaultResult(
        name="kill-alpha",
        kind="kill",
        targets=["alpha"],
        **INSTANTS,
        verified=True,
        cleared=True,
        time_to_effect_ms=12.7,
        time_to_clear_ms=11.7,
        requests_touched=48,
        touched_how="records and witness",
        detection_ms=92.4,
        detection_source="envoy outlier log",
        recovery_ms=0.0,
        return_ms=1204.5,
        requests_failed=1,
        occurrences=[occurrence],
    )


def _series() -> list[Second]:
    return [
        Second(
            from_ms=1000.0 * second,
            planned=50 if second < 0 else 200,
            total=50 if second < 0 else 200,
            ok=199 if second == 6 else 50 if second < 0 else 200,
            p50_ms=41.0,
            p95_ms=540.0 if second == 6 else 61.0,
            max_ms=561.9 if second == 6 else 70.0,
            by_provider={"alpha": 0 if 6 <= second < 16 else 67, "beta": 67, "gamma": 66},
        )
        for second in range(-3, 30)
    ]


def _analysis() -> Analysis:
    whole = stats(6021, 1, p99_9_latency_ms=512.3, failover_count=47, errors={"timeout": 1})
    requests = RequestSection(
        **whole.model_dump(),
        by_method={"eth_blockNumber": stats(4817), "eth_getBalance": stats(1204, 1, errors={"timeout": 1})},
        by_provider={"alpha": stats(1440), "beta": stats(2301), "gamma": stats(2280, 1)},
        by_stream={"reads": stats(6021, 1)},
        warmup_total=150,
        height_regressions=0,
    )
    attribution = Attribution(joined=0.99983, by={"id": 6020, "header": 0, "param": 0, "witness": 0})
    failover = FailoverSection(
        count=47,
        proved=31,
        witnessed=16,
        rate=0.0078,
        p50_ms=18.2,
        p95_ms=509.1,
        max_ms=520.7,
        response_time_max_ms=561.9,
        amplification=1.008,
        attempts=6069,
        refused_attempts=16,
        attribution=attribution,
    )
    transitions = [
        Transition(provider="alpha", state="open", at_ms=6107.2, source="envoy outlier log"),
        Transition(provider="alpha", state="closed", at_ms=11204.9, source="envoy outlier log"),
        Transition(provider="alpha", state="open", at_ms=11231.4, source="envoy outlier log"),
        Transition(provider="alpha", state="closed", at_ms=15607.2, source="envoy outlier log"),
    ]
    windows = [("baseline", 0, 6002.1, 1204, 0), ("during kill-alpha", 6014.8, 14402.7, 1679, 1)]
    return Analysis(
        requests=requests,
        failover=failover,
        faults=[_fault()],
        circuit_breaker=BreakerSection(
            opens=2, closes=2, time_open_ms=9473.5, source="envoy outlier log", transitions=transitions
        ),
        providers=[
            ProviderResult(
                name="alpha", kind="mock", attempts=1488, served=1440, share=0.24, failed_attempts=31, restarts=1
            ),
            ProviderResult(name="beta", kind="mock", attempts=2301, served=2301, share=0.382, failed_attempts=0),
            ProviderResult(name="gamma", kind="mock", attempts=2280, served=2279, share=0.378, failed_attempts=1),
        ],
        windows=[
            WindowResult(name=name, from_ms=from_ms, to_ms=to_ms, requests=stats(total, failed))
            for name, from_ms, to_ms, total, failed in [*windows, ("after kill-alpha", 14402.7, 30000, 3138, 0)]
        ],
        series=_series(),
        system=SystemSection(
            proxy=ProxyResources(peak_memory_mb=48.3, peak_processes=1, cpu_percent_mean=6.2, peak_open_files=214),
            generator=GeneratorResources(
                send_lag_p50_ms=0.06,
                send_lag_p99_ms=0.41,
                send_lag_max_ms=2.9,
                event_loop_lag_p99_ms=0.3,
                event_loop_lag_max_ms=3.1,
                event_loop_lags_over_limit=0,
                gc_off=True,
                gc_collections=0,
                preempted=14,
                major_faults=0,
                waited=12,
                connection_wait_p99_ms=4.2,
                connection_wait_max_ms=5.0,
                cpu_percent_mean=4.1,
                peak_memory_mb=71.2,
                planned=6021,
                sent=6021,
                peak_per_s=201,
                calibrated_per_s=21_000,
                calibrated_at="2026-11-20T08:00:00Z",
            ),
        ),
    )


def passing_run() -> Run:
    """Kill the primary: noticed by the proxy, not by the clients."""
    return Run(
        report_id=RUN_ID,
        started_at="2026-11-23T04:15:00Z",
        analysed_at="2026-11-23T04:15:37Z",
        verdict=Verdict.PASS,
        passed=True,
        exit_code=0,
        scenario=ScenarioInfo(
            name="Provider failover",
            description="The primary provider dies under load. Clients must not notice.",
            seed=7,
            tags=["failover", "fast"],
            sha256="9f2c6f0f3f5f4a9d1b8f0a0e6d7c5b4a39281706f5e4d3c2b1a0918273645546",
            duration_ms=30000,
        ),
        slo_results=_objectives(),
        analysis=_analysis(),
        notices=[Notice(at_ms=None, level="info", text="envoy cannot honour `strategy: priority`")],
        environment=Environment(
            battle="0.1.0", python="3.11.7", proxy="envoy 1.40.0", host={"system": "Linux", "cpus": 2}
        ),
    )


def failing_run() -> Run:
    """No proxy in front: one objective broken, one never reached, one that cannot be judged."""
    during = {"window": "during kill-alpha", "samples": 1679}
    return passing_run().model_copy(
        update={
            "verdict": Verdict.FAIL,
            "passed": False,
            "exit_code": 1,
            "reasons": ["success_rate >= 99% during kill-alpha: 66.7%", "recovery_time <= 2s of kill-alpha: never"],
            "slo_results": [
                objective(
                    "success_rate >= 99% during kill-alpha",
                    0.99,
                    0.667,
                    ("99%", "66.7%"),
                    verdict=Verdict.FAIL,
                    **during,
                ),
                SloResult.model_validate(
                    objective("recovery_time <= 2s", 2000, None, ("2s", "never")).model_dump()
                    | {"actual": "never", "verdict": "fail", "subject": "kill-alpha", "samples": 1}
                ),
                objective(
                    "p99 <= 400ms",
                    400,
                    None,
                    ("400ms", ""),
                    samples=120,
                    verdict=Verdict.INCONCLUSIVE,
                    reason="p99 needs 1,000 requests, there were 120",
                ),
            ],
        }
    )


def empty_run() -> Run:
    """The proxy did not start: nothing was sent, and nothing was measured."""
    return Run(
        report_id=RUN_ID,
        started_at="2026-11-23T04:15:00Z",
        analysed_at="2026-11-23T04:15:01Z",
        verdict=Verdict.INCONCLUSIVE,
        passed=False,
        exit_code=4,
        reasons=["envoy did not start: exit status 1"],
        ended="setup_failed",
        scenario=ScenarioInfo(name="Provider failover", seed=7, sha256="9f2c", duration_ms=30000),
        environment=Environment(battle="0.1.0", python="3.11.7"),
    )


def disturbed_run() -> Run:
    """A rollback that could not be verified."""
    return failing_run().model_copy(update={"disturbed": ["alpha: still stopped (SIGSTOP)"], "exit_code": 5})
