from itertools import pairwise
from typing import Any

import pytest

from battle.core.verdict import Verdict, worst
from battle.errors import ExitCode


@pytest.mark.parametrize(("verdict", "code"), [("pass", 0), ("fail", 1), ("inconclusive", 3)])
def test_exit_code_of_a_verdict(verdict: Any, code: Any) -> None:
    assert Verdict(verdict).exit_code == code


def test_worst_of_several_runs() -> None:
    order = [5, 70, 143, 130, 4, 2, 1, 3, 0]
    assert sorted(order) == sorted(ExitCode)
    for heavier, lighter in pairwise(order):
        assert worst([ExitCode(lighter), ExitCode(heavier)]) == heavier


def test_nothing_ran() -> None:
    assert worst([]) is ExitCode.PASS
