from collections.abc import Sequence
from typing import Any

import pytest

from battle.analysis.plan import MOST_OCCURRENCES, Plan, TimelineEntry, shortfalls
from battle.core.objective import parse_condition
from battle.core.scenario import Scenario
from battle.core.units import NS_PER_S as S

STEADY = {"kind": "constant", "rate": "100/s", "duration": "30s", "name": "steady"}
WARM = {"kind": "constant", "rate": "50/s", "duration": "5s", "warmup": True}
KILL = {"kind": "kill", "target": "a", "at": "10s", "for": "5s"}


def scenario(chaos: dict[str, Any] | None = None, slo: Sequence[object] = (), **streams: dict[str, Any]) -> Scenario:
    streams = streams or {"reads": {"load": [WARM, STEADY]}}
    for stream in streams.values():
        stream.setdefault("requests", [{"method": "get", "weight": 3}, {"method": "put", "weight": 1}])
    return Scenario.model_validate(
        {
            "name": "x",
            "setup": {"providers": {"a": {"kind": "mock"}, "b": {"kind": "mock"}}, "proxy": "none"},
            "workload": streams,
            "chaos": chaos or {},
            "slo": list(slo),
        }
    )


def expected(made: Scenario, objective: str) -> float | None:
    return Plan(made).expected(parse_condition(objective))


def test_times_count_from_the_end_of_the_longest_leading_warm_up() -> None:
    made = scenario(a={"load": [WARM, STEADY]}, b={"load": [STEADY, WARM]})
    assert Plan(made).end_ns == 30 * S
    # b has no leading warm-up: its first 5 s lie before t0; its own warm-up is not a leading one and counts
    assert expected(made, "p50 <= 1s where stream=a") == pytest.approx(3000)
    assert expected(made, "p50 <= 1s where stream=b") == pytest.approx(2500 + 250)
    assert expected(made, "p50 <= 1s in steady") == pytest.approx(3000 + 2500)


@pytest.mark.parametrize(
    ("fault", "spans"),
    [
        (KILL, [(10, 15)]),
        ({**KILL, "at": "28s"}, [(28, 30)]),  # clipped to the load
        ({**KILL, "at": "31s"}, []),
        ({"kind": "kill", "target": "a", "at": "10s"}, [(10, 30)]),  # to the end of the load
        ({**KILL, "every": "8s"}, [(10, 15), (18, 23), (26, 30)]),
        ({**KILL, "every": "8s", "times": 2}, [(10, 15), (18, 23)]),
        ({"kind": "flap", "target": "a", "at": "10s", "down": "1s", "up": "2s", "times": 2}, [(10, 11), (13, 14)]),
    ],
)
def test_when_a_fault_is_due(fault: dict[str, object], spans: list[tuple[int, int]]) -> None:
    found = Plan(scenario({"k": fault})).faults["k"].spans
    assert [(since / S, until / S) for since, until in found or ()] == spans


def test_a_fault_that_waits_for_another() -> None:
    later = {"kind": "kill", "target": "b", "after": "k", "delay": "2s", "for": "3s"}
    last = {"kind": "kill", "target": "b", "after": "later"}
    faults = Plan(scenario({"last": last, "later": later, "k": {**KILL, "every": "6s", "times": 2}})).faults
    assert faults["later"].spans == ((23 * S, 26 * S),)
    assert faults["last"].spans == ((26 * S, 30 * S),)
    assert faults["later"].after == "k"


def test_a_fault_that_waits_for_nothing_or_for_itself_never_comes() -> None:
    waiting = {"kind": "kill", "target": "b", "for": "1s"}
    chaos = {"a": {**waiting, "after": "b"}, "b": {**waiting, "after": "a"}, "c": {**waiting, "after": "none-such"}}
    plan = Plan(scenario(chaos))
    assert [fault.spans for fault in plan.faults.values()] == [None, None, None]
    assert plan.baseline() == (0, 30 * S)
    assert plan.expected(parse_condition("p50 <= 1s during a")) is None


def test_occurrences_are_bounded() -> None:
    plan = Plan(scenario({"k": {**KILL, "for": "1us", "every": "2us"}}))
    assert len(plan.faults["k"].spans or ()) == MOST_OCCURRENCES


TWO = {"k": KILL, "m": {"kind": "pause", "target": "b", "at": "20s", "for": "4s"}}


@pytest.mark.parametrize(
    ("objective", "requests"),
    [
        ("p50 <= 1s", 3000),
        ("p50 <= 1s in steady", 3000),
        ("p50 <= 1s during k", 500),
        ("p50 <= 1s before k", 1000),
        ("p50 <= 1s before m", 2000),
        ("p50 <= 1s after k", 500),  # to the onset of m
        ("p50 <= 1s after m", 600),  # to the end
        ("p50 <= 1s where method=get", 2250),
        ("p50 <= 1s during m where method=put stream=reads", 100),
        ("p50 <= 1s where stream=other", 0),
        ("p50 <= 1s where provider=a", 3000),  # at most
        ("p50 <= 1s in constant-1", 0),  # the warm-up is outside
    ],
)
def test_how_many_requests_a_window_holds(objective: str, requests: float) -> None:
    assert expected(scenario(TWO), objective) == pytest.approx(requests)


def test_a_fault_that_begins_as_another_clears_leaves_no_window_between() -> None:
    made = scenario({"k": KILL, "m": {"kind": "pause", "target": "b", "at": "15s", "for": "4s"}})
    assert expected(made, "p50 <= 1s after k") == 0


def test_repeats_are_one_window() -> None:
    repeated = scenario({"k": {**KILL, "every": "8s", "times": 2}})
    assert expected(repeated, "p50 <= 1s during k") == pytest.approx(1000)
    assert expected(repeated, "p50 <= 1s after k") == pytest.approx(700)


@pytest.mark.parametrize(
    ("objective", "requests"),
    [
        ("p50 <= 1s before k", 10 * (0 + 100) / 2),  # half of the ramp: its rate goes from 0 to 100/s
        ("p50 <= 1s during k", 5 * (100 + 150) / 2),
        ("p50 <= 1s", 20 * 200 / 2),
    ],
)
def test_a_rate_that_changes_is_integrated(objective: str, requests: float) -> None:
    ramp = {"kind": "ramp", "from": "0/s", "to": "200/s", "duration": "20s"}
    assert expected(scenario({"k": KILL}, s={"load": [ramp]}), objective) == pytest.approx(requests)


SPIKES = {"kind": "spike", "rate": "0/s", "peak": "1000/s", "every": "9s", "width": "10ms", "duration": "30s"}


@pytest.mark.parametrize(
    ("objective", "requests"),
    [("p50 <= 1s", 30), ("p50 <= 1s before k", 10), ("p50 <= 1s during k", 0), ("p50 <= 1s after k", 20)],
)
def test_what_is_narrow_is_counted_too(objective: str, requests: float) -> None:
    assert expected(scenario({"k": KILL}, s={"load": [SPIKES]}), objective) == pytest.approx(requests)


def test_nothing_is_expected_of_a_pause() -> None:
    made = scenario(
        {"k": KILL}, s={"load": [{**STEADY, "duration": "11s"}, {"kind": "pause", "duration": "2s"}, STEADY]}
    )
    assert expected(made, "p50 <= 1s during k") == pytest.approx(300)


def test_what_is_due_from_t0_on() -> None:
    """Streams begin together, so that one without a warm-up sends a part of its load before t0."""
    users = {"kind": "users", "users": 5, "duration": "5s"}
    warm_users = {**users, "warmup": True}
    for streams, due in [
        ({"a": {"load": [WARM, STEADY]}, "b": {"load": [STEADY]}}, 3000 + 2500),
        ({"a": {"load": [WARM, STEADY], "max_requests": 1000}}, 750),
        ({"a": {"load": [warm_users, STEADY]}}, 3000),
        ({"a": {"load": [STEADY, users]}}, None),
    ]:
        found = Plan(scenario(**streams)).expected_in_run()
        assert found == (due if due is None else pytest.approx(due))


def test_the_number_of_users_says_nothing_of_the_number_of_requests() -> None:
    users = {"kind": "users", "users": 5, "duration": "10s", "name": "closed"}
    made = scenario({"k": KILL}, s={"load": [users, STEADY]})
    assert expected(made, "p50 <= 1s") is None
    assert expected(made, "p50 <= 1s in steady") == pytest.approx(3000)
    assert expected(made, "p50 <= 1s during k") == pytest.approx(500)
    assert expected(made, "p50 <= 1s before k") is None
    assert shortfalls(scenario(slo=["p99.9 <= 1s"], s={"load": [users]})) == []


@pytest.mark.parametrize(
    ("objective", "requests"),
    [("p50 <= 1s", 950), ("p50 <= 1s before k", 950), ("p50 <= 1s during k", 0)],
)
def test_max_requests_ends_a_stream_warm_up_included(objective: str, requests: float) -> None:
    made = scenario({"k": KILL}, s={"load": [WARM, STEADY], "max_requests": 1200})
    assert expected(made, objective) == pytest.approx(requests)


def test_the_time_line() -> None:
    chaos = {
        "later": {"kind": "pause", "target": "b", "after": "k", "delay": "1s", "for": "2s"},
        "k": {**KILL, "every": "8s", "times": 2},
    }
    assert Plan(scenario(chaos)).timeline == [
        TimelineEntry("reads: constant-1 (warm-up)", -5 * S, 0),
        TimelineEntry("reads: steady", 0, 30 * S),
        TimelineEntry("k: kill a", 10 * S, 15 * S),
        TimelineEntry("k: kill a", 18 * S, 23 * S),
        TimelineEntry("later: pause b", None, None, "k", 1 * S),
        TimelineEntry("end of the load", 30 * S, None),
    ]


@pytest.mark.parametrize(
    ("slo", "said"),
    [
        ("p99 <= 1s", None),
        ("p99 <= 1s during k", "p99 needs 1,000 requests in this window, the plan gives 500"),
        ("p95 <= 1s during k", None),
        ("success_rate >= 99.9% before k", None),
        ("success_rate >= 99.95% before k", "success_rate needs 2,000 requests in this window, the plan gives 1,000"),
        ("error_rate <= 0.05% before k", "error_rate needs 2,000 requests in this window, the plan gives 1,000"),
        ("p50 <= 1s in constant-1", "p50 needs 20 requests in this window, the plan gives 0"),
        ("p95 <= 2x baseline", None),
        ("p99.9 <= 2x baseline", "p99.9 needs 10,000 requests in this window, the plan gives 3,000"),
        ({"objective": "p99 <= 1s during k", "min_samples": 500}, None),
        ({"objective": "p95 <= 1s during k", "min_samples": 501}, "p95 needs 501 requests in this window"),
        ({"objective": "p99 <= 1s during k", "warn": True}, None),
        ("recovery_time <= 1s", None),
        ("no_such_indicator <= 1s", None),
    ],
)
def test_objectives_that_the_plan_cannot_satisfy(slo: object, said: str | None) -> None:
    found = [lack for lack in shortfalls(scenario({"k": KILL}, ["max <= 9s", slo])) if lack.objective]
    if said is None:
        assert found == []
    else:
        assert [lack.objective for lack in found] == [1] * len(found)
        assert found[0].message.startswith(said)


@pytest.mark.parametrize(
    ("rate", "at", "slo", "said"),
    [
        ("100/s", "3s", "recovery_time <= 1s", None),
        ("100/s", "2.9s", "recovery_time <= 1s", "recovery_time needs a baseline of 3s, and the first fault comes after 2.9s"),
        ("100/s", "2.9s", "detection_time <= 1s", "detection_time needs a baseline of 3s"),
        ("100/s", "2.9s", "failover_time.max <= 1s", "failover_time.max needs a baseline of 3s"),
        ("100/s", "2.9s", "max <= 2x baseline", "max needs a baseline of 3s"),
        ("100/s", "2.9s", "max <= 1s", None),
        ("20/s", "5s", "recovery_time <= 1s", None),
        ("19/s", "5s", "recovery_time <= 1s", "recovery_time needs 100 requests in the baseline, the plan gives 95"),
        ("100/s", "5s", "p99 <= 2x baseline", "p99 needs 1,000 requests in the baseline, the plan gives 500"),
        # a quarter of all requests: 1.25 × 3 s × 100/s × ¼ < 100
        ("100/s", "3.75s", "max <= 2x baseline where method=put", "max needs 100 requests in the baseline, the plan gives 94"),
    ],
)  # fmt: skip
def test_what_needs_a_baseline(rate: str, at: str, slo: str, said: str | None) -> None:
    made = scenario({"k": {**KILL, "at": at}}, [slo], s={"load": [{**STEADY, "rate": rate}]})
    found = [lack.message for lack in shortfalls(made)]
    if said is None:
        assert found == []
    else:
        assert len(found) == 1
        assert found[0].startswith(said)
