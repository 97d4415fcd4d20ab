"""What becomes of arrivals: latency, errors, effects alone and together. Pure, so exact."""

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battle.core.effects import Effect
from battle.providers.answers import AnswerPlanner, Planned
from battle.providers.chain import GENESIS_HEIGHT, Chain
from battle.providers.methods import METHODS, MethodError, result_of

MS = 1_000_000


def planner(latency_ms: float = 0, jitter_ms: float = 0, error_rate: float = 0, seed: int = 1) -> AnswerPlanner:
    rng = random.Random(seed)
    return AnswerPlanner(rng, latency_ns=round(latency_ms * MS), jitter_ns=round(jitter_ms * MS), error_rate=error_rate)


def met(made: AnswerPlanner, count: int, methods: list[str] | None = None) -> list[Planned]:
    return [made.plan(methods or ["m"]) for _ in range(count)]


def test_without_anything_answers_are_plain() -> None:
    assert planner().plan(["m"]) == Planned()


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (Effect(hang=True), Planned(hang=True, faults=8)),
        (Effect(delay_ns=5), Planned(delay_ns=5, faults=8)),
        (Effect(status=503, headers={"retry-after": "1"}), Planned(status=503, headers={"retry-after": "1"}, faults=8)),
        (Effect(rpc_error={"code": -1}), Planned(rpc_errors=[((), {"code": -1})], faults=8)),
    ],
)
def test_each_effect(effect: Effect, expected: Planned) -> None:
    made = planner()
    made.put({3: [effect]})
    assert made.plan(["m"]) == expected
    made.put({})
    assert made.plan(["m"]) == Planned()


def test_two_effects_compose_and_the_first_applied_wins_where_they_disagree() -> None:
    made = planner(latency_ms=1)
    made.put({0: [Effect(delay_ns=5, status=500)], 4: [Effect(delay_ns=7, status=503, rpc_error={"code": 1})]})
    assert made.plan(["m"]) == Planned(delay_ns=MS + 12, status=500, rpc_errors=[((), {"code": 1})], faults=0b10001)
    made.put({4: [Effect(status=503)]})
    assert made.plan(["m"]) == Planned(delay_ns=MS, status=503, faults=0b10000)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.9])
def test_a_share_is_exact_in_the_long_run_and_reproducible(share: float) -> None:
    count = 20_000
    draws = []
    for _ in range(2):
        made = planner(seed=5)
        made.put({0: [Effect(status=500, share=share)]})
        draws.append([planned.status for planned in met(made, count)])
    hits = draws[0].count(500)
    assert abs(hits - share * count) < 5 * (count * share * (1 - share)) ** 0.5  # five standard deviations
    assert draws[0] == draws[1]


def test_every_nth_counts_among_those_that_match() -> None:
    made = planner()
    made.put({0: [Effect(status=500, every_nth=3, methods=("a",))]})
    statuses = [made.plan([method]).status for method in "aabaaabaa"]
    assert statuses == [200, 200, 200, 500, 200, 200, 200, 500, 200]


def test_methods_limit_and_a_batch_is_one_draw() -> None:
    made = planner()
    made.put({0: [Effect(status=500, methods=("eth_call",))]})
    assert made.plan(["eth_blockNumber"]).status == 200
    assert made.plan(["eth_blockNumber", "eth_call"]).status == 500


def test_an_rpc_error_is_for_the_calls_of_its_methods() -> None:
    made = planner()
    one, other, every = {"code": 1}, {"code": 2}, {"code": 3}
    made.put({0: [Effect(rpc_error=one, methods=("a",)), Effect(rpc_error=other, methods=("a", "b"))]})
    planned = made.plan(["a", "b", "c"])
    assert [planned.error_of(method) for method in "abc"] == [one, other, None]
    assert made.plan(["x"], probe=True).error_of("x") == one, "a probe meets it by whatever method"
    made.put({0: [Effect(rpc_error=every)]})
    assert made.plan(["a", "c"]).error_of("c") == every


def test_a_probe_meets_every_effect_and_no_error_of_the_provider() -> None:
    made = planner(error_rate=1.0)
    assert made.plan(["m"], probe=True).status == 200
    assert made.plan(["m"]).status == 500
    made.put({0: [Effect(status=503, share=0.0, methods=("x",), every_nth=1000)]})
    assert made.plan(["m"], probe=True).status == 503


def test_jitter_keeps_the_median_and_spreads_as_documented() -> None:
    times = sorted(planned.delay_ns for planned in met(planner(latency_ms=20, jitter_ms=5), 20_000))
    assert abs(statistics.median(times) / MS - 20) < 0.3
    assert abs(times[round(len(times) * 0.8413)] / MS - 25) < 0.5  # one sigma above the median
    assert times[0] > 0
    alone = [planned.delay_ns for planned in met(planner(jitter_ms=5), 2000)]
    assert min(alone) >= 0
    assert abs(statistics.fmean(alone) / MS - 5 * 0.798) < 0.5  # the mean of a half-normal time


@given(st.integers(0, 10**15), st.integers(0, 10**15), st.integers(1, 10**10))
def test_heights_are_monotone_and_the_same_for_all(a: int, b: int, block_time: int) -> None:
    first, second = (Chain(1, 0, block_time) for _ in range(2))
    assert first.height(min(a, b)) <= second.height(max(a, b))
    assert first.height(a) == second.height(a)
    assert Chain(1, 0, block_time, skew=2).height(a) == first.height(a) - 2


def test_hashes_are_shared_and_chains_differ() -> None:
    assert Chain(1, 0, 1).block(7) == Chain(1, 99, 5).block(7)
    assert Chain(1, 0, 1).block(7)["hash"] != Chain(2, 0, 1).block(7)["hash"]
    assert Chain(1, 0, 1).block(7)["parentHash"] == Chain(1, 0, 1).block(6)["hash"]


@pytest.mark.parametrize(
    ("method", "params", "expected"),
    [
        ("eth_blockNumber", [], hex(GENESIS_HEIGHT)),
        ("eth_chainId", [], "0x1"),
        ("net_version", [], "1"),
        ("eth_syncing", [], False),
        ("eth_getTransactionReceipt", ["0x1"], None),
        ("eth_getBlockByNumber", [hex(GENESIS_HEIGHT + 1), False], None),
        ("eth_getLogs", [{}], []),
    ],
)
def test_results(method: str, params: list[object], expected: object) -> None:
    assert result_of(Chain(1, 0, 1), method, params, GENESIS_HEIGHT) == expected


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [("eth_nonsense", [], -32601), ("eth_getBalance", [], -32602), ("eth_getBlockByNumber", ["soon"], -32602)],
)
def test_errors(method: str, params: list[object], code: int) -> None:
    with pytest.raises(MethodError) as raised:
        result_of(Chain(1, 0, 1), method, params, 5)
    assert raised.value.code == code


def test_every_method_answers_something_that_depends_on_the_chain_alone() -> None:
    for method in METHODS:
        params = ["0x1"] if method != "eth_getBlockByNumber" else ["latest"]
        one, two = (result_of(Chain(1, start, 1), method, params, 50) for start in (0, 77))
        assert one == two
