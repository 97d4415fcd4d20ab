"""A fault that met nothing proves nothing; so it must be known what it met."""

from typing import Any

from analysis.build import Bench

from battle.core.journal import EventKind
from battle.core.records import ErrorClass

KILL = {"kind": "kill", "target": "alpha", "at": "4s", "for": "3s"}
HANG = {"kind": "hang", "target": "alpha", "at": "4s", "for": "3s"}
PAUSE = {"kind": "pause", "target": "alpha", "at": "4s", "for": "3s"}


def faulted(fault: Any, **more: Any) -> Bench:
    bench = Bench(chaos={"bad": fault}, **more)
    bench.steady(0, 3900)
    bench.fault("bad", injected=4000, effective=4010, rolled_back=7000, cleared=7050)
    if fault["kind"] == "kill":
        bench.event(4000, EventKind.PROVIDER_ENDED, provider="alpha", incarnation=1, planned=True, status=-9)
    return bench


def result(bench: Bench) -> tuple[int | None, str | None]:
    found = bench.run().analysis.faults[0]
    return found.requests_touched, found.touched_how


def doubts(bench: Bench) -> list[str]:
    return [reason for reason in bench.run().reasons if "met no traffic" in reason]


def test_marked_arrivals() -> None:
    bench = faulted(HANG)
    for at in (4100, 4200):
        bench.attempt(bench.failed(at, 2000, ErrorClass.TIMEOUT), "alpha", at + 1, closed=at + 500, faults=1)
    retried = bench.request(4300, 600)
    bench.attempt(retried, "alpha", 4301, closed=4500, faults=1)
    bench.attempt(retried, "alpha", 4501, closed=4700, faults=1)  # met twice, one request
    bench.attempt(bench.request(4400, 20), "alpha", 4401, 4419, faults=2)  # the mark of another fault
    assert result(bench) == (3, "the providers' records")


def test_nobody_met_it() -> None:
    bench = faulted(HANG)
    bench.steady(4100, 10_000, providers=("beta", "gamma"))
    assert result(bench) == (0, "the providers' records")
    assert doubts(bench) == ["bad met no traffic, so that it proves nothing (`may_miss: true` accepts that)"]


def test_missing_is_accepted_when_it_was_said() -> None:
    bench = faulted({**HANG, "may_miss": True})
    bench.steady(4100, 10_000, providers=("beta", "gamma"))
    assert doubts(bench) == []
    assert bench.run().passed


def test_a_kill_takes_what_was_in_flight() -> None:
    bench = faulted(KILL)
    lost = bench.request(3990, 100)
    bench.attempt(lost, "alpha", 3995)
    bench.attempt(lost, "beta", 4010, 4080)
    bench.attempt(bench.request(3980, 200), "beta", 3985, 4150)  # in flight elsewhere
    assert result(bench) == (1, "the providers' records")


def test_long_gone_attempts_are_not_in_flight() -> None:
    bench = faulted(KILL)
    gone = bench.request(1000, 100)
    bench.attempt(gone, "alpha", 1001, closed=1020)
    bench.attempt(gone, "beta", 1021, 1090)
    bench.served(4100, "beta", witness_attempts=1, witness_provider=1)
    assert result(bench)[0] == 0
    assert doubts(bench)


def test_refused_attempts_are_known_by_the_witness() -> None:
    bench = faulted(KILL)
    for at in (4100, 4200):
        bench.served(at, "beta", witness_provider=1, witness_attempts=2)
    bench.served(4300, "beta", witness_provider=1, witness_attempts=1)
    bench.served(8000, "beta", witness_provider=1, witness_attempts=2)  # when it was over
    assert result(bench) == (2, "the proxy's witness")


def test_the_witness_names_another_provider_as_first() -> None:
    bench = faulted(KILL)
    bench.served(4100, "beta", witness_provider=1, witness_attempts=2, witness_first=2)
    assert result(bench)[0] == 0


def test_failures_without_any_record_after_live_traffic() -> None:
    bench = faulted(KILL, proxy={"kind": "none"}, providers=("alpha",))
    for at in range(4100, 4600, 100):
        bench.failed(at)
    assert result(bench) == (5, "failures without any record")


def test_failures_are_not_its_doing_when_the_provider_was_idle_before() -> None:
    bench = Bench(chaos={"bad": KILL})
    bench.steady(0, 1900)  # nothing in the two seconds before
    bench.fault("bad", injected=4000, effective=4010, rolled_back=7000, cleared=7050)
    bench.failed(4100)
    assert result(bench)[0] == 0


def test_silence_after_live_traffic_is_met_by_an_unknown_number() -> None:
    bench = faulted(KILL, proxy={"kind": "nginx"})
    bench.steady(4100, 7000, providers=("beta", "gamma"))
    touched, how = result(bench)
    assert touched is None
    assert "live requests just before it" in how
    assert doubts(bench) == []


def test_a_proxy_that_speaks_and_names_no_attempt_leaves_no_doubt_that_it_missed() -> None:
    bench = faulted(KILL)
    bench.steady(4100, 7000, providers=("beta", "gamma"), witness_attempts=1)
    assert result(bench)[0] == 0
    assert doubts(bench)


def test_a_stopped_provider_answers_late_or_is_read_late() -> None:
    bench = faulted(PAUSE)
    held = bench.request(3990, 3100)
    bench.attempt(held, "alpha", 3995, 7010)
    unread = bench.request(4100, 600)
    bench.attempt(unread, "beta", 4610, 4690)
    bench.attempt(unread, "alpha", 7001, closed=7002)
    assert result(bench) == (2, "the providers' records")


def test_several_providers_gone_at_once_share_what_nobody_recorded() -> None:
    chaos = {"one": KILL, "two": {**KILL, "target": "beta"}}
    bench = Bench(chaos=chaos)
    bench.steady(0, 3900)
    bench.fault("one", "alpha", injected=4000, effective=4010, rolled_back=7000, cleared=7050)
    bench.fault("two", "beta", injected=4000, effective=4010, rolled_back=7000, cleared=7050)
    for at in range(4100, 7000, 10):
        bench.served(at, "gamma", witness_provider=2, witness_attempts=2)
    one, two = bench.run().analysis.faults
    assert (one.requests_touched, two.requests_touched) == (290, 290)
    assert (one.detection_ms, two.detection_ms) == (None, None)  # which of them was tried is not known


def test_a_named_hop_belongs_to_one_of_several_that_are_gone() -> None:
    chaos = {"one": KILL, "two": {**KILL, "target": "beta"}}
    bench = Bench(chaos=chaos)
    bench.steady(0, 3900)
    bench.fault("one", "alpha", injected=4000, effective=4010, rolled_back=7000, cleared=7050)
    bench.fault("two", "beta", injected=4000, effective=4010, rolled_back=7000, cleared=7050)
    bench.served(4100, "gamma", witness_provider=2, witness_attempts=2, witness_first=0)
    bench.served(4200, "gamma", witness_provider=2, witness_attempts=3, witness_first=0)  # beta was the second
    one, two = bench.run().analysis.faults
    assert (one.requests_touched, two.requests_touched) == (2, 1)


def test_the_hop_that_is_missing_is_not_the_one_that_was_recorded() -> None:
    bench = faulted(KILL)
    number = bench.request(4100, 50, witness_provider=2, witness_attempts=3, witness_first=1)
    bench.attempt(number, "beta", 4101, 4110, status=500)
    bench.attempt(number, "gamma", 4112, 4149)
    assert result(bench)[0] == 1  # beta recorded it, so that alpha was the hop between
