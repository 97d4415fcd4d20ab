from typing import Any

import pytest
from pydantic import ValidationError

from battle.core.names import RESERVED, check_name
from battle.core.scenario import BatchRequest, HttpRequest, RpcRequest, Scenario, Stream, phase_names
from battle.core.units import NS_PER_S as S

CONSTANT = {"kind": "constant", "rate": "100/s", "duration": "10s"}
WARM = {"kind": "constant", "rate": "10/s", "duration": "2s", "warmup": True}
USERS = {"kind": "users", "users": 40, "duration": "10s"}


def stream(**settings: Any) -> Stream:
    return Stream.model_validate({"load": [CONSTANT], "requests": [{"method": "m"}], **settings})


def scenario(**settings: Any) -> Scenario:
    whole = {
        "name": "x",
        "setup": {"providers": {name: {"kind": "mock"} for name in ("a", "b", "c")}},
        "workload": {"reads": {"load": [CONSTANT], "requests": [{"method": "m"}]}},
    }
    return Scenario.model_validate({**whole, **settings})


def test_what_a_short_scenario_means() -> None:
    made = scenario()
    assert made.setup.proxy.kind == "none"
    assert made.workload["reads"].protocol.kind == "http"
    assert (made.seed, made.chaos, made.slo) == (1, {}, [])
    assert scenario(setup={"proxy": "none"}).setup.proxy.kind == "none"


@pytest.mark.parametrize("name", sorted(RESERVED))
@pytest.mark.parametrize("part", ["workload", "chaos", "providers"])
def test_words_of_the_language_are_no_names(name: str, part: str) -> None:
    load = {"load": [CONSTANT], "requests": [{"method": "m"}]}
    settings: dict[str, Any] = {
        "workload": {"workload": {name: load}},
        "chaos": {"chaos": {name: {"kind": "kill", "target": "a", "at": "1s"}}},
        "providers": {"setup": {"providers": {name: {"kind": "mock"}}}},
    }[part]
    with pytest.raises(ValidationError, match="is a word of the language and cannot be a name"):
        scenario(**settings)


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        *((name, True) for name in ("a", "kill-alpha", "A_1")),
        *((name, False) for name in ("", "9a", "a b", "-a", "a.b", "é", "a\n")),
    ],
)
def test_what_is_a_name(name: str, valid: bool) -> None:
    if valid:
        assert check_name(name) == name
    else:
        with pytest.raises(ValueError, match="is not a name"):
            check_name(name)


@pytest.mark.parametrize(
    ("loads", "warmup", "whole"),
    [
        ([[CONSTANT]], 0, 10),
        ([[WARM, CONSTANT]], 2, 12),
        ([[WARM, WARM, CONSTANT]], 4, 14),
        ([[CONSTANT, WARM]], 0, 12),  # only what leads is warm-up
        ([[WARM, CONSTANT], [CONSTANT, CONSTANT]], 2, 20),
    ],
)
def test_warm_up_and_length(loads: list[list[dict[str, Any]]], warmup: int, whole: int) -> None:
    workload = {f"s{n}": {"load": load, "requests": [{"method": "m"}]} for n, load in enumerate(loads)}
    made = scenario(workload=workload)
    assert (made.warmup_ns, made.load_ns) == (warmup * S, whole * S)


@pytest.mark.parametrize(
    ("settings", "limit"),
    [
        ({}, 750),  # 1.5 × 100/s × 5 s
        ({"timeout": "1s"}, 150),
        ({"timeout": "10ms"}, 10),  # at least ten
        ({"max_in_flight": 3}, 3),
        ({"load": [USERS]}, 40),
        ({"load": [USERS, {**CONSTANT, "rate": "10/s"}], "timeout": "2s"}, 40),
    ],
)
def test_how_many_may_be_in_flight(settings: dict[str, Any], limit: int) -> None:
    assert stream(**settings).in_flight_limit == limit
    assert stream(**settings).connection_limit == limit
    assert stream(**settings, connections=5).connection_limit == 5


def test_one_phase_needs_no_list() -> None:
    assert stream(load=CONSTANT) == stream(load=[CONSTANT])


def test_phases_without_a_name_are_called_by_kind_and_position() -> None:
    assert phase_names(stream(load=[WARM, {**CONSTANT, "name": "steady"}, USERS])) == [
        "constant-1",
        "steady",
        "users-3",
    ]


def test_requests_and_their_labels() -> None:
    requests = stream(requests=[{"method": "m"}, {"verb": "GET", "path": "/p"}]).requests
    assert [type(request) for request in requests] == [RpcRequest, HttpRequest]
    assert [request.label for request in requests] == ["m", "GET /p"]


BATCH = {"batch": [{"method": "a"}, {"method": "b", "write": True}, {"method": "a"}], "weight": 2}


def test_a_batch_has_a_template_for_each_of_its_calls() -> None:
    several = {"load": [CONSTANT], "requests": [{"method": "m"}, BATCH, {"verb": "GET"}]}
    made = scenario(workload={"s": several, "t": several})
    labels = ["m", "a", "b", "a", "GET /"]
    assert [(each.stream, each.label) for each in made.templates] == [(n, label) for n in (0, 1) for label in labels]
    assert [each.request.write for each in made.templates[:5]] == [False, False, True, False, False]
    numbered = made.workload["t"].numbered(5)
    assert list(numbered) == [5, 6, 9]
    assert [type(request) for request in numbered.values()] == [RpcRequest, BatchRequest, HttpRequest]
    assert (made.has_batches, scenario().has_batches) == (True, False)


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        ([], "at least 1 item"),
        ([{"method": "m"}] * 101, "at most 100 items"),
        ([{"method": "m", "weight": 1}], "Extra inputs"),
        ([{"batch": [{"method": "m"}]}], "Extra inputs"),
        ([{"method": "m", "expect": {"id": "any"}}], "told apart by their ids"),
    ],
)
def test_what_no_batch_may_be(batch: object, said: str) -> None:
    assert len(stream(requests=[{"batch": [{"method": "m"}] * 100}]).requests[0].calls) == 100
    with pytest.raises(ValidationError, match=said):
        stream(requests=[{"batch": batch}])


def test_templates_are_numbered_through_all_streams() -> None:
    two = {"load": [CONSTANT], "requests": [{"method": "m"}, {"method": "n"}]}
    templates = scenario(workload={"s": two, "t": two}).templates
    assert [(each.stream, each.label) for each in templates] == [(0, "m"), (0, "n"), (1, "m"), (1, "n")]


@pytest.mark.parametrize(
    ("target", "targets"),
    [
        ("a", ["a"]),
        (["c", "a"], ["c", "a"]),
        ("all", ["a", "b", "c"]),
        ("proxy", ["proxy"]),
        ({"random": 3}, ["a", "b", "c"]),
        ({"random": 9}, ["a", "b", "c"]),
    ],
)
def test_whom_a_fault_aims_at(target: object, targets: list[str]) -> None:
    made = scenario(chaos={"k": {"kind": "kill", "target": target, "at": "1s"}})
    assert made.targets_of("k") == targets


def test_random_targets_come_from_the_seed_and_the_name_of_the_fault() -> None:
    def drawn(seed: int, fault: str) -> list[str]:
        return scenario(seed=seed, chaos={fault: {"kind": "kill", "target": {"random": 1}, "at": "1s"}}).targets_of(
            fault
        )

    assert all(drawn(seed, "k") == drawn(seed, "k") for seed in range(10))
    assert {name for seed in range(50) for name in drawn(seed, "k")} == {"a", "b", "c"}
    assert [drawn(seed, "k") for seed in range(20)] != [drawn(seed, "m") for seed in range(20)]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"chaos": {f"f{n}": {"kind": "kill", "target": "a", "at": "1s"} for n in range(33)}}, "at most 32 faults"),
        ({"setup": {"providers": {f"p{n}": {"kind": "mock"} for n in range(251)}}}, "at most 250 providers"),
        ({"workload": {}}, "at least 1 item"),
        ({"name": ""}, "at least 1 character"),
        ({"version": 2}, "Input should be 1"),
        ({"extra": 1}, "Extra inputs"),
    ],
)
def test_what_no_scenario_may_be(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        scenario(**settings)


def test_the_largest_scenario() -> None:
    faults = {f"f{n}": {"kind": "kill", "target": "a", "at": "1s"} for n in range(32)}
    assert max(scenario(chaos=faults).fault_numbers.values()) == 31


def test_the_first_frameworks_objectives() -> None:
    assert [each.objective for each in scenario(slo={"success_rate": 0.9}).slo] == ["success_rate >= 0.9"]
