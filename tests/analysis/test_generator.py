"""What the generator says of itself, what to do about a late one, and how far it was from what it sustains."""

from typing import Any

import pytest
from analysis.build import Bench

from battle.analysis.judge import analyse
from battle.core.calibration import Calibration, Machine, Sustained
from battle.core.journal import EventKind
from battle.core.objective import Objective
from battle.core.records import REQUEST_MEMBER, REQUEST_WAITED, Outcome

HERE = Machine(cpu="x", cores=2, system="Linux 6", python="3.11.7", battle="0.1.0", loop="uvloop", precise_timer=True)
FOUND = Calibration(
    calibrated_at="2026-11-20T08:00:00Z",
    machine=HERE,
    one=Sustained(workers=1, open_per_s=21_000, lag_p99_ms=2, closed_per_s=50_000, limit="generator"),
    all_cores=Sustained(workers=2, open_per_s=30_000, lag_p99_ms=3, closed_per_s=70_000, limit="machine"),
)
TOLD = {
    "probes": 1000,
    "loop_lag_p99_ns": 300_000,
    "loop_lag_max_ns": 3_100_000,
    "loop_lags_over_limit": 0,
    "gc_off": True,
    "gc_collections": 0,
    "cpu_share": 0.5,
    "preempted": 4,
    "major_faults": 0,
}


def late(**told: Any) -> Bench:
    """A generator that was 50 ms late, so that a latency objective is broken."""
    bench = Bench()
    for number in range(1000):
        bench.served(number * 10, took=120, lag=50)
    if told:
        bench.event(10_100, EventKind.GENERATOR, **{**TOLD, **told})
    return bench


def reason(bench: Bench) -> str:
    return str(bench.run(["p95 <= 100ms"]).slo_results[1].reason)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, "send fewer requests per second, share them out with --workers, or use another machine"),
        ({"cpu_share": 0.97}, "its CPU was at 97% of a core: send fewer requests per second, or share them out with"),
        ({"cpu_share": 0.12}, "its CPU was only at 12% of a core: the machine was busy with something else"),
    ],
)
def test_the_reason_says_what_to_do(told: Any, words: str) -> None:
    said = reason(late(**told))
    assert said.startswith("the generator was late: send lag p99 50ms, over 10ms; ")
    assert words in said


@pytest.mark.parametrize(
    ("lag", "planned", "words"),
    [
        (0, 1000, "; the others were dropped, at max_in_flight or max_send_lag"),
        (50, 1000, "; send fewer requests per second"),
        (0, 1300, "were sent"),  # of 300 there is no record: nobody knows what became of them
    ],
)
def test_too_few_sent_says_why_as_far_as_that_is_known(lag: float, planned: int, words: str) -> None:
    bench = Bench(planned=planned)
    for number in range(1000):
        if number < 100:
            bench.request(number * 10, None, outcome=Outcome.DROPPED)
        else:
            bench.served(number * 10, took=60, lag=lag)
    said = str(bench.run(["throughput >= 10/s"]).slo_results[1].reason)
    assert said.startswith("only ")
    assert words in said
    assert ("dropped" in said, "fewer" in said) == (planned == 1000 and not lag, lag > 0)


def test_what_was_given_up_before_its_send_was_not_dropped() -> None:
    bench = Bench(planned=1000)
    for number in range(1000):
        if number < 100:
            bench.request(number * 10, 5000, outcome=Outcome.FAILED, started_ns=0)
        else:
            bench.served(number * 10)
    assert bench.run(["throughput >= 10/s"]).slo_results[1].reason == "only 90.0% of the planned arrivals were sent"


def test_the_cpu_counts_in_the_window_of_the_objective() -> None:
    bench = late(cpu_share=0.1)
    for at in range(0, 10_000, 500):
        bench.event(at, EventKind.SAMPLE, of="generator", cpu_s=at / 1000)
    assert "at 100% of a core: send fewer" in reason(bench)


def test_the_worst_worker_counts_and_the_rest_is_summed_up() -> None:
    bench = late(loop_lag_p99_ns=2_000_000)
    bench.event(10_101, EventKind.GENERATOR, **{**TOLD, "gc_off": False, "loop_lags_over_limit": 7})
    found = bench.run().analysis.system.generator
    assert (found.event_loop_lag_p99_ms, found.event_loop_lag_max_ms, found.event_loop_lags_over_limit) == (2, 3.1, 7)
    assert (found.gc_off, found.gc_collections, found.preempted) == (False, 0, 8)


def test_a_worker_that_was_lost_told_nothing() -> None:
    found = late().run().analysis.system.generator
    assert found.event_loop_lag_p99_ms is None
    assert found.gc_off is None
    assert found.gc_collections is None


def test_garbage_collected_during_the_load_is_noticed() -> None:
    def texts(collected: int) -> list[str]:
        return [it.text for it in late(gc_collections=collected).run().notices if "garbage" in it.text]

    assert texts(3) == ["the generator collected garbage 3 × during the load, which it never should"]
    assert texts(0) == []


def calibrated(**changed: Any) -> Bench:
    bench = Bench(planned=1000)
    bench.event(-500, EventKind.CALIBRATION, **FOUND.to_fields(HERE.model_copy(update=changed)))
    bench.steady(0, 10_000)
    return bench


def test_a_run_is_held_against_its_calibration() -> None:
    found = calibrated().run().analysis.system.generator
    assert (found.peak_per_s, found.calibrated_per_s, found.calibrated_at) == (100, 21_000, "2026-11-20T08:00:00Z")
    assert found.calibration_stale is None


def test_users_are_held_against_users_and_two_workers_against_all_cores() -> None:
    bench = calibrated()
    bench.stream = {"load": {"kind": "users", "users": 5, "duration": "10s"}}
    assert bench.run().analysis.system.generator.calibrated_per_s == 50_000
    evidence = bench.evidence()
    evidence.events[1].fields["worker_pids"] = [11, 12]
    found = analyse(evidence, analysed_at="2026-11-23T04:15:00Z").analysis.system.generator
    assert (found.workers, found.calibrated_per_s) == (2, 70_000)


def test_of_several_workers_the_busiest_decides_what_to_do() -> None:
    bench = late()
    bench.event(0, EventKind.SAMPLE, of="generator", cpu_s=0, cpu_s_each=[0, 0])
    bench.event(10_000 - 1, EventKind.SAMPLE, of="generator", cpu_s=12, cpu_s_each=[2.5, 9.5])
    evidence = bench.evidence()
    evidence.events[1].fields["worker_pids"] = [11, 12]
    asked = [Objective.model_validate("p95 <= 100ms")]
    run = analyse(evidence, analysed_at="2026-11-23T04:15:00Z", objectives=asked)
    assert "its CPU was at 95% of a core" in str(run.slo_results[1].reason)


def test_another_machine_or_version_makes_it_stale() -> None:
    found = calibrated(cores=8, battle="0.2.0").run().analysis.system.generator
    assert found.calibration_stale == "cores 2, now 8; battle 0.1.0, now 0.2.0"


def test_never_calibrated_is_none() -> None:
    found = late().run().analysis.system.generator
    assert (found.calibrated_per_s, found.calibrated_at, found.calibration_stale) == (None, None, None)


def test_the_peak_is_the_busiest_second_of_what_was_sent() -> None:
    bench = Bench()
    bench.steady(0, 5000, every=10)
    bench.steady(5000, 6000, every=4)
    bench.steady(6000, 10_000, every=10)
    assert bench.run().analysis.system.generator.peak_per_s == 250


def test_a_batch_is_sent_and_waits_once() -> None:
    bench = Bench(stream={"requests": [{"batch": [{"method": "eth_blockNumber"}] * 4}]})
    for number in range(1000):
        flags = REQUEST_WAITED | (REQUEST_MEMBER if number % 4 else 0)
        bench.served(number // 4 * 40, lag=3, flags=flags, template=number % 4)
    found = bench.run().analysis.system.generator
    assert (found.sent, found.waited, found.peak_per_s) == (250, 250, 25)
