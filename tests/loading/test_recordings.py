"""Recordings are read when a scenario is loaded: what is appended to its stream, and every bad line at its place."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from battle.analysis.plan import Plan
from battle.core.objective import parse_condition
from battle.core.recording import DRAWN
from battle.core.scenario import Scenario
from battle.errors import ScenarioError
from battle.loading import Loaded, load_scenario, load_text

CALL = {"method": "eth_call", "params": [{"to": "${address}"}, "latest"]}
GET = {"verb": "GET", "path": "/x"}


def lines(*entries: tuple[float, dict[str, Any]]) -> str:
    return "".join(json.dumps({"at_ms": at, **request}) + "\n" for at, request in entries)


MIXED = lines((0, CALL), (1.5, GET), (1.5, {}), (700, {"params": CALL["params"], "method": "eth_call"}), (2250.25, {}))


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Loaded]:
    """Loads a scenario with one recording; `phase` and `stream` are more of their settings."""

    def load_it(recording: str, phase: str = "", stream: str = "requests: [{method: own}]", **asked: Any) -> Loaded:
        (tmp_path / "r.jsonl").write_text(recording)
        (tmp_path / "s.yaml").write_text(
            "name: t\nsetup: {providers: {alpha: {kind: mock}}}\nworkload:\n  reads:\n"
            f"    load: {{kind: replay, file: r.jsonl{phase}}}\n    {stream}\n"
        )
        return load_scenario(tmp_path / "s.yaml", **asked)

    return load_it


@pytest.fixture
def told(load: Callable[..., Loaded], tmp_path: Path) -> Callable[..., list[str]]:
    """What is wrong, one text a mistake, without the directory."""

    def say(*arguments: Any, **asked: Any) -> list[str]:
        with pytest.raises(ScenarioError) as raised:
            load(*arguments, **asked)
        return [str(problem).replace(f"{tmp_path}/", "") for problem in raised.value.problems]

    return say


def test_different_requests_are_appended_once_with_weight_0(load: Callable[..., Loaded]) -> None:
    loaded = load(MIXED)
    stream = loaded.scenario.workload["reads"]
    assert [(one.label, one.weight) for one in stream.requests] == [("own", 1), ("eth_call", 0), ("GET /x", 0)]
    schedule = loaded.schedules["reads", 0]
    assert schedule["offset_ns"].tolist() == [0, 1_500_000, 1_500_000, 700_000_000, 2_250_250_000]
    assert schedule["request"].tolist() == [1, 2, DRAWN, 1, DRAWN]
    assert loaded.notes == []


def test_the_duration_is_that_of_the_recording_unless_it_is_given(load: Callable[..., Loaded]) -> None:
    assert load(MIXED).scenario.load_ns == 2_251_000_000
    assert load(MIXED, ", duration: 10s").scenario.load_ns == 10_000_000_000


def test_speed_makes_it_faster(load: Callable[..., Loaded]) -> None:
    loaded = load(MIXED, ", speed: 2.5")
    assert loaded.schedules["reads", 0]["offset_ns"].tolist()[-2:] == [280_000_000, 900_100_000]
    assert loaded.scenario.load_ns == 901_000_000


def test_what_lies_beyond_the_duration_is_counted_and_said(load: Callable[..., Loaded]) -> None:
    loaded = load(MIXED, ", duration: 700ms")
    assert loaded.notes == ["2 of 5 arrivals of r.jsonl lie beyond the duration of 700ms and are not sent"]
    assert loaded.scenario.workload["reads"].load[0].planned() == 3  # type: ignore[attr-defined]


def test_a_batch_is_one_request_of_a_recording(load: Callable[..., Loaded], told: Callable[..., list[str]]) -> None:
    batch = {"batch": [CALL, {"method": "eth_blockNumber"}]}
    loaded = load(lines((0, batch), (1, GET), (2, batch)))
    assert loaded.schedules["reads", 0]["request"].tolist() == [1, 2, 1]
    stream = loaded.scenario.workload["reads"]
    assert list(stream.numbered(0)) == [0, 1, 3], "it takes two numbers in the records"
    plan = Plan(loaded.scenario)
    expected = [
        plan.expected(parse_condition(f"{one} where method=eth_call")) for one in ("p50 <= 1s", "failovers <= 1")
    ]
    assert expected == [pytest.approx(2), pytest.approx(2)]
    assert plan.expected(parse_condition("success_rate >= 1%")) == pytest.approx(5)
    assert told(lines((0, {"batch": [{**CALL, "weight": 1}]})))[0].startswith("r.jsonl:1:1: unknown key 'weight'")


def test_a_stream_needs_no_requests_when_every_line_has_one(load: Callable[..., Loaded]) -> None:
    loaded = load(lines((0, CALL), (1, GET)), stream="timeout: 1s")
    assert [one.label for one in loaded.scenario.workload["reads"].requests] == ["eth_call", "GET /x"]


@pytest.mark.parametrize(
    "stream",
    ["timeout: 1s", "requests: [{method: own, weight: 0}]"],
)
def test_a_line_without_a_request_needs_some_to_draw(told: Callable[..., list[str]], stream: str) -> None:
    (found,) = told(MIXED, stream=stream)
    assert found.startswith("s.yaml:4:3: no request has a weight above 0")


def test_other_phases_draw_from_the_stream_s_own_requests_only(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text(lines((0, CALL)))
    text = "name: t\nsetup: {providers: {alpha: {kind: mock}}}\nworkload:\n  reads:\n    load:\n"
    text += "      - {kind: constant, rate: 10/s, duration: 1s}\n      - {kind: replay, file: r.jsonl}\n"
    with pytest.raises(ScenarioError, match="no request has a weight above 0"):
        load_text(text, tmp_path / "s.yaml")


def test_the_resolved_scenario_needs_no_recording(load: Callable[..., Loaded], tmp_path: Path) -> None:
    loaded = load(MIXED)
    (tmp_path / "r.jsonl").unlink()
    assert load_text(loaded.masked_text, stored=True).scenario == loaded.scenario
    assert Scenario.model_validate(loaded.data) == loaded.scenario
    with pytest.raises(ScenarioError, match=r"no such file"):
        load_text(loaded.masked_text)


def test_a_stored_scenario_can_be_run_again(load: Callable[..., Loaded]) -> None:
    loaded = load(MIXED)
    again = load_text(loaded.masked_text)
    assert again.scenario == loaded.scenario
    assert again.schedules["reads", 0].tolist() == loaded.schedules["reads", 0].tolist()


def test_a_worker_is_told_where_the_schedule_is(load: Callable[..., Loaded], tmp_path: Path) -> None:
    loaded = load(MIXED)
    told = Scenario.model_validate(loaded.data_for({("reads", 0): tmp_path / "x.npy"})).workload["reads"].load[0]
    assert told.recorded.schedule == str(tmp_path / "x.npy")  # type: ignore[attr-defined]
    assert "schedule" not in str(loaded.data)


def test_the_plan_counts_by_the_recording(load: Callable[..., Loaded]) -> None:
    loaded = load(lines(*((at * 10.0, CALL if at % 4 else {}) for at in range(400))))
    plan = Plan(loaded.scenario)
    for objective, requests in [
        ("p50 <= 1s", 400),
        ("p50 <= 1s where method=eth_call", 300),
        ("p50 <= 1s where method=own", 100),
        ("p50 <= 1s where method=other", 0),
    ]:
        assert plan.expected(parse_condition(objective)) == pytest.approx(requests)


def test_placeholders_are_those_of_a_scenario(load: Callable[..., Loaded]) -> None:
    recording = lines((0, {"method": "m", "params": ["${key}", "${env:TOKEN}"]}))
    loaded = load(recording, stream="timeout: 1s", environment={"TOKEN": "hunter22"})
    assert loaded.scenario.workload["reads"].requests[0].params == ["${key}", "hunter22"]  # type: ignore[union-attr]
    assert "hunter22" not in loaded.masked_text


def test_every_bad_line_is_told_at_once(told: Callable[..., list[str]]) -> None:
    recording = (
        '{"at_ms": 5}\n{"at_ms": 4}\nnonsense\n\n{"at_ms": 6, "methd": "m"}\n{"at_ms": 7, "method": 5}\n'
        '{"at_ms": 8, "method": "m", "weight": 2}\n{"at_ms": 9, "method": "m", "params": ["${nothing}"]}\n'
    )
    assert [re.sub(r" \(.*|(?<=JSON): .*", "", found) for found in told(recording)] == [
        "r.jsonl:2:1: at 4 ms, and a line above is at 5 ms",
        "r.jsonl:3:1: not JSON",
        "r.jsonl:5:1: 'method' is missing",
        "r.jsonl:5:1: unknown key 'methd'",
        "r.jsonl:6:1: 5 is not text",
        "r.jsonl:7:1: unknown key 'weight': a recording draws nothing",
        "r.jsonl:8:1: ${nothing} is not among the vars",
    ]


def test_there_is_an_end_to_the_telling(told: Callable[..., list[str]]) -> None:
    found = told("nonsense\n" * 1000)
    assert len(found) == 21
    assert found[-1] == "r.jsonl:21:1: the lines from here on were not read"


@pytest.mark.parametrize(
    ("recording", "said"),
    [
        ("", "s.yaml:5:32: 'r.jsonl': the file is empty"),
        ("\n \n", "s.yaml:5:32: 'r.jsonl': the file is empty"),
        (
            '{"at_ms": 1, "method": "m", "params": ' + "[" * 50 + "]" * 50 + "}",
            "r.jsonl:1:1: nested more than 40 levels",
        ),
        ('{"at_ms": 1, "method": "m", "params": ' + "[" * 9999 + "]" * 9999 + "}", "r.jsonl:1:1: not JSON"),
        ("{" + " " * 1_000_001 + "}", "r.jsonl:1:1: longer than 1,000,000 bytes"),
    ],
    ids=["empty", "blank", "deep", "deeper", "long"],
)
def test_files_that_are_no_recording(told: Callable[..., list[str]], recording: str, said: str) -> None:
    assert told(recording)[0].startswith(said)


def test_a_duration_that_ends_before_the_first_arrival(told: Callable[..., list[str]]) -> None:
    assert told(lines((50, CALL)), ", duration: 20ms") == ["s.yaml:5:32: 'r.jsonl': all of it lies beyond `duration`"]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("none.jsonl", "'none.jsonl': there is no such file"),
        (".", "'.': there is no such file"),
        ("/dev/zero", "'/dev/zero': there is no such file"),
        ('"a\\0b"', "'a\\x00b': there is no such file"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, file: str, said: str) -> None:
    text = "name: t\nsetup: {providers: {alpha: {kind: mock}}}\nworkload:\n  reads:\n"
    with pytest.raises(ScenarioError) as raised:
        load_text(f"{text}    load: {{kind: replay, file: {file}}}\n", tmp_path / "s.yaml")
    (problem,) = raised.value.problems  # that the stream has no requests follows from it
    assert (problem.line, problem.column, problem.message) == (5, 32, said)


def test_more_requests_than_records_can_tell_apart(told: Callable[..., list[str]]) -> None:
    recording = "".join(f'{{"at_ms": {at}, "method": "m{at}"}}\n' for at in range(65_536))
    assert told(recording)[0].startswith("r.jsonl:65535:1: more than 65,535 different requests; placeholders such as")
