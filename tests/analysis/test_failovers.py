"""Each row is one request with its attempts; what it is follows from DESIGN's definitions."""

from dataclasses import replace
from typing import Any

import pytest
from analysis.build import Bench

from battle.core.journal import EventKind
from battle.core.records import ErrorClass, Outcome

PROXY = {"kind": "envoy", "attempt_timeout": "500ms"}


def counts(bench: Bench) -> dict[str, int]:
    found = bench.run().analysis.failover
    return {
        name: getattr(found, name) for name in ("proved", "witnessed", "hedges", "ambiguous") if getattr(found, name)
    }


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        pytest.param([("alpha", 101, 119, None)], {}, id="one attempt"),
        pytest.param(
            [("alpha", 101, 110, None), ("beta", 112, 119, None)], {"proved": 1}, id="answered badly, then beta"
        ),
        pytest.param([("alpha", 101, None, 110), ("beta", 112, 119, None)], {"proved": 1}, id="abandoned, then beta"),
        pytest.param(
            [("alpha", 101, None, 161), ("beta", 112, 700, None)], {"proved": 1}, id="abandoned 49 ms after beta came"
        ),
        pytest.param(
            [("alpha", 101, None, 163), ("beta", 112, 700, None)], {"hedges": 1}, id="alive for 51 ms after beta came"
        ),
        pytest.param([("alpha", 101, None, 110), ("alpha", 112, 119, None)], {}, id="a retry at the same provider"),
        pytest.param(
            [("alpha", 101, None, 105), ("alpha", 106, None, 110), ("beta", 112, 119, None)],
            {"proved": 1},
            id="a retry, then beta: one failover",
        ),
        pytest.param(
            [("alpha", 101, None, 105), ("beta", 106, None, 110), ("alpha", 112, 119, None)],
            {"proved": 1},
            id="there and back again",
        ),
        pytest.param([("alpha", 101, 119, None), ("beta", 110, None, 125)], {"hedges": 1}, id="a hedge that lost"),
        pytest.param([("alpha", 101, None, None), ("beta", 551, 560, None)], {"proved": 1}, id="hung for 0.9 timeouts"),
        pytest.param([("alpha", 101, None, None), ("beta", 550, 560, None)], {"ambiguous": 1}, id="hung for less"),
        pytest.param([("alpha", 101, None, None), ("alpha", 620, 640, None)], {}, id="hung, and retried at the same"),
    ],
)
def test_what_a_request_was(attempts: Any, expected: Any) -> None:
    bench = Bench(proxy=PROXY)
    bench.steady(0, 100)
    number = bench.request(100, 1000)
    for provider, arrived, answered, closed in attempts:
        bench.attempt(number, provider, arrived, answered, closed=closed)
    assert counts(bench) == expected


def test_order_of_the_records_does_not_matter() -> None:
    bench = Bench(proxy=PROXY)
    number = bench.request(100, 100)
    bench.attempt(number, "beta", 112, 119)
    bench.attempt(number, "alpha", 101, closed=110)
    assert counts(bench) == {"proved": 1}


def test_a_request_that_nobody_served_was_no_failover() -> None:
    bench = Bench(proxy=PROXY)
    number = bench.failed(100, 2000, ErrorClass.TIMEOUT)
    bench.attempt(number, "alpha", 101, closed=601)
    bench.attempt(number, "beta", 602, closed=1102)
    assert counts(bench) == {}


def test_a_bad_answer_that_reached_the_client_was_served() -> None:
    bench = Bench(proxy=PROXY)
    number = bench.request(100, 50, outcome=Outcome.FAILED, error=ErrorClass.HTTP_5XX, status=500)
    bench.attempt(number, "alpha", 101, closed=110)
    bench.attempt(number, "beta", 112, 140, status=500)
    found = bench.run().analysis
    assert found.failover.proved == 1
    assert found.failover.max_ms is None  # it did not succeed, so it has no failover time
    assert found.requests.by_provider["beta"].failed == 1


def test_an_attempt_in_flight_ends_with_its_process() -> None:
    bench = Bench(proxy=PROXY)
    number = bench.request(100, 100)
    bench.attempt(number, "alpha", 101)
    bench.event(110, EventKind.PROVIDER_ENDED, provider="alpha", incarnation=1, planned=True, status=-9)
    bench.attempt(number, "beta", 112, 190)
    assert counts(bench) == {"proved": 1}


def test_another_incarnation_ended() -> None:
    bench = Bench(proxy=PROXY)
    number = bench.request(100, 100)
    bench.attempt(number, "alpha", 101, incarnation=2)
    bench.event(110, EventKind.PROVIDER_ENDED, provider="alpha", incarnation=1, planned=True, status=-9)
    bench.attempt(number, "beta", 112, 190)
    assert counts(bench) == {"ambiguous": 1}


@pytest.mark.parametrize(
    ("witness", "expected"),
    [
        # Envoy: two attempts, one recorded: the other was refused
        ({"witness_provider": 1, "witness_attempts": 2}, {"witnessed": 1}),
        ({"witness_provider": 1, "witness_attempts": 1}, {}),
        # it names another server than the records: no evidence of anything
        ({"witness_provider": 2, "witness_attempts": 2}, {}),
        # nginx: the list of hops begins elsewhere
        ({"witness_provider": 1, "witness_attempts": 2, "witness_first": 0}, {"witnessed": 1}),
        ({"witness_provider": 1, "witness_attempts": 1, "witness_first": 1}, {}),
        ({"witness_provider": 1, "witness_attempts": 2, "witness_first": 1}, {}),
        ({}, {}),
    ],
)
def test_witnessed(witness: Any, expected: Any) -> None:
    bench = Bench(proxy=PROXY)
    bench.served(100, "beta", **witness)
    assert counts(bench) == expected


def test_witnessed_needs_the_record_of_who_served() -> None:
    bench = Bench(proxy=PROXY)
    bench.request(100, 20, witness_provider=1, witness_attempts=2)
    assert counts(bench) == {}


def test_a_recorded_retry_is_not_witnessed_again() -> None:
    bench = Bench(proxy=PROXY)
    number = bench.request(100, 20, witness_provider=0, witness_attempts=2)
    bench.attempt(number, "alpha", 101, closed=105)
    bench.attempt(number, "alpha", 106, 118)
    assert counts(bench) == {}


def paused() -> Bench:
    """Alpha is stopped from 1,000 to 4,000 ms."""
    bench = Bench(proxy=PROXY, chaos={"stop": {"kind": "pause", "target": "alpha", "at": "1s", "for": "3s"}})
    bench.fault("stop", injected=1000, effective=1010, rolled_back=4000, cleared=4010)
    return bench


def test_in_flight_at_a_stopped_provider_closes_in_the_record_only_when_it_goes_on() -> None:
    bench = paused()
    number = bench.request(990, 600)
    bench.attempt(number, "alpha", 995, closed=4001)
    bench.attempt(number, "beta", 1495, 1580)
    assert counts(bench) == {"proved": 1}


def test_too_soon_after_a_stop_to_tell() -> None:
    bench = paused()
    number = bench.request(990, 600)
    bench.attempt(number, "alpha", 995, closed=4001)
    bench.attempt(number, "beta", 1200, 1580)
    assert counts(bench) == {"ambiguous": 1}


def test_late_arrivals_are_outside_the_order_of_attempts() -> None:
    bench = paused()
    number = bench.request(1100, 600, witness_provider=1, witness_attempts=2)
    bench.attempt(number, "beta", 1605, 1690)
    bench.attempt(number, "alpha", 4001, closed=4002)  # was in the socket since 1,101
    found = bench.run().analysis.failover
    assert (found.proved, found.witnessed, found.hedges, found.late) == (0, 1, 0, 1)
    assert (found.attempts, found.amplification) == (2, 2)
    assert found.refused_attempts == 1


def test_late_while_the_client_still_waited() -> None:
    bench = paused()
    number = bench.request(3800, 900, witness_provider=1, witness_attempts=2)
    bench.attempt(number, "beta", 3900, 4690)
    bench.attempt(number, "alpha", 4001, closed=4002)
    found = bench.run().analysis.failover
    assert (found.witnessed, found.hedges, found.late) == (1, 0, 1)


def test_failover_time_is_the_response_time_beyond_the_baselines_median() -> None:
    bench = Bench(proxy=PROXY)
    bench.steady(0, 2000)
    for at, took in ((2000, 100), (2010, 400), (2020, 15)):
        number = bench.request(at, took)
        bench.attempt(number, "alpha", at + 1, closed=at + 5)
        bench.attempt(number, "beta", at + 6, at + took - 1)
    found = bench.run().analysis.failover
    assert (found.count, found.p50_ms, found.max_ms) == (3, 80, 380)
    assert found.response_time_max_ms == 400
    mean = bench.run(["failover_time.mean <= 1s"]).slo_results[1].actual
    assert mean == pytest.approx((80 + 380 + 0) / 3, abs=0.001)  # 15 ms are faster than the median: not below 0
    assert found.rate == pytest.approx(3 / 203, abs=1e-6)


def test_an_arrival_after_the_client_gave_up_is_late() -> None:
    bench = Bench(proxy=PROXY)
    number = bench.request(100, 50)
    bench.attempt(number, "alpha", 101, 149)
    bench.attempt(number, "beta", 160, 170)
    found = bench.run().analysis.failover
    assert (found.late, found.hedges) == (1, 0)


def test_a_hedge_stays_a_hedge_when_the_proxy_knows_of_more_attempts() -> None:
    bench = Bench(proxy=PROXY)
    number = bench.request(100, 20, witness_provider=0, witness_attempts=3)
    bench.attempt(number, "alpha", 101, 119)
    bench.attempt(number, "beta", 110, closed=125)
    assert counts(bench) == {"hedges": 1}


def test_a_process_that_was_killed_later_was_alive() -> None:
    bench = Bench(proxy=PROXY, chaos={"kill": {"kind": "kill", "target": "alpha", "at": "1s", "for": "1s"}})
    bench.fault("kill", injected=1000, effective=1010, rolled_back=2000, cleared=2010)
    bench.event(1001, EventKind.PROVIDER_ENDED, provider="alpha", incarnation=1, planned=True, status=-9)
    number = bench.request(100, 2000)
    bench.attempt(number, "alpha", 101)
    bench.attempt(number, "beta", 200, 2090)
    assert counts(bench) == {"hedges": 1}


@pytest.mark.parametrize("planned", [True, False])
def test_an_end_is_noted_late_on_a_busy_machine(planned: bool) -> None:
    chaos = {"kill": {"kind": "kill", "target": "alpha", "at": "1s", "for": "1s"}} if planned else {}
    bench = Bench(proxy=PROXY, chaos=chaos)
    if planned:
        bench.fault("kill", injected=1150, effective=1160, rolled_back=2000, cleared=2010)
        bench.events[0] = replace(bench.events[0], at_ns=bench.events[0].at_ns - 150_000_000)  # begun at 999
    bench.event(1140, EventKind.PROVIDER_ENDED, provider="alpha", incarnation=1, planned=planned, status=-9)
    number = bench.request(990, 200)
    bench.attempt(number, "alpha", 1000)
    bench.attempt(number, "beta", 1030, 1180)  # tried as soon as the connection broke
    assert counts(bench) == {"proved": 1}
