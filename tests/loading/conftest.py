"""A sound scenario, and a way to see what loading says of a changed one."""

from collections.abc import Callable
from typing import Any

import pytest

from battle.errors import Problem, ScenarioError
from battle.loading import load_text

SOUND = """\
name: sound
vars: {rate: 200/s}
setup:
  providers:
    alpha: {kind: mock, latency: 5ms}
    beta: {kind: mock}
  proxy: {kind: none}
workload:
  reads:
    load:
      - {kind: constant, rate: 50/s, duration: 3s, warmup: true}
      - {kind: poisson, rate: "${rate}", duration: 30s, name: steady}
    requests:
      - {method: eth_blockNumber, weight: 4}
      - {method: eth_getBalance, params: ["${address}", latest]}
chaos:
  kill-alpha: {kind: kill, target: alpha, at: 6s, for: 8s}
slo:
  - success_rate >= 99%
  - p95 <= 250ms during kill-alpha
"""


@pytest.fixture
def sound() -> str:
    """The text of a scenario without mistakes."""
    return SOUND


@pytest.fixture
def problems() -> Callable[..., list[Problem]]:
    """What is wrong with a text; the empty list when nothing is."""

    def find(text: str, **asked: Any) -> list[Problem]:
        try:
            load_text(text, "s.yaml", **asked)
        except ScenarioError as error:
            return error.problems
        return []

    return find


@pytest.fixture
def changed(problems: Callable[..., list[Problem]]) -> Callable[..., str]:
    """The mistakes of the sound scenario with one text replaced by another, one a line, without the file's name."""

    def find(old: str, new: str, **asked: Any) -> str:
        assert SOUND.count(old) == 1, f"{old!r} must be there once"
        found = problems(SOUND.replace(old, new), **asked)
        return "\n".join(str(problem).removeprefix("s.yaml:") for problem in found)

    return find
