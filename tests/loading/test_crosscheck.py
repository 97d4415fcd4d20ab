from collections.abc import Callable
from typing import ClassVar, Literal

import pytest

from battle.core import component
from battle.core.ports.fault import Fault
from battle.core.scenario import rebuild
from battle.errors import Problem
from battle.loading import load_text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        # targets
        ("target: alpha", "target: alpa", "17:36: no provider is called 'alpa' (did you mean 'alpha'?)"),
        ("target: alpha", "target: [beta, zz]", "17:43: no provider is called 'zz' (targets: alpha, beta, all)"),
        ("target: alpha", "target: [beta, beta]", "17:43: the target 'beta' is named twice"),
        ("target: alpha", "target: []", "17:28: 'target' is empty (a fault needs somebody to disturb)"),
        ("target: alpha", "target: {random: 3}", "17:28: 3 random targets of 2 provider(s)"),
        ("target: alpha", "target: proxy", "17:36: 'kill' cannot be done to the proxy (target a provider)"),
        # abilities
        (
            "alpha: {kind: mock, latency: 5ms}",
            "alpha: {kind: url, url: 'http://localhost:1'}",
            "17:36: alpha is a url provider, which cannot be killed ('kill' needs a provider kept by battle",
        ),
        # waiting for each other
        ("at: 6s", "after: kil-alpha", "17:50: no fault is called 'kil-alpha'"),
        ("at: 6s", "after: kill-alpha", "17:50: kill-alpha waits for kill-alpha: none of them ever starts"),
        # times
        ("at: 6s", "at: 30s", "17:47: 'kill-alpha' would start at 30s, and the load ends at 30s"),
        ("for: 8s", "for: 1us, every: 2us", "17:3: 'kill-alpha' would come more than 1,000 times"),
        # phases
        ("3s, warmup: true", "3s, name: steady", "12:63: two phases of 'reads' are called 'steady' (name them apart)"),
        # providers and proxies
        ("{kind: none}", "{kind: none, attempts: 3}\n  strict: true", "7:23: not honoured: a proxy of kind 'none'"),
    ],
)
def test_what_does_not_fit_together_is_refused(changed: Callable[..., str], old: str, new: str, said: str) -> None:
    found = changed(old, new)
    assert found.startswith(said)
    assert "\n" not in found


@pytest.mark.parametrize("target", ["all", "[alpha, beta]", "{random: 2}", "beta"])
def test_targets_that_are_there(sound: str, target: str) -> None:
    loaded = load_text(sound.replace("target: alpha", f"target: {target}"))
    assert loaded.scenario.chaos["kill-alpha"].target


def test_all_and_random_mean_every_provider(problems: Callable[..., list[Problem]], sound: str) -> None:
    text = sound.replace("beta: {kind: mock}", "beta: {kind: url, url: 'http://localhost:1'}")
    for target in ("all", "{random: 1}"):
        (problem,) = problems(text.replace("target: alpha", f"target: {target}"))
        assert problem.message == "beta is a url provider, which cannot be killed"


@pytest.fixture
def proxy_fault() -> object:
    saved = component.snapshot()

    class Reload(Fault):
        """Reload the proxy."""

        aims_at_proxy: ClassVar[bool] = True
        kind: Literal["reload"] = "reload"

    rebuild()
    yield Reload
    component.restore(saved)
    rebuild()


def test_faults_of_the_proxy_aim_at_it_alone(changed: Callable[..., str], proxy_fault: object) -> None:
    assert changed("kind: kill, target: alpha", "kind: reload, target: proxy") == ""
    assert changed("kind: kill", "kind: reload").startswith(
        "17:38: 'reload' is done to the proxy (write `target: proxy`)"
    )


def test_waiting_in_a_circle(problems: Callable[..., list[Problem]], sound: str) -> None:
    circle = "chaos:\n" + "".join(
        f"  {name}: {{kind: kill, target: beta, after: {other}, for: 1s}}\n" for name, other in ("ab", "bc", "ca")
    )
    before, _, after = sound.partition("chaos:\n")
    text = before + circle + after[after.index("slo:") :].replace("kill-alpha", "a")
    assert [str(problem) for problem in problems(text)] == [
        "s.yaml:17:40: a waits for b waits for c waits for a: none of them ever starts",
        "s.yaml:18:40: b waits for c waits for a waits for b: none of them ever starts",
        "s.yaml:19:40: c waits for a waits for b waits for c: none of them ever starts",
    ]


def test_waiting_for_what_lasts_to_the_end(problems: Callable[..., list[Problem]], sound: str) -> None:
    text = sound.replace(", for: 8s}", "}\n  second: {kind: kill, target: beta, after: kill-alpha, for: 1s}")
    (problem,) = problems(text)
    assert str(problem) == (
        "s.yaml:18:45: 'second' waits for the end of 'kill-alpha', which lasts to the end of the load "
        "(give 'kill-alpha' a `for`)"
    )


def test_a_note_for_what_a_proxy_does_not_honour(sound: str) -> None:
    loaded = load_text(sound.replace("{kind: none}", "{kind: none, attempts: 3}"))
    assert loaded.notes == ["not honoured: a proxy of kind 'none' cannot carry out 'attempts'"]
    assert load_text(sound).notes == []


def test_a_load_test_needs_no_providers() -> None:
    text = (
        "name: x\nsetup: {proxy: {kind: url, url: 'http://127.0.0.1:1'}}\n"
        "workload: {a: {load: {kind: users, users: 2, duration: 3s}, requests: [{method: m}]}}\n"
    )
    assert load_text(text).scenario.provider_names == []


@pytest.mark.parametrize(
    ("setup", "place"),
    [("", (1, 1)), ("setup: {}\n", (2, 1)), ("setup:\n  proxy: envoy\n", (2, 1)), ("setup: {providers: {}}\n", (2, 1))],
)
def test_any_other_proxy_needs_providers(
    problems: Callable[..., list[Problem]], setup: str, place: tuple[int, int]
) -> None:
    work = "workload: {a: {load: {kind: users, users: 2, duration: 3s}, requests: [{method: m}]}}\n"
    (problem,) = problems(f"name: x\n{setup}{work}")
    assert "needs at least one" in problem.message
    assert (problem.line, problem.column) == place


def test_a_proxy_of_an_unknown_kind_may_need_no_providers(problems: Callable[..., list[Problem]]) -> None:
    work = "workload: {a: {load: {kind: users, users: 2, duration: 3s}, requests: [{method: m}]}}\n"
    (problem,) = problems(f"name: x\nsetup: {{proxy: {{kind: ulr, url: 'http://h:1'}}}}\n{work}")
    assert problem.message == "unknown kind 'ulr'"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # a broken part is still there for those that refer to it
        ("alpha: {kind: mock, latency: 5ms}", "alpha: {kind: moc}"),
        ("proxy: {kind: none}", "proxy: {kind: nope}"),
        ("kind: poisson", "kind: poison"),
        ("kind: kill, ", "kind: kil, "),
        ("for: 8s", "for: 8"),
        ("at: 6s", "at: 6"),
        ("duration: 30s", "duration: 30"),
        ("name: sound\n", ""),
    ],
)
def test_one_mistake_is_one_problem(changed: Callable[..., str], old: str, new: str) -> None:
    found = changed(old, new)
    assert found
    assert "\n" not in found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: sound\n", ""),
        ("latency: 5ms", "lateny: 5ms"),
        ("kind: kill", "kind: kil"),
        ("rate: 50/s", "rate: 50"),
        ("method: eth_blockNumber", "method: 3"),
        ("requests:", "requsts:"),
        ("{kind: none}", "{kind: nope}"),
    ],
)
def test_no_mistake_hides_those_of_other_parts(
    problems: Callable[..., list[Problem]], sound: str, old: str, new: str
) -> None:
    text = sound.replace("- success_rate", "- sucess_rate").replace(
        "p95 <= 250ms during kill-alpha", "p95 <= 9 during x"
    )
    text = text.replace("chaos:\n", "chaos:\n  other: {kind: pause, target: gama, at: 1s, for: 1s}\n")
    assert text.count(old) == 1
    found = [problem.message for problem in problems(text.replace(old, new))]
    for expected in (
        "no provider is called 'gama'",
        "unknown indicator 'sucess_rate'",
        "p95 is a duration, and 9 is none",
        "no fault is called 'x'",
    ):
        assert expected in found


def test_without_any_workload_the_rest_is_checked(problems: Callable[..., list[Problem]], sound: str) -> None:
    before, _, after = sound.partition("workload:\n")
    text = before + after[after.index("chaos:") :].replace("target: alpha", "target: alpa")
    found = [problem.message for problem in problems(f"version: 2\n{text}")]
    assert found == ["'workload' is missing", "2 is not 1", "no provider is called 'alpa'"]
