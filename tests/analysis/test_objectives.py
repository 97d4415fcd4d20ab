from typing import Any

import pytest
from analysis.build import Bench, ns

from battle.core.journal import Event, EventKind
from battle.core.records import Outcome
from battle.core.run import SloResult

KILL = {"kind": "kill", "target": "alpha", "at": "4s", "for": "2s"}


def judged(bench: Bench, *objectives: Any) -> list[SloResult]:
    return [one for one in bench.run(list(objectives)).slo_results if not one.implied]


def thousand(failures: Any = 0, slow: Any = 0) -> Bench:
    """1,000 requests in 10 s; the first `failures` fail, the last `slow` take 300 ms instead of 20 ms."""
    bench = Bench()
    for number in range(1000):
        if number < failures:
            bench.failed(number * 10)
        else:
            bench.served(number * 10, "alpha", 300 if number >= 1000 - slow else 20)
    return bench


@pytest.mark.parametrize(
    ("objective", "failures", "slow", "verdict", "shown"),
    [
        ("success_rate >= 99%", 10, 0, "pass", "99%"),
        ("success_rate >= 99%", 11, 0, "fail", "98.9%"),
        ("success_rate > 99%", 10, 0, "fail", "99%"),
        ("success_rate >= 99.9%", 1, 0, "pass", "99.9%"),  # 1/(1 − 0.999) is 1,000 samples
        ("success_rate >= 99.95%", 0, 0, "inconclusive", "100%"),
        ("error_rate <= 1%", 10, 0, "pass", "1%"),
        ("error_rate <= 1%", 11, 0, "fail", "1.1%"),
        ("error_rate == 0", 0, 0, "pass", "0%"),
        ("p95 <= 250ms", 0, 50, "pass", "20ms"),
        ("p95 <= 250ms", 0, 51, "fail", "300ms"),
        ("p99 <= 250ms", 0, 10, "pass", "20ms"),
        ("p99.9 <= 250ms", 0, 0, "inconclusive", "20ms"),  # 10,000 samples
        ("max <= 300ms", 0, 1, "pass", "300ms"),
        ("max < 300ms", 0, 1, "fail", "300ms"),
        ("mean <= 20.28ms", 0, 1, "pass", "20.3ms"),
        ("throughput >= 99/s", 10, 0, "pass", "99/s"),
        ("throughput >= 99/s", 11, 0, "fail", "98.9/s"),
        ("dropped == 0", 0, 0, "pass", "0"),
        ("amplification <= 1", 0, 0, "pass", "1"),
        ("failovers == 0", 0, 0, "pass", "0"),
        ("failover_time.max <= 1s", 0, 0, "inconclusive", "unknown"),  # there was none
        ("provider_share >= 100% where provider=alpha", 0, 0, "pass", "100%"),
        ("provider_share <= 10% where provider=beta", 0, 0, "pass", "0%"),
        ("balance >= 50%", 0, 0, "fail", "33.33%"),
        ("success_rate >= 99% where stream=reads method=eth_blockNumber", 0, 0, "pass", "100%"),
        ("success_rate >= 99% where method=eth_call", 0, 0, "inconclusive", "unknown"),
        ("p95 <= 1s in steady", 0, 0, "pass", "20ms"),
        ("height_regressions == 0", 0, 0, "inconclusive", "unknown"),  # no answer tells a height
        ("duplicate_writes == 0", 0, 0, "inconclusive", "unknown"),
        ("recovery_time <= 1s", 0, 0, "inconclusive", "unknown"),  # there is no fault
        ("no_such_thing >= 1", 0, 0, "inconclusive", "unknown"),
    ],
)
def test_one_objective(objective: Any, failures: Any, slow: Any, verdict: Any, shown: Any) -> None:
    (result,) = judged(thousand(failures, slow), objective)
    assert (result.verdict, result.shown_actual) == (verdict, shown), result.reason
    assert (result.reason is None) == (verdict == "pass")


def test_values_stand_in_their_unit() -> None:
    latency, share, rate = judged(thousand(), "p95 <= 250ms", "success_rate >= 99%", "throughput >= 1/s")
    assert (latency.required, latency.actual, latency.unit, latency.samples) == (250, 20, "ms", 1000)
    assert (share.required, share.actual, share.unit) == (0.99, 1, "share")
    assert (rate.required, rate.actual, rate.unit) == (1, 100, "per_s")


@pytest.mark.parametrize(
    ("objective", "samples", "verdict"),
    [
        ("p95 <= 250ms", 99, "inconclusive"),
        ("p95 <= 250ms", 100, "pass"),
        ("p99 <= 250ms", 999, "inconclusive"),
        ("p99 <= 250ms", 1000, "pass"),
        ("success_rate >= 90%", 9, "inconclusive"),
        ("success_rate >= 90%", 10, "pass"),
        ({"objective": "p95 <= 250ms", "min_samples": 20}, 20, "pass"),
        ({"objective": "max <= 250ms", "min_samples": 21}, 20, "inconclusive"),
    ],
)
def test_sample_minima(objective: Any, samples: Any, verdict: Any) -> None:
    bench = Bench()
    for number in range(samples):
        bench.served(number * 5)
    (result,) = judged(bench, objective)
    assert result.verdict == verdict


def test_too_few_samples_are_not_broken_either() -> None:
    bench = Bench()
    for number in range(99):
        bench.served(number * 5, took=900)
    (result,) = judged(bench, "p95 <= 250ms")
    assert (result.verdict, result.reason) == ("inconclusive", "it needs 100 samples and has 99")


def test_implied_success_rate() -> None:
    run = thousand(failures=11).run(["p95 <= 1s"])
    implied = run.slo_results[0]
    assert (implied.objective, implied.implied, implied.verdict) == ("success_rate >= 99%", True, "fail")
    assert run.reasons == ["success_rate >= 99% (implied): measured 98.9% over 1,000 requests"]


@pytest.mark.parametrize("objective", ["success_rate >= 50%", "error_rate <= 50%", "success_rate >= 50% in steady"])
def test_nothing_is_implied_beside_an_objective_of_ones_own(objective: Any) -> None:
    assert not any(one.implied for one in thousand(failures=11).run([objective]).slo_results)


def test_a_warning_implies_nothing_away_and_is_not_judged() -> None:
    run = thousand(failures=5).run([{"objective": "success_rate >= 100%", "warn": True}])
    assert [(one.implied, one.verdict) for one in run.slo_results] == [(True, "pass"), (False, "fail")]
    assert run.verdict == "pass"


def faulted(**more: Any) -> Bench:
    bench = Bench(seconds=12, chaos={"kill": KILL}, **more)
    bench.steady(0, 12_000, witness_attempts=2, witness_provider=1)
    return bench


def test_a_void_window_cannot_be_judged() -> None:
    bench = faulted()
    bench.fault("kill", injected=4000, rolled_back=6000, cleared=6010)
    during, of, after, run = judged(
        bench, "p95 <= 1s during kill", "recovery_time <= 1s of kill", "p95 <= 1s after kill", "p95 <= 1s"
    )
    assert [one.verdict for one in (during, of, after, run)] == ["inconclusive"] * 3 + ["pass"]
    assert "not seen to take effect" in during.reason


def test_relative_to_the_baseline() -> None:
    bench = Bench(seconds=12, chaos={"kill": KILL})
    bench.steady(0, 4000)
    bench.steady(4000, 6000, took=30, witness_attempts=2)
    bench.steady(6000, 12_000)
    bench.fault("kill", injected=3999, effective=4000, rolled_back=5999, cleared=6000)
    good, bad = judged(bench, "p95 <= 1.5x baseline during kill", "p95 <= 1.4x baseline during kill")
    assert (good.verdict, good.required, good.shown_required) == ("pass", 30, "1.5x baseline (30ms)")
    assert (bad.verdict, bad.required) == ("fail", 28)


def test_relative_to_a_baseline_that_is_too_small() -> None:
    bench = Bench(seconds=12, chaos={"kill": KILL})
    bench.steady(3100, 12_000, witness_attempts=2)
    bench.fault("kill", injected=3999, effective=4000, rolled_back=5999, cleared=6000)
    (result,) = judged(bench, "p95 <= 1.5x baseline during kill")
    assert (result.verdict, result.required) == ("inconclusive", None)
    assert result.reason == "the baseline needs 100 samples and has 90"


def test_per_fault_indicators_are_judged_for_each_fault() -> None:
    chaos = {"one": KILL, "two": {**KILL, "target": "beta", "at": "8s"}}
    bench = Bench(seconds=12, chaos=chaos)
    bench.steady(0, 12_000, witness_attempts=2)
    bench.fault("one", injected=4000, effective=4010, rolled_back=5000, cleared=5500)
    bench.fault("two", "beta", injected=8000, effective=8300, rolled_back=9000, cleared=9100)
    results = judged(bench, "time_to_effect <= 100ms", "time_to_effect <= 1s of two", "time_to_clear <= 1s")
    assert [(one.subject, one.verdict, one.actual) for one in results] == [
        ("one", "pass", 10),
        ("two", "fail", 300),
        ("two", "pass", 300),
        ("one", "pass", 500),
        ("two", "pass", 100),
    ]


@pytest.mark.parametrize(
    ("objective", "unjoined", "verdict"),
    [
        ("amplification <= 2", 10, "pass"),
        ("amplification <= 2", 11, "inconclusive"),
        ("failovers == 0", 1, "pass"),
        ("failovers == 0", 2, "inconclusive"),
        ("p95 <= 1s where provider=alpha", 11, "inconclusive"),
        ("balance >= 1%", 11, "inconclusive"),
        ("p95 <= 1s", 11, "pass"),
    ],
)
def test_what_needs_attribution_needs_the_join(objective: Any, unjoined: Any, verdict: Any) -> None:
    bench = Bench()
    for number in range(1000):
        if number < unjoined:
            bench.request(number * 10)
        else:
            bench.served(number * 10)
    (result,) = judged(bench, objective)
    assert result.verdict == verdict


def test_a_broken_guard_fails() -> None:
    bench = thousand()
    bench.ended = "guard"
    guard = {"objective": "p95 <= 250ms", "guard": True}
    bench.events.append(Event(ns(5000), EventKind.GUARD_BROKEN, {"objective": "p95 <= 250ms", "actual": 3e8}))
    run = bench.run([guard, "max <= 1s"])
    assert [(one.objective, one.verdict) for one in run.slo_results[1:]] == [
        ("p95 <= 250ms", "fail"),
        ("max <= 1s", "pass"),
    ]
    assert (run.verdict, run.ended, run.exit_code) == ("fail", "guard", 1)
    assert run.reasons[0].startswith(
        "p95 <= 250ms: measured 20ms over 1,000 requests; the guard ended the run at 5.0 s"
    )


def test_cancelled_requests_are_outside() -> None:
    bench = thousand(failures=10)
    for at in range(0, 1000, 10):
        bench.request(at, 5, outcome=Outcome.CANCELLED)
    (result,) = judged(bench, "success_rate >= 99%")
    assert (result.verdict, result.samples) == ("pass", 1000)


def test_dropped_requests_count_against_success() -> None:
    bench = thousand()
    for at in range(0, 110, 10):
        bench.request(at, None, outcome=Outcome.DROPPED)
    rate, dropped = judged(bench, "success_rate >= 99%", "dropped <= 10")
    assert (rate.verdict, dropped.verdict, dropped.actual) == ("fail", "fail", 11)
