"""Detection and return, on runs with a request each 10 ms, a third of them at alpha."""

from typing import Any

import pytest
from analysis.build import Bench

from battle.core.journal import EventKind
from battle.core.run import FaultResult

HANG = {"kind": "hang", "target": "alpha", "at": "3s", "for": "3s"}
KILL = {"kind": "kill", "target": "alpha", "at": "3s", "for": "3s"}
REST = ("beta", "gamma")


def faulted(fault: Any, turned: Any = 3400.0, back: Any = 6500.0, **more: Any) -> Bench:
    """Onset at 3,000 ms, clear at 6,000 ms; alpha is tried until `turned` and again from `back` on."""
    bench = Bench(chaos={"bad": fault}, **more)
    bench.fault("bad", injected=2990, effective=3000, rolled_back=5990, cleared=6000)
    bench.steady(0, 3000)
    for turn, at in enumerate(range(3000, 10_000, 10)):
        provider = ("alpha", "beta", "gamma")[turn % 3] if at < turned or at >= back else REST[turn % 2]
        if provider == "alpha" and at < 6000:
            _met(bench, fault, at)
        else:
            bench.served(at, provider)
    return bench


def _met(bench: Bench, fault: Any, at: Any) -> None:
    if fault["kind"] == "kill":
        bench.served(at, "beta", witness_provider=1, witness_attempts=2)
        return
    number = bench.request(at, 200)
    bench.attempt(number, "alpha", at + 1, closed=at + 101, faults=1)
    bench.attempt(number, "beta", at + 102, at + 199)


def result(bench: Bench) -> FaultResult:
    return bench.run().analysis.faults[0]


def test_detection_is_the_last_attempt_before_the_traffic_turned_away() -> None:
    found = result(faulted(HANG))
    # alpha's last attempts arrive at 3,331, 3,361 and 3,391. Half a second holds 54 attempts, of which 18 would be
    # alpha's: under 10 % is at most one, so that it is turned away from once 3,361 is past
    assert found.detection_ms == 361
    assert found.detection_source == "the providers' records"


def test_attempts_at_a_dead_provider_are_known_by_the_witness() -> None:
    found = result(faulted(KILL))
    assert found.detection_ms == 360  # the instant at which the request was sent
    assert found.detection_source == "the providers' records and the proxy's witness"


def test_a_dead_providers_silence_is_no_detection() -> None:
    bench = Bench(chaos={"bad": KILL}, proxy={"kind": "nginx"})
    bench.fault("bad", injected=2990, effective=3000, rolled_back=5990, cleared=6000)
    bench.steady(0, 3000)
    bench.steady(3000, 10_000, providers=REST)
    found = result(bench)
    assert (found.detection_ms, found.detection_source) == (None, None)


def test_the_proxys_word_when_it_is_earlier() -> None:
    bench = faulted(HANG)
    bench.event(3050, EventKind.BREAKER, provider="alpha", state="open", source="envoy outlier log")
    found = result(bench)
    assert (found.detection_ms, found.detection_source) == (50, "envoy outlier log")


def test_the_word_on_another_provider_or_another_time_does_not_count() -> None:
    bench = faulted(HANG)
    bench.event(3050, EventKind.BREAKER, provider="beta", state="open", source="log")
    bench.event(1000, EventKind.BREAKER, provider="alpha", state="open", source="log")
    bench.event(1200, EventKind.BREAKER, provider="alpha", state="closed", source="log")
    assert result(bench).detection_ms == 361


def test_never_detected() -> None:
    found = result(faulted(HANG, turned=20_000))
    assert found.detection_ms == "never"
    run = faulted(HANG, turned=20_000, slo=["detection_time <= 60s"]).run()
    assert run.slo_results[1].verdict == "fail"
    assert "detection_time <= 60s (bad): measured never" in run.reasons[0]


def test_half_open_probes_do_not_undo_a_detection() -> None:
    bench = faulted(HANG)
    probe = bench.request(4500.5, 200)
    bench.attempt(probe, "alpha", 4501, closed=4601, faults=1)
    bench.attempt(probe, "beta", 4602, 4699)
    assert result(bench).detection_ms == 361


def test_a_gap_shorter_than_half_a_second_is_none() -> None:
    bench = Bench(chaos={"bad": HANG}, rate=1000)
    bench.fault("bad", injected=2990, effective=3000, rolled_back=5990, cleared=6000)
    for turn, at in enumerate(range(10_000)):
        silent = 3100 <= at < 3400 or 4000 <= at < 6000
        bench.served(at, REST[turn % 2] if silent else ("alpha", "beta", "gamma")[turn % 3], took=5)
    found = result(bench).detection_ms
    assert 950 <= found <= 955  # of the half second behind it, 50 ms have traffic: 16 attempts of 167


def test_no_traffic_before_no_detection() -> None:
    bench = Bench(chaos={"bad": HANG})
    bench.fault("bad", injected=2990, effective=3000, rolled_back=5990, cleared=6000)
    bench.steady(0, 10_000, providers=REST)
    assert result(bench).detection_ms is None


def test_the_slowest_target_counts() -> None:
    bench = faulted({**HANG, "target": ["alpha", "beta"]})
    bench.fault("bad", "beta", injected=2990, effective=3000, rolled_back=5990, cleared=6000)
    found = result(bench)
    assert found.detection_ms == "never"  # beta went on


def test_return_is_the_first_live_request_after_the_clear() -> None:
    assert result(faulted(HANG)).return_ms == 511  # alpha's turn comes at 6,510


def test_never_returned() -> None:
    assert result(faulted(HANG, back=20_000)).return_ms == "never"


def test_too_little_load_afterwards_to_know() -> None:
    bench = Bench(chaos={"bad": HANG})
    bench.fault("bad", injected=2990, effective=3000, rolled_back=9890, cleared=9900)
    bench.steady(0, 3000)
    bench.steady(3000, 10_000, providers=REST)
    assert result(bench).return_ms is None


def test_late_arrivals_are_no_return() -> None:
    bench = faulted({"kind": "pause", "target": "alpha", "at": "3s", "for": "3s"})
    late = bench.request(4000, 600)
    bench.attempt(late, "beta", 4510, 4590)
    bench.attempt(late, "alpha", 6001, closed=6002)
    assert result(bench).return_ms == 511


def test_refused_attempts_after_the_clear_are_no_return() -> None:
    bench = faulted(KILL)
    bench.served(6100, "beta", witness_provider=1, witness_attempts=2, witness_first=0)
    assert result(bench).return_ms == 511


@pytest.mark.parametrize(("turned", "detection"), [(9400, 6352), (9600, "never")])
def test_silence_until_the_end_of_the_load_must_be_long_enough(turned: int, detection: Any) -> None:
    bench = Bench(chaos={"bad": {**HANG, "for": "7s"}})
    bench.fault("bad", injected=2990, effective=3000, rolled_back=10_000, cleared=10_010)
    bench.steady(0, turned, every=3)
    bench.steady(turned, 10_000, every=3, providers=REST)
    assert result(bench).detection_ms == detection
