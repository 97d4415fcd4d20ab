from typing import Any

import pytest
from analysis.build import Bench, ns

from battle.analysis.reading import Reading, Selection

KILL = {"kind": "kill", "target": "alpha", "at": "2s", "for": "2s"}


def spans(window: Any) -> list[tuple[float, float]]:
    return [((start - ns(0)) / 1e6, (stop - ns(0)) / 1e6) for start, stop in window.spans]


def one_fault() -> Bench:
    bench = Bench(chaos={"kill": KILL})
    bench.fault("kill", injected=2000, effective=2100, rolled_back=4000, cleared=4200)
    return bench


def test_the_windows_of_a_fault() -> None:
    windows = Reading(one_fault().evidence()).windows
    assert spans(windows.run()) == [(0, 10_000)]
    assert spans(windows.before("kill")) == [(0, 2100)]
    assert spans(windows.during("kill")) == [(2100, 4200)]
    assert spans(windows.after("kill")) == [(4200, 10_000)]
    assert spans(windows.baseline()) == [(0, 1999)]  # ends where the fault was begun


def test_a_request_belongs_where_it_was_scheduled() -> None:
    bench = one_fault()
    for at in (2099, 2100, 4199, 4200):
        bench.request(at, 1000)
    reading = Reading(bench.evidence())
    assert reading.mask(Selection(reading.windows.during("kill"))).tolist() == [False, True, True, False]


def test_repeats_are_united() -> None:
    bench = Bench(chaos={"flap": {"kind": "kill", "target": ["alpha", "beta"], "at": "1s", "for": "1s"}})
    bench.fault("flap", "alpha", injected=1000, effective=1010, rolled_back=2000, cleared=2010)
    bench.fault("flap", "beta", injected=1000, effective=1030, rolled_back=2000, cleared=2030)
    bench.fault("flap", "alpha", injected=4000, effective=4010, rolled_back=5000, cleared=5010, occurrence=1)
    windows = Reading(bench.evidence()).windows
    assert spans(windows.during("flap")) == [(1010, 2030), (4010, 5010)]
    assert spans(windows.before("flap")) == [(0, 1010)]
    assert spans(windows.after("flap")) == [(5010, 10_000)]


def test_after_ends_at_the_next_onset() -> None:
    bench = Bench(chaos={"first": KILL, "second": {**KILL, "target": "beta", "at": "6s"}})
    bench.fault("first", injected=2000, effective=2100, rolled_back=4000, cleared=4200)
    bench.fault("second", "beta", injected=6000, effective=6050, rolled_back=8000, cleared=8050)
    windows = Reading(bench.evidence()).windows
    assert spans(windows.after("first")) == [(4200, 6050)]
    assert spans(windows.baseline()) == [(0, 1999)]


def test_a_fault_that_never_cleared_lasts_to_the_end() -> None:
    bench = Bench(chaos={"kill": KILL})
    bench.fault("kill", injected=2000, effective=2100)
    windows = Reading(bench.evidence()).windows
    assert spans(windows.during("kill")) == [(2100, 10_000)]
    assert spans(windows.after("kill")) == []


def test_without_faults_the_baseline_is_the_run() -> None:
    assert spans(Reading(Bench().evidence()).windows.baseline()) == [(0, 10_000)]


def test_warm_up_is_outside_of_every_number() -> None:
    bench = Bench(warmup=2)
    bench.steady(-2000, 1000)
    run = bench.run()
    assert run.analysis.requests.total == 100
    assert run.analysis.requests.warmup_total == 200
    assert run.analysis.providers[0].attempts == 33  # gamma, alpha, beta, … after 200 of the warm-up
    assert run.slo_results[0].samples == 100


def test_phases() -> None:
    load = [
        {"kind": "constant", "rate": "10/s", "duration": "4s", "name": "calm"},
        {"kind": "constant", "rate": "50/s", "duration": "6s", "name": "storm"},
    ]
    bench = Bench(stream={"load": load})
    bench.request(3999, phase=0)
    bench.request(4000, phase=1)
    bench.request(9000, phase=1)
    reading = Reading(bench.evidence())
    assert spans(reading.windows.phase("storm")) == [(4000, 10_000)]
    assert reading.mask(Selection(reading.windows.phase("storm"))).tolist() == [False, True, True]
    assert {window.name: window.requests.total for window in bench.run().analysis.windows} == {
        "in calm": 1,
        "in storm": 2,
    }


@pytest.mark.parametrize(
    ("events", "void"),
    [
        ({"injected": 2000}, "kill was not seen to take effect"),
        ({"injected": 2000, "effective": 2100}, None),
        (None, "kill was not injected: the journal does not know it"),
    ],
)
def test_void_windows(events: Any, void: Any) -> None:
    bench = Bench(chaos={"kill": KILL})
    if events:
        bench.fault("kill", **events)
    assert Reading(bench.evidence()).windows.during("kill").void == void


def test_nobody_was_to_look() -> None:
    bench = Bench(chaos={"kill": {**KILL, "verify": "none"}})
    bench.fault("kill", injected=2000, rolled_back=4000)
    bench.steady(0, 10_000)
    windows = Reading(bench.evidence()).windows
    assert spans(windows.during("kill")) == [(2000, 4000)]
    assert windows.during("kill").void is None
    fault = bench.run().analysis.faults[0]
    assert (fault.verified, fault.cleared, fault.effective_at_ms, fault.cleared_at_ms) == (None, None, None, None)


def test_ended_early() -> None:
    bench = Bench(load_ended_ms=3000, ended="guard")
    bench.steady(0, 3000)
    run = bench.run()
    assert spans(Reading(bench.evidence()).windows.run()) == [(0, 3000)]
    assert run.analysis.requests.throughput_per_s == 100


def test_a_phase_is_only_of_the_streams_that_have_it() -> None:
    other = {
        "requests": [{"method": "eth_call"}],
        "load": {"kind": "constant", "rate": "10/s", "duration": "10s", "name": "long"},
    }
    bench = Bench(more_streams={"other": other})
    bench.request(10, stream=0)
    bench.request(20, stream=1)
    bench.request(30, stream=1)
    reading = Reading(bench.evidence())
    assert reading.mask(Selection(reading.windows.phase("steady"))).tolist() == [True, False, False]
    assert reading.mask(Selection(reading.windows.phase("long"))).tolist() == [False, True, True]
    assert reading.mask(Selection(reading.windows.run(), (("stream", "other"),))).tolist() == [False, True, True]
