import time
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battle.core.scenario import Scenario
from battle.errors import Problem, ScenarioError
from battle.loading import load_scenario, load_text
from battle.loading.masking import to_yaml
from battle.loading.mistakes import Mistakes
from battle.loading.nodes import plain
from battle.loading.yaml_nodes import parse_yaml

SHIPPED = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_scenario_loads_and_its_stored_form_is_the_same(path: Path) -> None:
    loaded = load_scenario(path)
    again = load_text(loaded.masked_text)
    assert again.scenario == loaded.scenario == Scenario.model_validate(loaded.data)
    assert again.masked_text == loaded.masked_text


def test_loading_is_fast(sound: str) -> None:
    load_text(sound)
    started = time.perf_counter()
    for _ in range(5):
        load_text(sound)
    assert (time.perf_counter() - started) / 5 < 0.05


def test_the_seed_is_that_of_the_file_or_of_the_command_line(sound: str) -> None:
    assert load_text(sound).data["seed"] == load_text(sound).scenario.seed == 1
    assert load_text(f"seed: 7\n{sound}").scenario.seed == 7
    loaded = load_text(f"seed: 7\n{sound}", seed=9)
    assert (loaded.scenario.seed, loaded.data["seed"]) == (9, 9)
    assert load_text(loaded.masked_text).scenario.seed == 9


def test_the_input_is_not_changed(sound: str) -> None:
    overrides = {"rate": "300/s"}
    environment = {"A": "b"}
    load_text(sound, overrides=overrides, environment=environment)
    assert (overrides, environment) == ({"rate": "300/s"}, {"A": "b"})


@pytest.mark.parametrize(
    ("written", "kind", "becomes"),
    [
        ("{kind: none}", "nginx", {"kind": "nginx"}),
        ("none", "envoy", {"kind": "envoy"}),
        ("{kind: envoy, attempts: 4}", "nginx", {"kind": "nginx", "attempts": 4}),
        # what only the former kind has is left out
        ("{kind: url, url: 'http://h:1', attempts: 2}", "envoy", {"kind": "envoy", "attempts": 2}),
    ],
)
def test_another_proxy(sound: str, written: str, kind: str, becomes: dict[str, object]) -> None:
    loaded = load_text(sound.replace("{kind: none}", written), proxy=kind)
    assert loaded.data["setup"]["proxy"] == becomes
    assert loaded.scenario.setup.proxy.kind == kind
    assert load_text(loaded.masked_text).scenario == loaded.scenario


def test_another_proxy_where_none_was_written(sound: str) -> None:
    text = sound.replace("  proxy: {kind: none}\n", "")
    assert load_text(text, proxy="nginx").scenario.setup.proxy.kind == "nginx"


def test_another_proxy_keeps_what_is_unknown_to_both(problems: Callable[..., list[Problem]], sound: str) -> None:
    (problem,) = problems(sound.replace("{kind: none}", "{kind: envoy, atempts: 3}"), proxy="nginx")
    assert str(problem) == "s.yaml:7:24: unknown key 'atempts' (did you mean 'attempts'?)"


def test_an_unknown_proxy_on_the_command_line(changed: Callable[..., str]) -> None:
    found = changed("name: sound", "name: sound", proxy="ngin")
    assert found == "--proxy ngin: unknown kind of proxy (did you mean 'nginx'?)"


def test_a_proxy_that_needs_more_than_its_name(changed: Callable[..., str]) -> None:
    assert changed("name: sound", "name: sound", proxy="url").startswith("7:3: 'url' is missing")


def test_without_chaos(sound: str) -> None:
    text = sound.replace(
        "- success_rate >= 99%", "- success_rate >= 99%\n  - recovery_time <= 2s\n  - p95 <= 2x baseline"
    )
    loaded = load_text(
        text.replace("name: sound", "name: sound\ndescription: '${env:A}'"), chaos=False, environment={"A": "hush"}
    )
    assert loaded.scenario.chaos == {}
    assert [objective.objective for objective in loaded.scenario.slo] == ["success_rate >= 99%"]
    assert loaded.notes == [
        "run with --no-chaos: no fault is injected",
        "left out, since they are about faults: recovery_time <= 2s; p95 <= 2x baseline; p95 <= 250ms during kill-alpha",
    ]
    assert "hush" not in loaded.masked_text
    assert load_text(loaded.masked_text).scenario.slo == loaded.scenario.slo


def test_without_chaos_from_the_first_frameworks_mapping(sound: str) -> None:
    text = sound.partition("slo:")[0] + "slo: {success_rate: 0.95, max_failover_latency_ms: 500}\n"
    loaded = load_text(text, chaos=False)
    assert [str(each.condition) for each in loaded.scenario.slo] == ["success_rate >= 0.95"]
    assert loaded.notes[-1] == "left out, since they are about faults: failover_time.max <= 500ms"


def test_mistakes_in_what_is_left_out_are_told_too(changed: Callable[..., str]) -> None:
    assert changed("target: alpha", "target: alpa", chaos=False).startswith("17:36: no provider is called 'alpa'")


def test_secrets_are_masked_in_what_is_stored_and_there_in_what_is_sent(sound: str) -> None:
    text = sound.replace("    requests:", "    headers: {auth: 'Bearer ${env:TOKEN}', more: '${token}'}\n    requests:")
    text = text.replace("vars: {", "vars: {token: '${env:TOKEN}', ")
    loaded = load_text(text, environment={"TOKEN": "s3cr3t-t0k3n"})
    assert loaded.data["workload"]["reads"]["headers"] == {"auth": "Bearer s3cr3t-t0k3n", "more": "s3cr3t-t0k3n"}
    assert "s3cr3t" not in loaded.masked_text
    assert load_text(loaded.masked_text).data["workload"]["reads"]["headers"] == {"auth": "Bearer ***", "more": "***"}
    assert loaded.secrets == {"s3cr3t-t0k3n"}
    assert "s3cr3t" not in repr(loaded).replace(repr(loaded.scenario), "")


def test_a_mask_is_no_number_and_no_name_so_these_are_written_out(sound: str) -> None:
    text = sound.replace("latency: 5ms", "latency: '${env:L}'").replace("target: alpha", "target: '${env:T}'")
    text = text.replace("weight: 4", "weight: '${env:W}'").replace("name: sound", "name: '${env:N}'")
    loaded = load_text(text, environment={"L": "7ms", "T": "alpha", "W": "5", "N": "hush hush"})
    assert "hush" not in loaded.masked_text
    again = load_text(loaded.masked_text)
    assert again.data == {**loaded.data, "name": "***"}


def test_a_secret_address_stays_masked(sound: str) -> None:
    text = sound.replace("{kind: mock}", "{kind: url, url: '${env:U}'}")
    loaded = load_text(text, environment={"U": "http://node.example:80/v3/abcdef"})
    assert loaded.data["setup"]["providers"]["beta"]["url"] == "http://node.example:80/v3/abcdef"
    assert "abcdef" not in loaded.masked_text


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(min_size=1).filter(lambda key: key != "<<"), values, min_size=1, max_size=4))
def test_what_is_stored_is_read_back_as_it_was(data: dict[str, object]) -> None:
    mistakes = Mistakes()
    tree = parse_yaml(to_yaml(data), None, mistakes)
    mistakes.raise_any()
    assert plain(tree) == data


@pytest.mark.parametrize(
    "text", ["1e3", "true", "null", "12", "0.5E-2", "-0", "", "yes", "0x1f", "~", "a: b", "\x85", "<<"]
)
def test_text_that_looks_like_something_else_is_stored_as_text(text: str) -> None:
    mistakes = Mistakes()
    assert plain(parse_yaml(to_yaml({"k": text, "l": [text]}), None, mistakes)) == {"k": text, "l": [text]}


WORDS = ["alpha", "kill", "mock", "all", "proxy", 0, -1, 3, 1.5, "5ms", "0s", "9/s", "5%", "p95 <= 1s", "", "${rate}"]
WORDS += [None, True, "*", "x", "kill-alpha", "1.5x baseline", "99999999999h", "1" * 30, {}, [], {"kind": "x"}, [[]]]


@given(st.data())
def test_a_scenario_with_anything_anywhere_is_loaded_or_refused(data: st.DataObject) -> None:
    """No value in any place of a scenario makes loading fail in another way than with its mistakes."""
    mistakes = Mistakes()
    tree = plain(parse_yaml(SHIPPED[0].read_text(), None, mistakes))
    for _ in range(data.draw(st.integers(1, 3))):
        here = tree
        while True:
            keys = list(here) if isinstance(here, dict) else list(range(len(here)))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if isinstance(here[key], dict | list) and data.draw(st.integers(0, 4)):
                here = here[key]
                continue
            here[key] = deepcopy(data.draw(st.sampled_from(WORDS) | values))
            break
    with suppress(ScenarioError):
        assert load_text(to_yaml(tree), environment={}).scenario.name
