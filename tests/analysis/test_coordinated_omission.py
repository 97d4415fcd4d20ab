"""A target that stalls for one second under 1,000/s: the percentiles that arithmetic demands, to the millisecond.

10 s at 1,000/s are 10,000 requests, due at k ms, k = 0 … 9,999. The target answers at once, but from 5,000 ms to
6,000 ms it answers nothing, and at 6,000 ms everything that waits. So request k takes 6,000 − k ms for
5,000 ≤ k < 6,000, that is each of 1, 2, …, 1,000 ms once, and 0 ms otherwise (9,000 times).

Sorted, the value at rank n (from 1) is 0 up to n = 9,000 and n − 9,000 ms from there. Percentile q is the value at
rank ceil(q · 10,000 / 100):

    p50    rank 5,000       0 ms        p90    rank 9,000       0 ms
    p95    rank 9,500     500 ms        p99    rank 9,900     900 ms
    p99.9  rank 9,990     990 ms        max    rank 10,000  1,000 ms
    mean = (1 + 2 + … + 1,000) / 10,000 = 500,500 / 10,000 = 50.05 ms
"""

from analysis.build import Bench

from battle.core.records import REQUEST_WAITED
from battle.core.run import Run

STALL_MS, END_MS = 5000, 6000


def stalled(*, connections: int | None) -> Run:
    """The run; with one connection, all but the first of those who wait do so before they are sent."""
    bench = Bench(rate=1000, planned=10_000)
    for k in range(10_000):
        took = END_MS - k if STALL_MS <= k < END_MS else 0
        waited = connections == 1 and STALL_MS < k < END_MS
        bench.request(k, took, lag=took if waited else 0, flags=REQUEST_WAITED if waited else 0)
    return bench.run(["p99 <= 100ms"])


def test_response_times_are_those_of_arithmetic() -> None:
    for connections in (None, 1):
        found = stalled(connections=connections).analysis.requests
        assert found.total == 10_000
        assert (found.p50_latency_ms, found.p90_latency_ms) == (0, 0)
        assert (found.p95_latency_ms, found.p99_latency_ms, found.p99_9_latency_ms) == (500, 900, 990)
        assert (found.max_latency_ms, found.mean_latency_ms) == (1000, 50.05)


def test_service_time_hides_what_waited_for_a_connection() -> None:
    """With one connection a single request is on its way during the stall: 1 of 10,000 took 1 s, the others 0 ms."""
    run = stalled(connections=1)
    assert (run.analysis.requests.service_time_p50_ms, run.analysis.requests.service_time_p99_ms) == (0, 0)
    assert stalled(connections=None).analysis.requests.service_time_p99_ms == 900


def test_the_wait_for_a_connection_is_told_and_is_no_lateness_of_the_generator() -> None:
    """999 waited, for each of 1 … 999 ms: p99 is at rank ceil(989.01) = 990."""
    run = stalled(connections=1)
    found = run.analysis.system.generator
    assert (found.waited, found.connection_wait_p99_ms, found.connection_wait_max_ms) == (999, 990, 999)
    assert found.send_lag_max_ms == 0
    assert run.slo_results[1].verdict == "fail", "a stall is the target's own, so the objective is judged"


def test_a_closed_loop_would_have_hidden_it() -> None:
    """One user who waits for each answer and sends every ms sends 9,001 requests in 10 s, of which one took 1 s."""
    bench = Bench(rate=900)
    for k in range(10_000):
        if not STALL_MS < k < END_MS:
            bench.request(k, END_MS - k if k == STALL_MS else 0)
    found = bench.run(["p99 <= 100ms"]).analysis.requests
    assert (found.total, found.p99_latency_ms, found.p99_9_latency_ms, found.max_latency_ms) == (9001, 0, 0, 1000)
