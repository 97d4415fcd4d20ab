"""A late generator can only make the proxy look worse, never better."""

from typing import Any

import pytest
from analysis.build import Bench

from battle.core.records import Outcome


def run_of(took: float, lag: float, *, planned: int | None = None, dropped: int = 0) -> Bench:
    """1,000 requests that take `took` ms from their schedule, all sent `lag` ms late."""
    bench = Bench(planned=planned)
    for number in range(1000):
        if number < dropped:
            bench.request(number * 10, None, outcome=Outcome.DROPPED)
        else:
            bench.served(number * 10, took=took, lag=lag)
    return bench


def verdicts(bench: Bench, *objectives: Any) -> list[str]:
    return [one.verdict for one in bench.run(list(objectives)).slo_results if not one.implied]


@pytest.mark.parametrize(
    ("took", "lag", "objective", "verdict"),
    [
        (90, 50, "p95 <= 100ms", "pass"),  # it holds in spite of the lag
        (120, 50, "p95 <= 100ms", "inconclusive"),  # broken, and 70 ms of service are not
        (160, 50, "p95 <= 100ms", "fail"),  # 110 ms of service break it too
        (120, 9, "p95 <= 100ms", "fail"),  # 9 ms are not over 10 % of the objective
        (120, 11, "p95 <= 115ms", "fail"),  # nor 11 ms of this one
        (120, 12, "p95 <= 115ms", "inconclusive"),
        (30, 4.9, "p95 <= 28ms", "fail"),  # under 5 ms is never late
        (30, 5.1, "p95 <= 28ms", "inconclusive"),
        (120, 50, "mean <= 100ms", "inconclusive"),
        (120, 50, "max <= 100ms", "inconclusive"),
        (160, 50, "service_time.p95 <= 100ms", "fail"),
        (120, 50, "success_rate >= 99%", "pass"),
        (120, 50, "throughput >= 200/s", "fail"),
    ],
)
def test_a_late_generator(took: Any, lag: Any, objective: Any, verdict: Any) -> None:
    assert verdicts(run_of(took, lag), objective) == [verdict]


def test_the_tightest_latency_objective_sets_the_limit() -> None:
    # 60 ms are 6 % of 1 s, but 60 % of 100 ms
    assert verdicts(run_of(1030, 60), "p95 <= 1s") == ["fail"]
    assert verdicts(run_of(1030, 60), "p95 <= 1s", "p50 <= 100ms") == ["inconclusive", "fail"]


def test_lag_counts_in_the_window_of_the_objective() -> None:
    bench = Bench()
    for number in range(1000):
        bench.served(number * 10, took=120, lag=50 if number >= 500 else 0)
    chaos = {
        "load": [
            {"kind": "constant", "rate": "100/s", "duration": "5s", "name": "early"},
            {"kind": "constant", "rate": "100/s", "duration": "5s", "name": "late"},
        ]
    }
    bench.stream = chaos
    for number, row in enumerate(bench.requests):
        row["phase"] = number // 500
    assert verdicts(bench, "p95 <= 100ms in early", "p95 <= 100ms in late") == ["fail", "inconclusive"]


@pytest.mark.parametrize(
    ("planned", "objective", "verdict"),
    [
        (1090, "p95 <= 100ms", "pass"),  # 90 fewer are no more than 3 √1,090
        (1110, "p95 <= 100ms", "inconclusive"),  # 110 are
        (1110, "throughput >= 50/s", "inconclusive"),
        (1110, "throughput >= 200/s", "inconclusive"),
        (1110, "p95 <= 10ms", "fail"),  # broken even under less load
        (1110, "success_rate >= 99%", "inconclusive"),  # of 110 arrivals there is no record
        (1110, "amplification <= 2", "pass"),
        (None, "p95 <= 100ms", "pass"),  # users have no plan
    ],
)
def test_too_few_of_the_planned_arrivals_were_sent(planned: Any, objective: Any, verdict: Any) -> None:
    assert verdicts(run_of(20, 0, planned=planned), objective) == [verdict]


def test_what_was_dropped_because_the_proxy_hung_is_the_proxys_failure() -> None:
    bench = run_of(20, 0, planned=1000, dropped=100)
    assert verdicts(bench, "success_rate >= 99%", "dropped == 0", "p95 <= 100ms") == ["fail", "fail", "inconclusive"]


def test_what_a_late_generator_dropped_is_not() -> None:
    bench = run_of(60, 50, planned=1000, dropped=100)
    assert verdicts(bench, "success_rate >= 99%", "dropped == 0") == ["inconclusive", "inconclusive"]


def test_the_generators_own_figures() -> None:
    found = run_of(20, 3, planned=1000).run().analysis.system.generator
    assert (found.planned, found.sent) == (1000, 1000)
    assert (found.send_lag_p50_ms, found.send_lag_p99_ms, found.send_lag_max_ms) == (3, 3, 3)


def test_a_plan_counts_what_is_due_after_the_warm_up() -> None:
    bench = Bench(warmup=5, planned=1000)
    bench.steady(-5000, 10_000)
    found = bench.run()
    assert found.verdict == "pass"
    assert (found.analysis.system.generator.planned, found.analysis.system.generator.sent) == (1000, 1000)


@pytest.mark.parametrize(
    "more",
    [{"ended": "guard", "load_ended_ms": 5000}, {"stream": {"max_requests": 500}}],
    ids=["ended early", "limited"],
)
def test_a_plan_that_was_cut_short_is_none(more: Any) -> None:
    bench = Bench(planned=1000, **more)
    bench.steady(0, 5000)
    found = bench.run(["p95 <= 100ms"])
    assert found.analysis.system.generator.planned is None
    assert found.slo_results[1].verdict == "pass"
