"""Batches: times and rates count HTTP requests, outcomes and attempts count calls."""

from typing import Any

import pytest
from analysis.build import Bench
from hdrh.histogram import HdrHistogram

from battle.analysis.keeping import choose_kept
from battle.analysis.lateness import late_by_ns
from battle.analysis.plan import Plan, shortfalls
from battle.analysis.reading import Reading, Selection
from battle.analysis.recorded import recorded
from battle.core.objective import parse_condition
from battle.core.recording import parse_line
from battle.core.records import REQUEST_MEMBER, REQUEST_PARTLY, ErrorClass, Outcome
from battle.engine.intervals import interval_log

OK, FAILED, DROPPED = Outcome.OK, Outcome.FAILED, Outcome.DROPPED
BATCH = {"batch": [{"method": "a"}, {"method": "b"}, {"method": "a", "write": True}], "weight": 3}
REQUESTS = [BATCH, {"method": "a"}]
"""Templates 0, 1 and 2 are the batch's, 3 is a call by itself."""


class Batches(Bench):
    """A bench whose stream sends batches and single calls."""

    def batch(self, at: float, *outcomes: Outcome, took: float = 20, provider: str = "alpha", **more: Any) -> list[int]:
        """A batch with these ends, each served by a provider unless it was dropped."""
        partly = 0 if set(outcomes) == {OK} else REQUEST_PARTLY
        numbers = []
        for place, outcome in enumerate(outcomes):
            flags = partly | (REQUEST_MEMBER if place else 0)
            error = ErrorClass.RPC_ERROR if outcome is FAILED else ErrorClass.NONE
            status = 0 if outcome is DROPPED else 200
            about = {"outcome": outcome, "error": error, "flags": flags, "template": place, "status": status, **more}
            numbers.append(self.request(at, took, **about))
            if outcome is not DROPPED:
                self.attempt(numbers[-1], provider, at + 1, at + took - 1, batch_index=place)
        return numbers


def batches(**more: Any) -> Batches:
    return Batches(**{"stream": {"requests": REQUESTS}, **more})


def value(bench: Bench, objective: str) -> Any:
    (result,) = (one for one in bench.run([objective]).slo_results if not one.implied)
    return result.actual, result.samples


@pytest.fixture(scope="module")
def mixed() -> Batches:
    """Ten batches of three calls, 40 ms each; in two of them one call failed. Ten single calls, 10 ms each."""
    bench = batches()
    for number in range(10):
        bench.batch(number * 100, OK, FAILED if number < 2 else OK, OK, took=40, lag=number)
        bench.served(number * 100 + 50, took=10, template=3)
    return bench


@pytest.mark.parametrize(
    ("objective", "found", "samples"),
    [
        ("success_rate >= 0%", 38 / 40, 40),
        ("error_rate <= 100%", 2 / 40, 40),
        ("success_rate >= 0% where method=b", 8 / 10, 10),
        ("success_rate >= 0% where method=a", 1, 30),
        ("throughput >= 0/s", 18 / 10, 20),  # two batches were not ok as a whole
        ("throughput >= 0/s where method=b", 8 / 10, 10),
        ("dropped <= 9", 0, 40),
        ("mean <= 1s", 25, 20),
        ("p50 <= 1s where method=b", 40, 10),
        ("mean <= 1s where method=a", 25, 20),  # once a batch, though each has two of them
        ("p50 <= 1s where stream=reads", 10, 20),
        ("send_lag.max <= 1s", 9, 20),
        ("service_time.max <= 1s", 40, 20),
        ("amplification <= 2", 1, 40),
        ("amplification.peak <= 2", 1, 40),
        ("provider_share >= 0%", 1, 40),
        ("failovers <= 0", 0, 40),
        ("duplicate_writes == 0", 0, 10),
    ],
)
def test_what_is_counted(mixed: Batches, objective: str, found: float, samples: int) -> None:
    assert value(mixed, objective) == (pytest.approx(found), samples)


def test_the_document(mixed: Batches) -> None:
    run = mixed.run()
    requests = run.analysis.requests
    assert (requests.total, requests.calls, requests.ok, requests.failed) == (20, 40, 38, 2)
    assert requests.throughput_per_s == pytest.approx(1.8)
    assert requests.mean_latency_ms == 25
    assert requests.errors == {"rpc_error": 2}
    by_method = {name: (one.total, one.calls, one.ok) for name, one in requests.by_method.items()}
    assert by_method == {"a": (20, 30, 30), "b": (10, 10, 8)}
    first, *others = run.analysis.series
    assert (first.total, first.ok, first.p50_ms, first.by_provider["alpha"]) == (20, 18, 10, 40)
    assert not any(second.total for second in others)
    assert (run.analysis.system.generator.sent, run.analysis.system.generator.send_lag_p50_ms) == (20, 0)
    assert run.analysis.failover.attribution.by["id"] == 38
    assert run.analysis.failover.attempts == 40


def test_histograms_hold_a_batch_once_for_each_method_in_it(mixed: Batches) -> None:
    lines = [line.split(",") for line in interval_log(mixed.evidence()).splitlines() if line.startswith("Tag=run.")]
    held = [(tag, HdrHistogram.decode(payload).get_total_count()) for tag, *_, payload in lines]
    assert held == [("Tag=run.reads.a", 10), ("Tag=run.reads.b", 10), ("Tag=run.reads.a", 10)]


def test_the_warm_up_counts_requests() -> None:
    bench = batches(warmup=1)
    bench.batch(-500, OK, OK, OK)
    bench.batch(500, OK, OK, OK)
    requests = bench.run().analysis.requests
    assert (requests.warmup_total, requests.total, requests.calls) == (1, 1, 3)


def test_a_batch_that_was_dropped_is_that_many_calls() -> None:
    bench = batches()
    bench.batch(0, OK, OK, OK)
    bench.batch(10, DROPPED, DROPPED, DROPPED)
    assert value(bench, "success_rate >= 0%") == (0.5, 6)
    assert value(bench, "dropped <= 9") == (3, 6)


def test_each_call_is_failed_over_by_itself() -> None:
    bench = batches()
    for at in range(0, 2000, 100):  # of three requests two take 10 ms, of five calls three take 40 ms
        bench.batch(at, OK, OK, OK, took=40)
        bench.steady(at + 50, at + 52, every=1, providers=("alpha",), took=10, template=3)
    for place, number in enumerate(bench.batch(2200, OK, OK, OK, provider="beta", took=90)):
        if place < 2:  # the third went to beta at once: a proxy took the batch apart
            bench.attempt(number, "alpha", 2200, closed=2200.5)
    bench.chaos = {"k": {"kind": "kill", "target": "alpha", "at": "2500ms", "for": "1s"}}
    bench.fault("k", injected=2500, effective=2500, rolled_back=3500, cleared=3500)
    run = bench.run()
    assert (run.analysis.failover.count, run.analysis.failover.attempts) == (2, 105)
    assert value(bench, "failover_time.max <= 1s") == (80, 1)


def test_planned_arrivals_are_requests() -> None:
    bench = batches(planned=100)
    for at in range(0, 1000, 10):
        bench.batch(at, OK, OK, OK)
    (throughput,) = (one for one in bench.run(["throughput >= 1/s"]).slo_results if not one.implied)
    assert throughput.verdict == "pass"
    short = batches(planned=200)
    short.requests, short.attempts = bench.requests, bench.attempts  # 300 calls do not make up for 100 requests
    (throughput,) = (one for one in short.run(["throughput >= 1/s"]).slo_results if not one.implied)
    assert throughput.verdict == "inconclusive"


def test_what_was_sent_of_the_load_is_counted_in_requests() -> None:
    bench = batches(planned=100)
    bench.steady(0, 970, template=3)
    for at in (970, 980, 990):
        bench.batch(at, DROPPED, DROPPED, DROPPED)
    (throughput,) = (one for one in bench.run(["throughput >= 1/s"]).slo_results if not one.implied)
    assert throughput.verdict == "pass", "97 of 100 requests were sent, and 97 of 106 calls"


def test_a_late_batch_is_late_once() -> None:
    bench = batches()
    bench.steady(0, 1990, template=3)
    bench.batch(1990, OK, OK, OK, took=200, lag=100)
    reading = Reading(bench.evidence())
    assert late_by_ns(reading, Selection(reading.windows.run())) is None, "one of 200 requests, three of 202 calls"


@pytest.mark.parametrize(("failing", "longest"), [(1, 0), (2, 300)])
def test_a_failed_batch_is_one_end_in_an_outage(failing: int, longest: float) -> None:
    bench = batches()
    for turn in range(10):
        bad = 3 <= turn < 3 + failing
        bench.batch(turn * 100, *([FAILED] * 3 if bad else [OK, OK, FAILED]))
    assert value(bench, "outage.max <= 1s")[0] == longest


def test_recovery_looks_at_the_success_of_calls_and_the_time_of_requests() -> None:
    def recovered(**late: Any) -> Any:
        bench = batches(chaos={"k": {"kind": "kill", "target": "alpha", "at": "3s", "for": "1s"}})
        for at in range(0, 10_000, 20):
            ends, took = [OK] * 3, 20.0
            if 3000 <= at < 4000:
                ends, took = late.get("ends", ends), late.get("took", took)
            bench.batch(at, *ends, took=took)
            if at >= 3000:
                bench.served(at, took=20, template=3)
        bench.fault("k", injected=3000, effective=3000, rolled_back=4000, cleared=4000)
        return value(bench, "recovery_time <= 1s")[0]

    assert recovered() == 0
    assert recovered(ends=[OK, OK, FAILED]) > 1000
    # half of the requests are slow, by whatever number of calls they are counted
    assert recovered(took=200.0) > 1000


@pytest.mark.parametrize(("slow_batch_from", "singles_took", "recovers_at_once"), [(3000, 10, True), (0, 50, False)])
def test_the_p95_of_recovery_is_that_of_requests(
    slow_batch_from: int, singles_took: float, recovers_at_once: bool
) -> None:
    """Of thirty requests in a second one is a batch, and slow: not so many that p95 shows it, but of calls it would."""
    bench = batches(chaos={"k": {"kind": "kill", "target": "alpha", "at": "3s", "for": "1s"}})
    for second in range(0, 10_000, 1000):
        for place in range(1, 30):
            bench.served(second + 30 * place, took=singles_took if second == 3000 else 10, template=3)
        bench.batch(second, OK, OK, OK, took=200 if second >= slow_batch_from else 10)
    bench.fault("k", injected=3000, effective=3000, rolled_back=4000, cleared=4000)
    assert (value(bench, "recovery_time <= 1s")[0] == 0) is recovers_at_once


def test_of_a_batch_that_failed_all_calls_are_kept() -> None:
    bench = batches()
    bench.batch(10, OK, OK, OK)
    bench.batch(20, OK, FAILED, OK)
    assert choose_kept(Reading(bench.evidence()), 0).mask.tolist() == [False] * 3 + [True] * 3


def test_a_recording_has_a_batch_as_one_line() -> None:
    bench = batches()
    bench.batch(10, OK, OK, OK)
    bench.served(15, template=3)
    lines = [parse_line(line) for line in recorded(bench.evidence(), "reads")]
    written = {"batch": [{"method": "a"}, {"method": "b"}, {"method": "a", "write": True}]}
    assert lines == [(10_000_000, written), (15_000_000, {"method": "a"})]


@pytest.mark.parametrize(
    ("objective", "samples"),
    [
        ("p50 <= 1s", 1000),
        ("p50 <= 1s where method=b", 750),
        ("p50 <= 1s where method=a", 1000),
        ("throughput >= 1/s", 1000),
        ("success_rate >= 0%", 2500),
        ("success_rate >= 0% where method=a", 1750),
        ("amplification <= 1 where method=b", 750),
        ("success_rate >= 0% where method=none-such", 0),
    ],
)
def test_the_plan(objective: str, samples: float) -> None:
    assert Plan(batches().scenario()).expected(parse_condition(objective)) == pytest.approx(samples)


def test_calls_are_enough_where_calls_are_counted() -> None:
    made = batches(slo=["success_rate >= 99.95%", "p99.9 <= 1s"]).scenario()
    (lacking,) = shortfalls(made)
    assert lacking.objective == 1
    assert Plan(made).expected_in_run() == 1000
