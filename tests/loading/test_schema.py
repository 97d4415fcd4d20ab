import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from battle.core.component import kinds
from battle.loading import load_text, scenario_schema, write_schema

TOP = Path(__file__).parents[2]
SHIPPED = sorted((TOP / "scenarios").glob("*.yaml"))
HOW = "run `make schema`"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return scenario_schema()


@pytest.fixture(scope="module")
def accepts(schema: dict[str, Any]) -> Callable[[str], bool]:
    validator = jsonschema.Draft202012Validator(schema)
    return lambda text: validator.is_valid(yaml.safe_load(text))


def test_the_committed_schema_is_fresh(schema: dict[str, Any]) -> None:
    assert json.loads((TOP / "scenario.schema.json").read_text()) == schema, HOW


def test_it_is_a_schema_and_is_written_as_it_is(schema: dict[str, Any], tmp_path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    write_schema(tmp_path / "s.json")
    assert json.loads((tmp_path / "s.json").read_text()) == schema


def test_every_kind_is_in_it(schema: dict[str, Any]) -> None:
    known = {
        each["properties"]["kind"].get("const")
        for each in schema["$defs"].values()
        if "kind" in each.get("properties", {})
    }
    for room in ("chaos", "load", "protocols", "providers", "proxies"):
        assert set(kinds(room)) <= known


def test_defaults_are_written_as_in_yaml(schema: dict[str, Any]) -> None:
    assert schema["$defs"]["BreakerSettings"]["properties"]["open_for"]["default"] == "5s"
    assert schema["$defs"]["Stream"]["properties"]["timeout"]["default"] == "5s"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_it_accepts_every_shipped_scenario(accepts: Callable[[str], bool], path: Path) -> None:
    assert accepts(path.read_text())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: sound", "name: sound"),
        # placeholders in place of any value
        ("weight: 4", 'weight: "${w}"'),
        ("warmup: true", 'warmup: "${warm}"'),
        ("{kind: poisson", '"${phase}"\n      - {kind: poisson'),
        ('params: ["${address}", latest]', 'params: "${params}"'),
        ("{kind: kill, target: alpha, at: 6s, for: 8s}", '{kind: kill, target: alpha, in_flight: "${n}", at: 6s}'),
        ("{kind: none}", '{kind: envoy, attempts: "${n}", breaker: "${b}"}'),
        ("at: 6s", "at: 6s, verify: none"),
        # short forms
        ("{kind: none}", "none"),
        ("- success_rate >= 99%", "- {objective: p50 <= 1s, guard: true}"),
        ("- success_rate >= 99%\n  - p95 <= 250ms during kill-alpha", "{success_rate: 0.9}"),
        # free keys
        ("name: sound", "name: sound\nx-free: [1]"),
        ("  kill-alpha:", "  x-fault: 3\n  kill-alpha:"),
        ("weight: 4", "weight: 4, x-note: 1"),
        # what another file holds
        ("name: sound", "extends: base.yaml"),
        # sections without content
        ("name: sound", "name: sound\ntags:"),
    ],
)
def test_it_accepts_what_loading_accepts(accepts: Callable[[str], bool], sound: str, old: str, new: str) -> None:
    assert sound.count(old) == 1
    assert accepts(sound.replace(old, new))


def test_one_phase_needs_no_list(accepts: Callable[[str], bool]) -> None:
    text = "name: x\nsetup: {providers: {a: {kind: mock}}, proxy: none}\n"
    text += "workload: {r: {load: {kind: constant, rate: 50/s, duration: 9s}, requests: [{method: m}]}}\n"
    assert load_text(text).scenario.name == "x"
    assert accepts(text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("latency: 5ms", "lateny: 5ms"),
        ("kind: kill", "kind: kil"),
        ("kind: kill, ", ""),
        ("beta: {kind: mock}", "beta: {url: 'http://h:1'}"),
        ("name: sound\n", ""),
        ("weight: 4", "weight: four"),
        ("warmup: true", "warmup: 3"),
        ("rate: 50/s", "rate: 50"),
        ("target: alpha, ", ""),
        ("{kind: none}", "envoi"),
    ],
)
def test_it_refuses_what_loading_refuses(accepts: Callable[[str], bool], sound: str, old: str, new: str) -> None:
    assert sound.count(old) == 1
    assert not accepts(sound.replace(old, new))
