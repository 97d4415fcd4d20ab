from analysis.build import Bench

from battle.core.journal import EventKind
from battle.core.run import FaultResult

KILL = {"kind": "kill", "target": "alpha", "at": "2s", "for": "2s"}


def result(bench: Bench) -> FaultResult:
    bench.steady(0, 10_000)
    return bench.run().analysis.faults[0]


def test_four_instants_of_one_injection() -> None:
    bench = Bench(chaos={"kill": KILL})
    bench.fault("kill", injected=2000, effective=2040, rolled_back=4000, cleared=4300)
    found = result(bench)
    assert (found.injected_at_ms, found.effective_at_ms) == (2000, 2040)
    assert (found.rolled_back_at_ms, found.cleared_at_ms) == (4000, 4300)
    assert (found.time_to_effect_ms, found.time_to_clear_ms) == (40, 300)
    assert (found.verified, found.cleared, found.why) == (True, True, None)


def test_over_several_injections_from_the_first_to_the_last() -> None:
    bench = Bench(chaos={"kill": {**KILL, "target": ["alpha", "beta"]}})
    bench.fault("kill", "alpha", injected=2000, effective=2040, rolled_back=4000, cleared=4300)
    bench.fault("kill", "beta", injected=2010, effective=2030, rolled_back=4100, cleared=4200)
    found = result(bench)
    assert (found.injected_at_ms, found.effective_at_ms) == (2000, 2030)
    assert (found.rolled_back_at_ms, found.cleared_at_ms) == (4100, 4300)
    assert (found.time_to_effect_ms, found.time_to_clear_ms) == (40, 300)
    assert [one.target for one in found.occurrences] == ["alpha", "beta"]


def test_one_of_two_was_not_seen() -> None:
    bench = Bench(chaos={"kill": {**KILL, "target": ["alpha", "beta"]}})
    bench.fault("kill", "alpha", injected=2000, effective=2040, rolled_back=4000, cleared=4300)
    bench.fault("kill", "beta", injected=2010, rolled_back=4100, cleared=4200)
    bench.event(4010, EventKind.FAULT_UNVERIFIED, fault="kill", occurrence=0, target="beta", why="it answered")
    found = result(bench)
    assert (found.verified, found.why) == (False, "it answered")
    assert found.time_to_effect_ms is None


def test_it_could_not_be_injected() -> None:
    bench = Bench(chaos={"kill": KILL})
    bench.event(2000, EventKind.FAULT_INJECTING, fault="kill", occurrence=0, target="alpha")
    bench.event(2001, EventKind.FAULT_FAILED, fault="kill", occurrence=0, target="alpha", why="no such process")
    found = result(bench)
    assert (found.verified, found.why, found.injected_at_ms) == (False, "no such process", None)
    run = bench.run()
    assert run.verdict == "inconclusive"
    assert "kill could not be injected: no such process" in run.reasons


def test_its_time_never_came() -> None:
    bench = Bench(chaos={"kill": KILL})
    bench.event(9000, EventKind.FAULT_SKIPPED, fault="kill", why="the load ended first")
    found = result(bench)
    assert (found.verified, found.why, found.requests_touched) == (False, "the load ended first", None)
    assert "kill was not injected: the load ended first" in bench.run().reasons


def test_not_cleared() -> None:
    bench = Bench(chaos={"kill": KILL})
    bench.fault("kill", injected=2000, effective=2040, rolled_back=4000)
    bench.event(6000, EventKind.FAULT_NOT_CLEARED, fault="kill", occurrence=0, target="alpha", why="still refused")
    found = result(bench)
    assert (found.cleared, found.cleared_at_ms, found.rolled_back_at_ms) == (False, None, 4000)
    assert (found.recovery_ms, found.return_ms) == (0, None)


def test_cleared_after_all() -> None:
    bench = Bench(chaos={"kill": KILL})
    bench.fault("kill", injected=2000, effective=2040, rolled_back=4000)
    bench.event(6000, EventKind.FAULT_NOT_CLEARED, fault="kill", occurrence=0, target="alpha", why="still refused")
    bench.event(6500, EventKind.FAULT_CLEARED, fault="kill", occurrence=0, target="alpha")
    found = result(bench)
    assert (found.cleared, found.cleared_at_ms) == (True, 6500)
