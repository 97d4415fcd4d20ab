"""The search for the highest rate, without a generator: what holds is what the test says."""

import asyncio
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from battle.core.records import REQUEST, Outcome
from battle.engine.calibrating import TRIES, Tried, _limit, _tried, highest


def tried(rate: float, *, lag_ms: float = 1.0, complete: bool = True, **cpu: float) -> Tried:
    return Tried(rate, lag_ms, complete, cpu.get("worker_cpu", 0.5), cpu.get("target_cpu", 0.5))


def search(holds: Callable[[int, int], bool], most: float = 10_000, late_after: float = math.inf) -> tuple[Any, Any]:
    """What is found, and the rates that were tried; `holds` is given the rate and the number of the try."""
    rates: list[int] = []

    async def at(rate: int) -> Tried:
        rates.append(rate)
        return tried(rate, lag_ms=1 if holds(rate, len(rates)) else 80)

    found = asyncio.run(highest(at, most, lambda: len(rates) >= late_after))
    return found and found.per_s, rates


@pytest.mark.parametrize("true", [300, 4000, 7777, 10_500])
def test_the_rate_is_found_to_a_64th_from_below(true: int) -> None:
    found, rates = search(lambda rate, _: rate <= true)
    assert true - 11_000 / 2**TRIES - 1 <= found <= true
    assert len(rates) <= 2 * TRIES


def test_a_hiccup_does_not_decide() -> None:
    assert search(lambda rate, number: number != 1 and rate <= 9000)[0] > 8800


def test_nothing_that_holds_is_none() -> None:
    found, rates = search(lambda *_: False)
    assert found is None
    assert len(rates) == 2 * TRIES


def test_it_ends_when_its_time_is_over() -> None:
    found, rates = search(lambda *_: True, late_after=2)
    assert (found, len(rates)) == (rates[1], 2)


def records(lag_ms: list[float], outcome: Outcome = Outcome.OK) -> Any:
    made = np.zeros(len(lag_ms), REQUEST)
    made["scheduled_ns"] = 10**9
    made["started_ns"] = made["scheduled_ns"] + (np.array(lag_ms) * 1e6).astype(np.int64)
    made["outcome"] = outcome
    return made


SAID = [{"itself": {"cpu_share": 0.4}}, {"itself": {"cpu_share": 0.95}}]


def test_a_rate_holds_when_all_was_sent_and_answered_and_the_lag_was_small() -> None:
    found = _tried(records([1.0] * 99 + [50.0]), SAID, 0.3, 0.5)
    assert (found.per_s, found.lag_p99_ms, found.worker_cpu, found.holds) == (200, 1.0, 0.95, True)
    assert not _tried(records([1.0] * 98 + [5.1] * 2), SAID, 0.3, 0.5).holds
    assert not _tried(records([1.0], Outcome.DROPPED), SAID, 0.3, 0.5).holds
    assert not _tried(records([]), SAID, 0.3, 0.5).holds


def test_what_was_used_up_is_named() -> None:
    assert _limit(tried(1, worker_cpu=0.97, target_cpu=0.99)) == "generator"
    assert _limit(tried(1, worker_cpu=0.7, target_cpu=0.99)) == "target"
    assert _limit(tried(1, worker_cpu=0.6, target_cpu=0.6)) == "machine"
