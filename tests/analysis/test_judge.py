"""The document as a whole."""

import json
from dataclasses import replace
from typing import Any

import pytest
from analysis.build import Bench, ns

from battle.analysis.judge import analyse
from battle.core.journal import EventKind
from battle.core.records import ErrorClass, Outcome
from battle.core.run import Run


def test_the_same_evidence_gives_the_same_document() -> None:
    bench = Bench(slo=["success_rate >= 99%"])
    bench.steady(0, 10_000)
    assert bench.run().model_dump_json() == bench.run().model_dump_json()
    assert Run.model_validate(json.loads(bench.run().model_dump_json())) == bench.run()


def test_analysing_does_not_change_the_evidence() -> None:
    bench = Bench()
    bench.steady(0, 100)
    bench.request(200, 5, outcome=Outcome.UNFINISHED)
    evidence = bench.evidence()
    before = evidence.requests.copy()
    analyse(evidence, analysed_at="now")
    assert (evidence.requests == before).all()


def test_head() -> None:
    run = Bench(warmup=2).run()
    assert (run.report_id, run.started_at, run.analysed_at) == ("run", "2026-09-21T14:13:20Z", "2026-11-23T04:15:00Z")
    assert run.scenario.duration_ms == 10_000


def test_errors_by_class() -> None:
    bench = Bench()
    for error in (ErrorClass.TIMEOUT, ErrorClass.TIMEOUT, ErrorClass.HTTP_5XX):
        bench.failed(0, error=error)
    bench.served(10)
    assert bench.run().analysis.requests.errors == {"timeout": 2, "http_5xx": 1}


def test_latencies_are_over_ok_and_failed() -> None:
    bench = Bench()
    bench.served(0, took=10)
    bench.failed(0, took=30)
    bench.request(0, 500, outcome=Outcome.CANCELLED)
    bench.request(0, None, outcome=Outcome.DROPPED)
    found = bench.run().analysis.requests
    assert (found.p50_latency_ms, found.max_latency_ms, found.mean_latency_ms) == (10, 30, 20)
    assert found.stddev_latency_ms == 10
    assert (found.total, found.ok, found.failed, found.dropped, found.cancelled) == (4, 1, 1, 1, 1)


def test_response_time_counts_from_the_schedule_and_service_time_from_the_send() -> None:
    bench = Bench()
    bench.served(0, took=100, lag=60)
    bench.failed(10, took=100, error=ErrorClass.TIMEOUT, started_ns=0)  # never sent
    found = bench.run().analysis.requests
    assert (found.p99_latency_ms, found.service_time_p99_ms) == (100, 40)


def test_groups() -> None:
    stream = {"requests": [{"method": "eth_blockNumber"}, {"method": "eth_call"}]}
    bench = Bench(stream=stream)
    bench.served(0, "alpha", template=0)
    bench.served(10, "beta", template=1)
    bench.served(20, "beta", template=1)
    found = bench.run().analysis.requests
    assert {name: group.total for name, group in found.by_method.items()} == {"eth_blockNumber": 1, "eth_call": 2}
    assert {name: group.total for name, group in found.by_provider.items()} == {"alpha": 1, "beta": 2}
    assert {name: group.total for name, group in found.by_stream.items()} == {"reads": 3}


def test_providers() -> None:
    bench = Bench()
    retried = bench.request(0, 50)
    bench.attempt(retried, "alpha", 1, 5, status=500)
    bench.attempt(retried, "beta", 6, 49)
    bench.served(100, "beta")
    for incarnation in (1, 2):
        bench.event(incarnation, EventKind.PROVIDER_STARTED, provider="alpha", incarnation=incarnation)
    alpha, beta, gamma = bench.run().analysis.providers
    assert (alpha.attempts, alpha.served, alpha.share, alpha.failed_attempts, alpha.restarts) == (1, 0, 0, 1, 1)
    assert (beta.attempts, beta.served, beta.share, beta.failed_attempts, beta.restarts) == (2, 2, 1, 0, 0)
    assert (gamma.attempts, gamma.served) == (0, 0)


def test_seconds() -> None:
    bench = Bench(seconds=2.5, warmup=1)
    bench.steady(-1000, 2500)
    bench.failed(1500)
    seconds = bench.run().analysis.series
    assert [(one.from_ms, one.planned, one.total, one.ok) for one in seconds] == [
        (-1000, 100, 100, 100),
        (0, 100, 100, 100),
        (1000, 100, 101, 100),
        (2000, 50, 50, 50),
    ]
    assert seconds[1].p95_ms == 20
    assert sum(seconds[1].by_provider.values()) == 100


def test_a_second_without_requests_has_no_latency() -> None:
    bench = Bench(seconds=2)
    bench.steady(0, 1000)
    last = bench.run().analysis.series[1]
    assert (last.total, last.p50_ms, last.max_ms) == (0, None, None)


def test_a_second_is_planned_by_what_the_rate_does_in_it() -> None:
    spikes = {"kind": "spike", "rate": "0/s", "peak": "1000/s", "every": "1s", "width": "10ms", "duration": "3s"}
    bench = Bench(stream={"load": [spikes]}, seconds=3)
    assert [one.planned for one in bench.run().analysis.series] == [0, 10, 10]


def test_users_have_no_planned_rate() -> None:
    bench = Bench(stream={"load": [{"kind": "users", "users": 2, "duration": "2s"}]}, seconds=2)
    assert [one.planned for one in bench.run().analysis.series] == [None, None]


def test_windows_of_the_report() -> None:
    chaos = {"kill": {"kind": "kill", "target": "alpha", "at": "4s", "for": "2s"}}
    bench = Bench(chaos=chaos)
    bench.steady(0, 10_000)
    bench.fault("kill", injected=4000, effective=4100, rolled_back=6000, cleared=6200)
    assert [(one.name, one.from_ms, one.to_ms, one.requests.total) for one in bench.run().analysis.windows] == [
        ("baseline", 0, 3999, 400),
        ("during kill", 4100, 6200, 210),
        ("after kill", 6200, 10_000, 380),
        ("in steady", 0, 10_000, 1000),
    ]


@pytest.mark.parametrize(("given", "shown"), [({}, "unknown"), ({"python": "3.11.7", "more": 1}, "3.11.7")])
def test_environment(given: Any, shown: Any) -> None:
    bench = Bench()
    bench.event(-5, EventKind.PROXY_STARTED, proxy="envoy", pid=1, version="envoy 1.40.0", address="127.0.0.1:1")
    evidence = bench.evidence()
    run = analyse(replace(evidence, environment=given), analysed_at="now")
    assert (run.environment.python, run.environment.proxy) == (shown, "envoy 1.40.0")


def test_failed_meanwhile_counts_what_overlaps() -> None:
    chaos = {"kill": {"kind": "kill", "target": "alpha", "at": "4s", "for": "2s"}}
    bench = Bench(chaos=chaos)
    bench.fault("kill", injected=4000, effective=4100, rolled_back=6000, cleared=6200)
    bench.failed(3000, 500)
    bench.failed(3990, 500)  # in flight when it came
    bench.failed(5000, 10)
    bench.failed(6300, 10)
    bench.served(5000)
    assert bench.run().analysis.faults[0].requests_failed == 2


def test_key_base_is_told_by_the_journal() -> None:
    bench = Bench()
    evidence = bench.evidence()
    assert evidence.t0_ns == ns(0)
    assert evidence.key_base & ((1 << 33) - 1) == 0
