"""Indicators whose value can be counted by hand."""

from dataclasses import replace
from typing import Any

import pytest
from analysis.build import Bench

from battle.analysis import catalogue
from battle.analysis.indicator import indicators
from battle.analysis.judge import analyse
from battle.core.journal import EventKind
from battle.core.objective import parse_condition
from battle.core.records import ErrorClass


def value(bench: Bench, objective: Any) -> Any:
    return next(one.actual for one in bench.run([objective]).slo_results if not one.implied)


def test_every_family_enters_its_indicators() -> None:
    assert catalogue.FAMILIES
    assert {"success_rate", "p99.9", "service_time.p50", "send_lag.max", "failover_time.p95", "recovery_time"} <= set(
        indicators()
    )
    for name in indicators():
        assert parse_condition(f"{name} <= 1").indicator == name


def test_what_is_not_measured_is_not_known() -> None:
    assert not {"stale_reads", "breaker.missed_opens", "subscription.uptime"} & set(indicators())


# ── outages ──────────────────────────────────────────────────────────────────


def outage(*failing: Any, load: Any = (0, 10_000), **more: Any) -> Bench:
    """A request each 100 ms that takes 10 ms; those scheduled in the spans fail."""
    bench = Bench(**more)
    for at in range(*load, 100):
        if any(start <= at < stop for start, stop in failing):
            bench.failed(at, 10)
        else:
            bench.served(at, took=10)
    return bench


@pytest.mark.parametrize(
    ("bench", "longest", "total"),
    [
        pytest.param(outage(), 0, 0, id="none"),
        pytest.param(outage((2000, 3000)), 1100, 1100, id="from the last good answer to the next"),
        pytest.param(outage((2000, 2100)), 0, 0, id="a single failure is no outage"),
        pytest.param(outage((2000, 2200), (5000, 6000)), 1100, 1400, id="two"),
        pytest.param(outage((0, 1000)), 1010, 1010, id="from t0"),
        pytest.param(outage((9000, 10_000)), 1090, 1090, id="to the end of the load"),
        pytest.param(outage((0, 10_000)), 10_000, 10_000, id="the whole run"),
        pytest.param(outage(load=(0, 2000)), 0, 0, id="no load is no outage"),
        pytest.param(outage((0, 1), load=(0, 1)), 10_000, 10_000, id="nothing but one failure"),
    ],
)
def test_outages(bench: Bench, longest: Any, total: Any) -> None:
    assert value(bench, "outage.max <= 1s") == longest
    assert value(bench, "outage.total <= 1s") == total


def test_an_outage_counts_as_far_as_it_lies_in_the_window() -> None:
    chaos = {"kill": {"kind": "kill", "target": "alpha", "at": "2s", "for": "500ms"}}
    bench = outage((2000, 3000), chaos=chaos)
    bench.fault("kill", injected=2000, effective=2100, rolled_back=2500, cleared=2600)
    assert value(bench, "outage.max <= 1s during kill") == 500
    assert value(bench, "outage.max <= 1s after kill") == 3010 - 2600


# ── amplification ────────────────────────────────────────────────────────────


def test_amplification() -> None:
    bench = Bench()
    for at in range(0, 4000, 10):
        number = bench.served(at)
        if 2000 <= at < 2500:
            bench.attempt(number, "beta", at + 2, closed=at + 5)
    assert value(bench, "amplification <= 2") == pytest.approx(450 / 400)
    assert value(bench, "amplification.peak <= 2") == pytest.approx(1.5)


# ── heights ──────────────────────────────────────────────────────────────────


def heights(*answers: Any, allowed: Any = None, **more: Any) -> Bench:
    """Answers as (start, end, height) in ms."""
    bench = Bench(stream={} if allowed is None else {"allowed_lag": allowed}, **more)
    for start, end, height in answers:
        bench.request(start, end - start, height=height)
    return bench


@pytest.mark.parametrize(
    ("answers", "regressions"),
    [
        pytest.param([(0, 10, 5), (20, 30, 5), (40, 50, 6)], 0, id="growing"),
        pytest.param([(0, 10, 6), (20, 30, 5)], 1, id="lower, after the higher one had ended"),
        pytest.param([(0, 30, 6), (20, 40, 5)], 0, id="they overlapped: a slower provider is not accused"),
        pytest.param([(0, 20, 6), (20, 30, 5)], 0, id="started as the other ended"),
        pytest.param([(0, 10, 6), (20, 30, 5), (40, 50, 4)], 2, id="each answer once, against the highest"),
        pytest.param([(0, 10, 6), (5, 90, 3), (20, 30, 7)], 0, id="ended late, started early"),
        pytest.param([(0, 10, 0), (20, 30, 0)], 0, id="block zero is a height"),
    ],
)
def test_height_regressions(answers: Any, regressions: Any) -> None:
    assert value(heights(*answers), "height_regressions == 0") == regressions
    assert heights(*answers).run().analysis.requests.height_regressions == regressions


@pytest.mark.parametrize(("allowed", "regressions"), [(0, 2), (1, 1), (2, 0), (None, 2)])
def test_allowed_lag(allowed: Any, regressions: Any) -> None:
    bench = heights((0, 10, 6), (20, 30, 5), (40, 50, 4), allowed=allowed)
    assert value(bench, "height_regressions == 0") == regressions


def test_providers_that_are_no_mocks_may_lag_by_one() -> None:
    bench = heights((0, 10, 6), (20, 30, 5), (40, 50, 4), provider_kind="url")
    assert value(bench, "height_regressions == 0") == 1


def test_failed_answers_have_no_height() -> None:
    bench = heights((0, 10, 6))
    bench.failed(20, 10, ErrorClass.RPC_ERROR, height=5)
    assert value(bench, "height_regressions == 0") == 0


# ── writes ───────────────────────────────────────────────────────────────────


def test_duplicate_writes() -> None:
    stream = {"requests": [{"method": "eth_blockNumber"}, {"method": "eth_sendRawTransaction", "write": True}]}
    bench = Bench(stream=stream)
    for at, template in ((0, 1), (100, 1), (200, 1), (300, 0)):
        number = bench.request(at, 50, template=template)
        bench.attempt(number, "alpha", at + 1, closed=at + 10, executed=template == 0 or at != 100)
        bench.attempt(number, "beta", at + 12, at + 49)
    # 0 and 200 were executed twice; of 100 the first attempt was refused; 300 is a read
    assert value(bench, "duplicate_writes == 0") == 2


def test_a_late_execution_counts() -> None:
    stream = {"requests": [{"method": "eth_sendRawTransaction", "write": True}]}
    bench = Bench(stream=stream)
    number = bench.served(0, "beta", 50)
    bench.attempt(number, "alpha", 4000, closed=4001, executed=True)
    assert value(bench, "duplicate_writes == 0") == 1


# ── resources ────────────────────────────────────────────────────────────────


def test_resources_of_the_proxy() -> None:
    bench = Bench(warmup=1)
    bench.steady(0, 10_000)
    for at, memory, cpu, files in ((-500, 900, 0.0, 99), (0, 40, 1.0, 10), (4000, 80, 3.0, 30), (8000, 60, 5.0, None)):
        bench.event(
            at, EventKind.SAMPLE, of="proxy", rss_bytes=memory * 10**6, cpu_s=cpu, processes=2, open_files=files
        )
    bench.event(5000, EventKind.SAMPLE, of="generator", rss_bytes=10**9, cpu_s=9.0, processes=1, open_files=500)
    assert value(bench, "proxy.memory_max <= 1GB") == 80_000_000
    assert value(bench, "proxy.cpu <= 100%") == pytest.approx(0.5)
    assert value(bench, "proxy.open_files <= 100") == 30
    system = bench.run().analysis.system
    assert (system.proxy.peak_memory_mb, system.proxy.cpu_percent_mean, system.proxy.peak_processes) == (80, 50, 2)
    assert (system.generator.peak_memory_mb, system.generator.cpu_percent_mean) == (1000, None)


def test_the_processor_of_each_worker_is_told_when_there_are_several() -> None:
    bench = Bench()
    for at, each in ((1000, [1.0, 2.0]), (2000, [1.25, 2.5]), (3000, [1.5, None])):
        known = [cpu for cpu in each if cpu is not None]
        bench.event(
            at, EventKind.SAMPLE, of="generator", rss_bytes=1, cpu_s=sum(known), processes=1, open_files=1,
            cpu_s_each=each,
        )  # fmt: skip
    evidence = bench.evidence()
    started = evidence.first(EventKind.LOAD_STARTED)
    assert started is not None
    alone = analyse(evidence, analysed_at="now").analysis.system.generator
    assert (alone.workers, alone.cpu_percent_by_worker) == (1, [])
    started.fields["worker_pids"] = [11, 12]
    both = analyse(replace(evidence), analysed_at="now").analysis.system.generator
    assert (both.workers, both.cpu_percent_by_worker) == (2, [25, 50])


def test_a_proxy_that_was_not_watched() -> None:
    bench = Bench()
    bench.steady(0, 10_000)
    assert value(bench, "proxy.memory_max <= 1GB") is None


def test_processor_time_does_not_run_backwards() -> None:
    bench = Bench()
    bench.steady(0, 10_000)
    for at, cpu in ((0, 4.0), (2000, 5.0), (4000, 1.0), (8000, 4.0)):  # a worker ended before 4,000
        bench.event(at, EventKind.SAMPLE, of="proxy", rss_bytes=1, cpu_s=cpu, processes=1, open_files=1)
    assert value(bench, "proxy.cpu <= 100%") == pytest.approx((1 + 0 + 3) / 8)
