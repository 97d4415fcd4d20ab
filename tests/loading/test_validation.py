from collections.abc import Callable

import pytest

from battle.errors import Problem
from battle.loading import load_text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        # unknown keys, on every level
        ("latency: 5ms", "lateny: 5ms", "5:25: unknown key 'lateny' (did you mean 'latency'?)"),
        ("\nworkload:", "\nworklod: 1\nworkload:", "8:1: unknown key 'worklod' (did you mean 'workload'?)"),
        ("weight: 4", "wieght: 4", "14:35: unknown key 'wieght' (did you mean 'weight'?)"),
        ("    requests:", "    timeot: 1s\n    requests:", "13:5: unknown key 'timeot' (did you mean 'timeout'?)"),
        ("at: 6s", "att: 6s, at: 6s", "17:43: unknown key 'att' (did you mean 'at'?)"),
        (
            "{kind: none}",
            "{kind: none, breaker: {failure: 1}}",
            "7:33: unknown key 'failure' (did you mean 'failures'?)",
        ),
        ("{kind: none}", "{kind: none, zzz: 1}", "7:23: unknown key 'zzz' (known: "),
        # kinds
        ("kind: kill", "kind: kil", "17:22: unknown kind 'kil' (did you mean 'kill'? known: "),
        ("kind: kill", "kind: mock", "17:22: unknown kind 'mock' ('mock' belongs to providers; known here: "),
        ("kind: kill, ", "", "17:3: 'kind' is missing (known: "),
        ("beta: {kind: mock}", "beta: mock", "6:11: 'mock' is not a mapping"),
        ("kind: poisson", "kind: poison", "12:16: unknown kind 'poison' (did you mean 'poisson'? known: "),
        ("proxy: {kind: none}", "proxy: envoi", "7:10: unknown kind 'envoi' (did you mean 'envoy'? known: "),
        # what is missing
        ('rate: "${rate}", ', "", "12:9: 'rate' is missing"),
        ("name: sound\n", "", "1:1: 'name' is missing"),
        ("target: alpha, ", "", "17:3: 'target' is missing"),
        ("method: eth_blockNumber, ", "", "14:9: 'method' is missing"),
        # units
        ("rate: 50/s", "rate: 50", "11:32: 50 has no unit; did you mean 50/s?"),
        ("duration: 30s", "duration: 30", "12:52: 30 has no unit; did you mean 30ms or 30s?"),
        ("duration: 30s", "duration: 30x", "12:52: '30x' is not a duration (write it like 20ms, 1.5s, 1m30s)"),
        ("duration: 30s", "duration: 3000000h", "12:52: '3000000h' is longer than any run"),
        ("duration: 3s", "duration: 3s, name: all", "11:58: 'all' is a word of the language and cannot be a name"),
        # types
        ("name: sound", "name: 2024", "1:7: 2024 is not text (quote it)"),
        ("name: sound", "name: ''", "1:7: 'name' is empty"),
        ("name: sound", "name:", "1:6: nothing is not text"),
        ("warmup: true", "warmup: yes", "11:60: 'yes' is not true or false (write true)"),
        ("warmup: true", "warmup: 'no'", "11:60: 'no' is not true or false (write false)"),
        ("weight: 4", "weight: '4'", "14:43: '4' is not a number (write it without quotes"),
        ("weight: 4", "weight: -1", "14:43: -1 is out of range: it must be at least 0.0"),
        ("name: sound", "name: sound\nseed: 010", "2:7: '010' is not a whole number (write it without quotes"),
        ("name: sound", "name: sound\nseed: 1.5", "2:7: 1.5 is not a whole number"),
        ("name: sound", "name: sound\nversion: 2", "2:10: 2 is not 1"),
        ("name: sound", "name: sound\ntags: fast", "2:7: 'fast' is not a list"),
        ("weight: 4", "weight: 4, expect: 3", "14:54: 3 is not a mapping (`key: value`)"),
        ("weight: 4", "weight: 4, expect: {status: ok}", "14:63: 'ok' is not a whole number, or a list"),
        ("weight: 4", "weight: 4, expect: {status: [ok]}", "14:64: 'ok' is not a whole number"),
        ("target: alpha", "target: 5", "17:36: 5 is not text, or a list, or a mapping (`key: value`)"),
        ("target: alpha", "target: [5]", "17:37: 5 is not text (quote it)"),
        ("target: alpha", "target: {random: x}", "17:45: 'x' is not a whole number"),
        ("at: 6s", "at: 6s, verify: nope", "17:59: 'nope' is not a mapping (`key: value`), or none"),
        ("at: 6s", "at: 6s, verify: {within: 3}", "17:68: 3 has no unit; did you mean 3ms or 3s?"),
        # a key that is called as its kind
        ("{kind: kill, target: alpha,", "{kind: latency, latency: 1, target: alpha,", "17:40: 1 has no unit"),
        (
            "{kind: kill, target: alpha,",
            "{kind: latency, latency: 1s, jitter: 1, target: alpha,",
            "17:52: 1 has no unit",
        ),
        # timing
        ("at: 6s, ", "", "17:3: say when: either `at: 6s` (from t0) or `after: <fault>`"),
        ("at: 6s", "at: 6s, every: 5s", "17:3: `every` needs a shorter `for`"),
        # names
        ("beta: {", "9beta: {", "6:5: '9beta' is not a name"),
        # objectives
        ("- success_rate >= 99%", "- success_rate", "19:5: 'success_rate' is not an objective; write "),
        ("- success_rate >= 99%", "- 5", "19:5: 5 is not a mapping"),
        (
            "- success_rate >= 99%",
            "- {objective: p50 <= 1s, gard: true}",
            "19:28: unknown key 'gard' (did you mean 'guard'?)",
        ),
    ],
)
def test_every_mistake_is_said_at_its_place(changed: Callable[..., str], old: str, new: str, said: str) -> None:
    found = changed(old, new)
    assert found.startswith(said)
    assert "\n" not in found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("weight: 4", "verb: GET, methd: x", ["14:10: unknown key 'method'", "14:46: unknown key 'methd'"]),
        (
            "kill-alpha: {",
            "during: {",
            [
                "17:3: 'during' is a word of the language and cannot be a name",
                "20:5: no fault is called 'kill-alpha'",
            ],
        ),
        ("for: 8s", "for_: 8s", ["17:51: unknown key 'for_' (did you mean 'for'?)"]),
        (
            "target: alpha",
            "target: {randm: 1}",
            ["17:28: 'random' is missing", "17:37: unknown key 'randm' (did you mean 'random'?)"],
        ),
        (
            "- success_rate >= 99%",
            "- {objectiv: p50 <= 1s}",
            ["19:5: 'objective' is missing", "19:6: unknown key 'objectiv'"],
        ),
    ],
)
def test_mistakes_that_come_together(changed: Callable[..., str], old: str, new: str, said: list[str]) -> None:
    found = changed(old, new).splitlines()
    assert len(found) == len(said), found
    assert all(line.startswith(start) for line, start in zip(found, said, strict=True)), found


def test_all_mistakes_come_at_once_in_the_order_of_the_file(problems: Callable[..., list[Problem]], sound: str) -> None:
    text = sound.replace("latency: 5ms", "lateny: 5ms").replace("rate: 50/s", "rate: 50").replace("kill, ", "kil, ")
    text = text.replace("- success_rate", "- sucess_rate").replace("name: sound\n", "")
    assert [(problem.line, problem.column) for problem in problems(text)] == [
        (1, 1),  # no name
        (4, 25),  # lateny
        (10, 32),  # rate: 50
        (16, 22),  # kil
        (18, 5),  # sucess_rate
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: sound\n", "name: sound\nx-anything: {goes: [here]}\n"),
        ("    beta:", "    x-base: {lateny: 1}\n    beta:"),
        ("\n  kill-alpha:", "\n  x-fault: nothing\n  kill-alpha:"),
        ("  reads:", "  x-stream: 3\n  reads:"),
        ("latency: 5ms", "latency: 5ms, x-note: slow"),
        ("weight: 4", "weight: 4, x-a: 1, x-b: 2"),
        ("at: 6s", "x-why: because, at: 6s"),
    ],
)
def test_free_keys_are_left_out_where_keys_are_checked(sound: str, old: str, new: str) -> None:
    assert sound.count(old) == 1
    assert load_text(sound.replace(old, new)).data == load_text(sound).data


def test_free_keys_do_not_hide_other_mistakes(changed: Callable[..., str]) -> None:
    assert changed("latency: 5ms", "x-a: 1, lateny: 5ms").startswith("5:33: unknown key 'lateny'")


def test_headers_and_params_may_begin_with_x(sound: str) -> None:
    text = sound.replace("    requests:", "    headers: {x-key: a, X-Other: b}\n    requests:")
    loaded = load_text(text.replace("latest]", "latest, {x-in: 1}]"))
    assert loaded.scenario.workload["reads"].headers == {"x-key": "a", "X-Other": "b"}
    assert loaded.data["workload"]["reads"]["requests"][1]["params"][2] == {"x-in": 1}


@pytest.mark.parametrize("section", ["chaos", "slo", "tags", "vars"])
def test_a_section_without_content_is_as_if_it_were_not_there(sound: str, section: str) -> None:
    text = sound.replace("- success_rate >= 99%\n  - p95 <= 250ms during kill-alpha", "- success_rate >= 99%")
    text = text.replace('"${rate}"', "200/s").replace("vars: {rate: 200/s}\n", "")
    before, found, _ = text.partition(f"{section}:")
    text = before if found else text
    assert load_text(f"{text}\n{section}:\n").data == load_text(text).data


def test_an_empty_workload_is_missing(problems: Callable[..., list[Problem]]) -> None:
    found = [str(problem) for problem in problems("name: x\nsetup: {providers: {a: {kind: mock}}}\nworkload:\n")]
    assert found == ["s.yaml:1:1: 'workload' is missing"]


def test_the_options_of_a_proxy(changed: Callable[..., str]) -> None:
    found = changed("{kind: none}", "{kind: nginx, options: {nginx: {non_idempotnt: true}}}")
    assert found == "7:42: unknown key 'non_idempotnt' (did you mean 'non_idempotent'?)"
