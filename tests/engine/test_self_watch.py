"""What the load worker sees of itself."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from battle.engine.self_watch import EVERY_NS, SelfWatch


@pytest.fixture(autouse=True)
def _collect() -> None:
    """Workers of other tests switch it off for the whole process."""
    gc.enable()
    gc.unfreeze()


def watched(meanwhile: Callable[[], Awaitable[None]]) -> dict[str, Any]:
    """What is seen while this goes on."""

    async def play() -> dict[str, Any]:
        watch = SelfWatch()
        watch.start(time.monotonic_ns())
        await meanwhile()
        await asyncio.sleep(0.03)
        seen = watch.stop()
        assert watch.stop() is seen
        return seen

    return asyncio.run(play())


def test_a_loop_that_is_blocked_is_seen_with_every_probe_that_fell_into_it() -> None:
    async def block() -> None:
        await asyncio.sleep(0.02)
        time.sleep(0.3)  # noqa: ASYNC251  (this is what must be seen)

    seen = watched(block)
    assert seen["loop_lag_max_ns"] >= 285_000_000  # the first probe came due at most 10 ms after it began
    assert seen["loop_lags_over_limit"] >= 28  # 30 came due meanwhile, and the last one may be under 5 ms late
    assert seen["loop_lag_p99_ns"] >= 250_000_000


def test_there_are_as_many_probes_as_came_due() -> None:
    async def idle() -> None:
        await asyncio.sleep(0.2)

    begun = time.monotonic_ns()
    seen = watched(idle)
    elapsed = time.monotonic_ns() - begun
    assert 200_000_000 // EVERY_NS <= seen["probes"] <= elapsed // EVERY_NS


def test_garbage_collections_are_counted_and_gc_off_is_not_taken_on_trust() -> None:
    async def collect() -> None:
        gc.collect()
        gc.collect(0)

    seen = watched(collect)
    assert seen["gc_collections"] >= 2
    assert seen["gc_off"] is False


def test_cpu_is_a_share_of_one_core() -> None:
    async def work() -> None:
        until = time.process_time() + 0.1
        while time.process_time() < until:
            pass

    seen = watched(work)
    assert 0 < seen["cpu_share"] <= 1.2
    assert seen["preempted"] >= 0
    assert seen["major_faults"] >= 0


def test_stopped_before_anything_was_due_it_knows_nothing() -> None:
    async def play() -> dict[str, Any]:
        return SelfWatch().stop()

    seen = asyncio.run(play())
    assert (seen["probes"], seen["loop_lag_p99_ns"], seen["cpu_share"]) == (0, None, None)
    assert seen["preempted"] is None
