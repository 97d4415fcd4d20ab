import re
from collections.abc import Callable

import pytest
from rich.cells import cell_len
from sample_run import RUN_ID, disturbed_run, empty_run, failing_run, passing_run

from battle.core.run import Run
from battle.reporters.terminal import TerminalReporter
from battle.reporters.wording import UNKNOWN


def render(run: Run, width: int = 100) -> list[str]:
    return TerminalReporter(width=width, color=False).render(run).splitlines()


def row(lines: list[str], first: str) -> list[str]:
    line = next(line for line in lines if line.startswith(first))
    return re.split(r"\s{2,}", line)


@pytest.mark.parametrize(
    ("make", "first", "second"),
    [
        (passing_run, " PASS  Provider failover", " all 7 objectives hold"),
        (failing_run, " FAIL  Provider failover", " success_rate >= 99% during kill-alpha: 66.7%"),
        (empty_run, " INCONCLUSIVE  Provider failover", " envoy did not start: exit status 1"),
    ],
)
def test_the_verdict_and_its_reasons_come_first(make: Callable[[], Run], first: str, second: str) -> None:
    assert render(make())[:2] == [first, second]


def test_what_is_disturbed_comes_before_everything() -> None:
    lines = render(disturbed_run(), 120)
    assert lines[0] == f"Still disturbed: alpha: still stopped (SIGSTOP). Mend it: battle rollback {RUN_ID}"


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("success_rate", ["success_rate >= 99% during kill-alpha", "≥ 99%", "66.7%", "1,679", "✗ fail"]),
        ("recovery_time", ["recovery_time <= 2s", "≤ 2s", "never", "1", "✗ fail"]),
        ("p99", ["p99 <= 400ms", "≤ 400ms", UNKNOWN, "120", "? inconclusive"]),
    ],
)
def test_objectives(first: str, expected: list[str]) -> None:
    assert row(render(failing_run(), 120), first) == expected


def test_why_an_objective_could_not_be_judged() -> None:
    assert " p99 <= 400ms: p99 needs 1,000 requests, there were 120" in render(failing_run())


def test_faults_with_their_instants_and_costs() -> None:
    lines = [line for line in render(passing_run(), 120) if line.startswith("kill-alpha")]
    assert lines[0].split()[1:] == [
        "alpha", "6.002", "s", "6.015", "s", "14.391", "s", "14.403", "s", "✓", "effect", "and", "end",
    ]  # fmt: skip
    assert lines[1].split()[1:] == ["48", "1", "12.7", "ms", "92.4", "ms", "0", "ms", "1.20", "s"]


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("make", [passing_run, failing_run, empty_run])
def test_no_line_is_wider_than_the_terminal(make: Callable[[], Run], width: int) -> None:
    assert max(cell_len(line) for line in render(make(), width)) <= width


def test_nothing_is_left_out_on_80_columns_but_what_the_objective_says_itself() -> None:
    text = "\n".join(render(passing_run(), 80))
    for shown in ("99.983%", "6,021", "6.015 s", "14.403 s", "92.4 ms", "1.20 s", "47 failovers (31 proved"):
        assert shown in text
    assert "…" not in text


def test_colour_is_used_and_can_be_turned_off() -> None:
    assert "\x1b[1;7;31m FAIL \x1b[0m" in TerminalReporter().render(failing_run())
    assert "\x1b[1;7;32m PASS \x1b[0m" in TerminalReporter().render(passing_run())
    assert "\x1b" not in TerminalReporter(color=False).render(failing_run())


def test_names_are_text_and_no_markup() -> None:
    run = passing_run()
    scenario = run.scenario.model_copy(update={"name": "[bold]x[/bold] \x1b[5mblink"})
    assert render(run.model_copy(update={"scenario": scenario}))[0] == " PASS  [bold]x[/bold] blink"


def test_a_run_without_requests_shows_no_numbers() -> None:
    text = "\n".join(render(empty_run()))
    assert "No request was sent, so nothing was measured." in text
    assert not re.search(r"\b0\b", text)
