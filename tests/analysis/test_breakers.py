from typing import Any

from analysis.build import Bench

from battle.core.journal import EventKind

REST = ("beta", "gamma")


def told(*changes: Any, **more: Any) -> Bench:
    bench = Bench(**more)
    bench.steady(0, 10_000)
    for at, provider, state in changes:
        bench.event(at, EventKind.BREAKER, provider=provider, state=state, source="envoy outlier log")
    return bench


def test_the_proxys_word() -> None:
    bench = told((2000, "alpha", "open"), (4000, "alpha", "closed"), (9000, "beta", "open"))
    found = bench.run().analysis.circuit_breaker
    assert (found.opens, found.closes, found.time_open_ms) == (2, 1, 3000)  # beta: to the end of the load
    assert found.source == "envoy outlier log"
    assert [(one.provider, one.state, one.at_ms) for one in found.transitions] == [
        ("alpha", "open", 2000),
        ("alpha", "closed", 4000),
        ("beta", "open", 9000),
    ]


def test_an_open_said_twice_is_open_once() -> None:
    bench = told((2000, "alpha", "open"), (2500, "alpha", "open"), (3000, "alpha", "closed"))
    assert bench.run().analysis.circuit_breaker.time_open_ms == 1000


def test_half_open_is_still_out_of_rotation() -> None:
    bench = told((2000, "alpha", "open"), (2500, "alpha", "half_open"), (3000, "alpha", "closed"))
    assert bench.run().analysis.circuit_breaker.time_open_ms == 1000


def test_a_proxy_that_would_tell_and_says_nothing() -> None:
    found = told().run().analysis.circuit_breaker
    assert (found.opens, found.closes, found.time_open_ms) == (0, 0, 0)


def test_nobody_can_know_without_a_proxy() -> None:
    found = told(proxy={"kind": "none"}).run().analysis.circuit_breaker
    assert (found.opens, found.closes, found.time_open_ms, found.source) == (None, None, None, None)


def turned_away(*spans: Any, probes: Any = ()) -> Bench:
    """A proxy that tells nothing; alpha gets nothing within the spans but the probes."""
    chaos = {"bad": {"kind": "http_error", "target": "alpha", "status": 500, "at": "3s", "for": "5s"}}
    bench = Bench(seconds=12, proxy={"kind": "nginx"}, chaos=chaos)
    bench.fault("bad", injected=3000, effective=3010, rolled_back=8000, cleared=8010)
    for turn, at in enumerate(range(0, 12_000, 10)):
        away = any(start <= at < stop for start, stop in spans)
        bench.served(at, REST[turn % 2] if away else ("alpha", "beta", "gamma")[turn % 3])
    for at in probes:
        bench.served(at, "alpha")
    return bench


def transitions(bench: Bench) -> list[tuple[str, str, float]]:
    return [(one.provider, one.state, one.at_ms) for one in bench.run().analysis.circuit_breaker.transitions]


def test_inferred_from_the_traffic() -> None:
    bench = turned_away((4000, 7000))
    # half a second would hold 17 attempts at alpha, so that under 10 % begins behind 3,961; the last one is at 3,991
    assert transitions(bench) == [("alpha", "open", 3991), ("alpha", "closed", 7021)]
    run = bench.run()
    assert run.analysis.circuit_breaker.source.startswith("traffic")
    assert any("inferred from the traffic" in notice.text for notice in run.notices)


def test_a_probe_does_not_close_it() -> None:
    assert transitions(turned_away((4000, 7000), probes=(5000.5, 6000.5))) == [
        ("alpha", "open", 3991),
        ("alpha", "closed", 7021),
    ]


def test_twice() -> None:
    assert [state for _, state, _ in transitions(turned_away((4000, 5000), (6000, 8000)))] == [
        "open",
        "closed",
        "open",
        "closed",
    ]


def test_steady_traffic_opens_nothing() -> None:
    assert transitions(turned_away()) == []


def test_breaker_indicators() -> None:
    chaos = {"bad": {"kind": "hang", "target": "alpha", "at": "2s", "for": "2s"}}
    bench = told((2150, "alpha", "open"), (4500, "alpha", "closed"), chaos=chaos)
    bench.fault("bad", injected=2000, effective=2100, rolled_back=4000, cleared=4010)
    wanted = {
        "breaker.opens >= 1": 1,
        "breaker.closes == 1": 1,
        "breaker.open_time <= 3s": 2350,
        "breaker.open_delay <= 1s": 50,
        "breaker.close_delay <= 1s": 490,
        "breaker.opens == 1 after bad": 0,
    }
    found = {one.objective: one.actual for one in bench.run(list(wanted)).slo_results if not one.implied}
    assert found == wanted


def test_a_breaker_that_never_opened() -> None:
    chaos = {"bad": {"kind": "hang", "target": "alpha", "at": "2s", "for": "2s"}}
    bench = told(chaos=chaos)
    bench.fault("bad", injected=2000, effective=2100, rolled_back=4000, cleared=4010)
    delay, close = bench.run(["breaker.open_delay <= 1h", "breaker.close_delay <= 1h"]).slo_results[1:]
    assert (delay.actual, delay.verdict) == ("never", "fail")
    assert (close.actual, close.verdict) == (None, "inconclusive")


def test_the_close_delay_begins_at_the_clear() -> None:
    chaos = {"bad": {"kind": "hang", "target": "alpha", "at": "2s", "for": "2s"}}
    changes = [(2150, "alpha", "open"), (3000, "alpha", "closed"), (3050, "alpha", "open"), (4500, "alpha", "closed")]
    bench = told(*changes, chaos=chaos)
    bench.fault("bad", injected=2000, effective=2100, rolled_back=4000, cleared=4010)
    assert bench.run(["breaker.close_delay <= 1s"]).slo_results[1].actual == 490


def test_two_dead_providers_are_both_out_when_the_proxy_does_not_say_which_it_tried() -> None:
    dead = {"kind": "kill", "at": "3s", "for": "3s"}
    bench = Bench(
        proxy={"kind": "nginx"}, chaos={"one": {**dead, "target": "alpha"}, "two": {**dead, "target": "beta"}}
    )
    for name, target in (("one", "alpha"), ("two", "beta")):
        bench.fault(name, target, injected=3000, effective=3010, rolled_back=6000, cleared=6010)
    bench.steady(0, 3000)
    bench.steady(3000, 6000, providers=("gamma",), witness_provider=2, witness_attempts=2)
    bench.steady(6000, 10_000)
    assert {(provider, state) for provider, state, _ in transitions(bench)} == {
        (provider, state) for provider in ("alpha", "beta") for state in ("open", "closed")
    }
