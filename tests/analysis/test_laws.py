"""What must hold for any evidence."""

from dataclasses import replace
from typing import Any

import numpy as np
from analysis.build import Bench
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from battle.analysis.judge import analyse
from battle.analysis.reading import Reading, Selection
from battle.core.journal import EventKind
from battle.core.records import ErrorClass, Outcome

KILL = {"kind": "kill", "target": "alpha", "at": "2s", "for": "1s"}
calm = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

instants = st.floats(0, 9_999, allow_nan=False)


@st.composite
def runs(draw: Any) -> Bench:
    """A run of some requests, served, retried, failed, dropped or cancelled, and one fault somewhere."""
    slo = draw(
        st.lists(
            st.sampled_from(
                [
                    "success_rate >= 90%",
                    "p50 <= 100ms",
                    "failovers == 0",
                    "amplification <= 1.2",
                    "recovery_time <= 1s",
                    "max <= 1s during kill",
                ]
            ),
            unique=True,
        )
    )
    bench = Bench(chaos={"kill": KILL}, slo=slo)
    for at in draw(st.lists(instants, max_size=60)):
        what = draw(st.integers(0, 9))
        if what == 0:
            bench.failed(at, draw(st.floats(1, 2000)), ErrorClass.TIMEOUT)
        elif what == 1:
            bench.request(at, None, outcome=Outcome.DROPPED)
        elif what == 2:
            bench.request(at, 5, outcome=draw(st.sampled_from([Outcome.CANCELLED, Outcome.UNFINISHED])))
        elif what == 3:
            number = bench.request(at, 100, witness_provider=1, witness_attempts=2)
            bench.attempt(number, "alpha", at + 1, closed=draw(st.sampled_from([None, at + 10, at + 90])))
            bench.attempt(number, "beta", at + 12, at + 99)
        elif what == 4:
            bench.served(at, "beta", witness_provider=1, witness_attempts=2)
        else:
            bench.served(at, draw(st.sampled_from(bench.providers)), draw(st.floats(3, 300)))
    onset, length = draw(st.floats(10, 9000)), draw(st.floats(1, 3000))
    seen = draw(st.booleans())
    bench.fault(
        "kill",
        injected=onset,
        effective=onset + 5 if seen else None,
        rolled_back=onset + length,
        cleared=onset + length + 10,
    )
    bench.planned = len(bench.requests)
    return bench


@calm
@given(runs())
def test_before_during_and_after_a_fault_are_the_run(bench: Bench) -> None:
    bench.events = [event for event in bench.events if event.kind is not EventKind.FAULT_UNVERIFIED]
    reading = Reading(bench.evidence())
    windows = reading.windows
    parts = [
        reading.mask(Selection(w)) for w in (windows.before("kill"), windows.during("kill"), windows.after("kill"))
    ]
    assert (np.sum(parts, axis=0) == reading.mask(Selection(windows.run()))).all()


@calm
@given(runs())
def test_every_request_has_one_outcome(bench: Bench) -> None:
    found = bench.run().analysis
    groups = [found.requests, *found.requests.by_method.values(), *found.requests.by_stream.values()]
    groups += [window.requests for window in found.windows]
    for group in groups:
        assert group.ok + group.failed + group.dropped + group.cancelled == group.total
    assert found.requests.total == len(bench.requests)
    assert sum(found.requests.errors.values()) == found.requests.failed
    assert sum(second.total for second in found.series) == len(bench.requests)


@calm
@given(runs())
def test_grades_of_evidence_exclude_each_other(bench: Bench) -> None:
    reading = Reading(bench.evidence())
    found = reading.failovers
    assert not (found.proved.astype(int) + found.witnessed + found.hedged + found.ambiguous > 1).any()
    failover = bench.run().analysis.failover
    assert failover.count == failover.proved + failover.witnessed
    assert failover.attempts == len(bench.attempts)


@calm
@given(runs())
def test_the_order_of_the_attempts_says_nothing(bench: Bench) -> None:
    one = analyse(bench.evidence(), analysed_at="now")
    other = analyse(bench.evidence(key_order=False), analysed_at="now")
    assert one == other


@calm
@given(runs(), st.data())
def test_removing_records_never_turns_inconclusive_into_pass(bench: Bench, data: Any) -> None:
    evidence = bench.evidence()
    verdict = analyse(evidence, analysed_at="now").verdict
    count = len(evidence.requests)
    dropped = data.draw(st.sets(st.integers(0, max(0, count - 1)), max_size=count))
    keep = np.array([number not in dropped for number in range(count)], dtype=bool)
    if verdict == "inconclusive":
        fewer = replace(evidence, requests=evidence.requests[keep])
        assert analyse(fewer, analysed_at="now").verdict != "pass"


@calm
@given(runs(), st.data())
def test_removing_events_never_turns_inconclusive_into_pass(bench: Bench, data: Any) -> None:
    evidence = bench.evidence()
    verdict = analyse(evidence, analysed_at="now").verdict
    needed = {EventKind.LOAD_STARTED, EventKind.RUN_STARTED}
    kept = [event for event in evidence.events if event.kind in needed or data.draw(st.booleans())]
    if verdict == "inconclusive":
        fewer = replace(evidence, events=kept)
        assert analyse(fewer, analysed_at="now").verdict != "pass"


@calm
@given(runs())
def test_pass_means_that_everything_that_is_judged_holds(bench: Bench) -> None:
    run = bench.run()
    judged = {one.verdict for one in run.slo_results if not one.warn}
    assert run.passed == (run.verdict == "pass")
    if run.passed:
        assert judged == {"pass"}
    if "fail" in judged:
        assert run.verdict == "fail"
    assert run.reasons
