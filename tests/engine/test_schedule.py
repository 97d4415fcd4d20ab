"""Workers' shares of a schedule: together they are the whole, whatever it holds."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from battle.core.scenario import Scenario, Stream
from battle.core.shard import MOST_WORKERS, Shard
from battle.engine.schedule import Arrival, arrivals, choices_of_users, refuse_too_many, share_of
from battle.errors import UsageError

durations = st.integers(50, 800).map(lambda ms: f"{ms}ms")
rates = st.floats(1, 400).map(lambda rate: f"{rate:.2f}/s")
phases = st.one_of(
    st.fixed_dictionaries({"kind": st.just("constant"), "rate": rates, "duration": durations}),
    st.fixed_dictionaries({"kind": st.just("poisson"), "rate": rates, "duration": durations}),
    st.fixed_dictionaries({"kind": st.just("ramp"), "from": rates, "to": rates, "duration": durations}),
    st.fixed_dictionaries({"kind": st.just("users"), "users": st.integers(1, 9), "duration": durations}),
)
methods = st.lists(st.floats(0.1, 5), min_size=1, max_size=4).map(
    lambda weights: [{"method": f"m{number}", "weight": weight} for number, weight in enumerate(weights)]
)
seeds = st.integers(0, 1 << 40)
workers = st.integers(1, MOST_WORKERS)


def stream_of(load: Any, requests: Any = ({"method": "m"},), **more: Any) -> Stream:
    return scenario_of(load, requests, **more).workload["reads"]


def scenario_of(load: Any, requests: Any = ({"method": "m"},), **more: Any) -> Scenario:
    stream = {"load": load, "requests": list(requests), **more}
    return Scenario.model_validate({"name": "t", "workload": {"reads": stream}})


def in_turn(shares: list[list[Any]]) -> list[Any]:
    """One of each share after the other, until nothing is left."""
    longest = max(len(share) for share in shares)
    return [share[turn] for turn in range(longest) for share in shares if turn < len(share)]


@settings(max_examples=60, deadline=None)
@given(st.lists(phases, min_size=1, max_size=3), methods, seeds, workers)
def test_the_shares_in_turn_are_the_whole(load: list[Any], requests: list[Any], seed: int, count: int) -> None:
    stream = stream_of(load, requests)
    whole: list[Arrival] = list(arrivals(stream, seed, "reads", 3))
    shares = [list(arrivals(stream, seed, "reads", 3, Shard(index, count))) for index in range(count)]
    assert in_turn(shares) == whole
    assert [len(share) for share in shares] == [Shard(index, count).part(len(whole)) for index in range(count)]


@settings(max_examples=30, deadline=None)
@given(methods, seeds, workers)
def test_what_users_send_is_shared_out_too(requests: list[Any], seed: int, count: int) -> None:
    stream = stream_of({"kind": "users", "users": 64, "duration": "1s"}, requests)
    drawn = choices_of_users(stream, seed, "reads", 0)
    whole = [next(drawn) for _ in range(3 * count)]
    shares = [choices_of_users(stream, seed, "reads", 0, Shard(index, count)) for index in range(count)]
    assert in_turn([[next(share) for _ in range(3)] for share in shares]) == whole


@given(st.integers(0, 10_000), workers)
def test_parts_add_up_and_differ_by_one_at_the_most(total: int, count: int) -> None:
    parts = [Shard(index, count).part(total) for index in range(count)]
    assert sum(parts) == total
    assert parts == sorted(parts, reverse=True)
    assert parts[0] - parts[-1] <= 1


def test_limits_hold_over_all_workers_together() -> None:
    load = {"kind": "users", "users": 7, "duration": "1s"}
    stream = stream_of(load, max_in_flight=11, connections=7, max_requests=100)
    shares = [share_of(stream, Shard(index, 3)) for index in range(3)]
    assert [share.max_in_flight for share in shares] == [4, 4, 3]
    assert [share.connection_limit for share in shares] == [3, 2, 2]
    assert [share.max_requests for share in shares] == [34, 33, 33]
    assert stream.max_in_flight == 11, "the stream itself is left as it is"


def test_a_default_limit_is_shared_like_one_that_is_written() -> None:
    stream = stream_of({"kind": "constant", "rate": "1000/s", "duration": "1s"}, timeout="2s")
    shares = [share_of(stream, Shard(index, 2)) for index in range(2)]
    assert [share.in_flight_limit for share in shares] == [1500, 1500]
    assert [share.connection_limit for share in shares] == [1500, 1500]
    assert all(share.max_requests is None for share in shares)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"max_in_flight": 3}, "max_in_flight: 3"),
        ({"connections": 2}, "connections: 2"),
        ({"max_requests": 3}, "max_requests: 3"),
        ({"max_requests": 50}, "users: 1"),  # the share of a worker without users would never be sent
    ],
)
def test_more_workers_than_a_limit_allows_are_refused(more: dict[str, int], words: str) -> None:
    scenario = scenario_of(
        [{"kind": "users", "users": 8, "duration": "1s"}, {"kind": "users", "users": 1, "duration": "1s"}], **more
    )
    with pytest.raises(UsageError, match=words) as refused:
        refuse_too_many(scenario, 4)
    assert "--workers" in str(refused.value.hint)
    refuse_too_many(scenario, 1)


def test_as_many_workers_as_the_limits_allow_are_not() -> None:
    load = {"kind": "constant", "rate": "10/s", "duration": "1s"}
    refuse_too_many(scenario_of(load, max_in_flight=4, connections=4, max_requests=4), 4)
