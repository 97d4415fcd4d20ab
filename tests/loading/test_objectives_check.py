from collections.abc import Callable

import pytest

from battle.errors import Problem
from battle.loading import load_text


@pytest.mark.parametrize(
    ("objective", "said"),
    [
        # indicators
        ("sucess_rate >= 99%", "unknown indicator 'sucess_rate' (did you mean 'success_rate'?)"),
        ("p96 <= 1s", "unknown indicator 'p96' (did you mean 'p9"),
        ("xyzzy <= 1s", "unknown indicator 'xyzzy' (`battle kinds` lists all indicators)"),
        # units
        ("p95 <= 250", "p95 is a duration, and 250 is none (did you mean 250ms?)"),
        ("p95 <= 5%", "p95 is a duration, and 5% is none (write a duration, such as 250ms)"),
        ("success_rate >= 99", "success_rate is a share, and 99 is none (did you mean 99%?)"),
        ("success_rate >= 2s", "success_rate is a share, and 2s is none (write a share, such as 99%)"),
        ("throughput >= 100", "throughput is a rate, and 100 is none (did you mean 100/s?)"),
        ("dropped == 1%", "dropped is a bare number, and 1% is none (write a bare number, such as 3)"),
        ("proxy.memory_max <= 64", "proxy.memory_max is a size, and 64 is none (did you mean 64MB?)"),
        ("recovery_time <= 1.5x baseline", "recovery_time has no baseline to be relative to (write a duration"),
        # windows
        ("p95 <= 1s during kill", "no fault is called 'kill' (did you mean 'kill-alpha'?)"),
        ("p95 <= 1s after steady", "no fault is called 'steady' ('steady' is a phase: `in steady`)"),
        ("p95 <= 1s in stedy", "no phase is called 'stedy' (did you mean 'steady'?)"),
        ("p95 <= 1s in kill-alpha", "no phase is called 'kill-alpha' ('kill-alpha' is a fault: `during kill-alpha`)"),
        ("p95 <= 1s of kill-alpha", "p95 is measured in a window, and not for each fault (write `during kill-alpha`)"),
        (
            "recovery_time <= 1s before kill-alpha",
            "recovery_time is measured for each fault, and has no window (write `of",
        ),
        (
            "recovery_time <= 1s in steady",
            "recovery_time is measured for each fault, and has no window (choose a fault",
        ),
        ("recovery_time <= 1s of kill", "no fault is called 'kill' (did you mean 'kill-alpha'?)"),
        # where
        ("p95 <= 1s where stream=read", "no stream is called 'read' (did you mean 'reads'?)"),
        (
            "p95 <= 1s where method=eth_blockNumbr",
            "no method is called 'eth_blockNumbr' (did you mean 'eth_blockNumber'?)",
        ),
        ("p95 <= 1s where provider=gamma", "no provider is called 'gamma'"),
        (
            "recovery_time <= 2s where stream=reads",
            "recovery_time is not about single requests, so it cannot be narrowed",
        ),
        ("proxy.memory_max <= 2GB where stream=reads", "proxy.memory_max is not about single requests"),
        # the plan
        ("p99.9 <= 1s", "p99.9 needs 10,000 requests in this window, the plan gives 6,000 (send more, or for longer"),
        (
            "p99 <= 1s before kill-alpha where method=eth_getBalance",
            "p99 needs 1,000 requests in this window, the plan gives 240",
        ),
        ("success_rate >= 99.99%", "success_rate needs 10,000 requests in this window, the plan gives 6,000"),
    ],
)
@pytest.mark.parametrize("form", ["- {}", "- objective: {}"])
def test_what_is_no_objective_of_this_scenario(
    changed: Callable[..., str], objective: str, said: str, form: str
) -> None:
    column = 5 if form == "- {}" else 16
    found = changed("- success_rate >= 99%", form.format(objective))
    assert found.startswith(f"19:{column}: {said}")
    assert "\n" not in found


@pytest.mark.parametrize(
    "objective",
    [
        "success_rate >= 0.99",
        "success_rate == 1",
        "error_rate <= 0",
        "p95 <= 0",
        "p95 <= 1.5x baseline during kill-alpha",
        "p95 <= 1.5x baseline in steady where stream=reads method=eth_blockNumber provider=alpha",
        "p95 <= 1s in steady",
        "p95 <= 1s before kill-alpha",
        "p95 <= 1s after kill-alpha",
        "recovery_time <= 2s",
        "recovery_time <= 2s of kill-alpha",
        "detection_time <= 0.5s during kill-alpha",
        "amplification <= 1.5",
        "height_regressions == 0",
        "proxy.memory_max <= 64MiB",
        "throughput >= 6000/m",
        "{objective: p99.9 <= 1s, min_samples: 6000}",
        "{objective: p99.9 <= 1s, warn: true}",
    ],
)
def test_what_can_be_asked_for(sound: str, objective: str) -> None:
    assert load_text(sound.replace("success_rate >= 99%", objective)).scenario.slo


def test_phases_without_a_name_are_called_by_kind_and_position(sound: str, changed: Callable[..., str]) -> None:
    text = sound.replace(", name: steady", "").replace("p95 <= 250ms during kill-alpha", "p95 <= 250ms in poisson-2")
    assert load_text(text).scenario.slo
    found = changed("p95 <= 250ms during kill-alpha", "p95 <= 250ms in poisson-2")
    assert found == "20:5: no phase is called 'poisson-2' (phases: constant-1, steady)"


def test_min_samples_also_asks_for_more(changed: Callable[..., str]) -> None:
    found = changed("success_rate >= 99%", "{objective: p50 <= 1s, min_samples: 6001}")
    assert found.startswith("19:17: p50 needs 6,001 requests in this window, the plan gives 6,000")


def test_records_need_a_provider_that_keeps_them(problems: Callable[..., list[Problem]], sound: str) -> None:
    text = sound.partition("chaos:")[0].replace("{kind: mock, latency: 5ms}", "{kind: url, url: 'http://localhost:1'}")
    text += "slo:\n  - amplification <= 1.5\n"
    assert problems(text) == []  # beta keeps records
    text = text.replace("{kind: mock}", "{kind: url, url: 'http://localhost:2'}")
    (problem,) = problems(text)
    assert problem.message == "amplification needs providers that keep records; none does: alpha (url), beta (url)"
    assert (problem.line, problem.column, problem.hint) == (17, 5, "mock providers keep records")
    # a provider that is broken may keep records: only its own mistake is told
    assert len(problems(text.replace("url: 'http://localhost:2'", "ur: x"))) > 0
    assert not any(
        "records" in p.message for p in problems(text.replace("{kind: url, url: 'http://localhost:2'}", "{kind: moc}"))
    )


def test_the_first_frameworks_mapping(problems: Callable[..., list[Problem]], sound: str) -> None:
    text = sound.partition("slo:")[0] + "slo:\n  success_rate: 0.95\n  p95_latency_ms: 200\n"
    assert [objective.objective for objective in load_text(text).scenario.slo] == [
        "success_rate >= 0.95",
        "p95 <= 200ms",
    ]
    (problem,) = problems(text.replace("0.95", "95"))
    assert (problem.line, problem.column) == (19, 17)
    assert problem.message == "success_rate is a share, and 95 is none"
    (problem,) = problems(text.replace("p95_latency_ms", "p95_latency"))
    assert problem.message.startswith("unknown objective 'p95_latency'; as a mapping, slo knows")
    assert (problem.line, problem.column) == (18, 1)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2s", "recovery_time needs a baseline of 3s, and the first fault comes after 2s"),
        ("2999ms", "recovery_time needs a baseline of 3s, and the first fault comes after 2.999s"),
    ],
)
def test_a_baseline_that_is_too_short(problems: Callable[..., list[Problem]], sound: str, at: str, said: str) -> None:
    text = sound.partition("slo:")[0] + "slo: [recovery_time <= 2s]\n"
    assert problems(text.replace("at: 6s", "at: 3s")) == []
    (problem,) = problems(text.replace("at: 6s", f"at: {at}"))
    assert problem.message == said


def test_a_baseline_with_too_few_requests(problems: Callable[..., list[Problem]], sound: str) -> None:
    text = sound.partition("slo:")[0] + "slo: [detection_time <= 2s]\n"
    assert problems(text.replace("200/s", "17/s")) == []
    (problem,) = problems(text.replace("200/s", "16/s"))
    assert problem.message == "detection_time needs 100 requests in the baseline, the plan gives 96"
