"""The timer of the load engine, with a timerfd and without."""

import asyncio
import sys
import time
from collections.abc import Callable

import pytest

from battle.system.timer import CHOICE, DueTimer, timer_is_precise

MS = 1_000_000


@pytest.fixture(params=["precise", "loop"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(CHOICE, request.param)
    return str(request.param)


def fired(play: Callable[[DueTimer, int], None], wait_s: float = 0.2) -> list[float]:
    """When it fired, in ms from the beginning."""
    begun = time.monotonic_ns()
    seen: list[float] = []

    async def run() -> None:
        timer = DueTimer(asyncio.get_running_loop(), lambda: seen.append((time.monotonic_ns() - begun) / MS))
        play(timer, begun)
        await asyncio.sleep(wait_s)
        timer.close()

    asyncio.run(run())
    return seen


def test_which_one_it_is(kind: str) -> None:
    assert timer_is_precise() is (kind == "precise" and sys.platform == "linux")


def test_it_fires_once_when_it_is_due(kind: str) -> None:
    seen = fired(lambda timer, begun: timer.arm(begun + 50 * MS))
    assert len(seen) == 1
    assert seen[0] >= (50 if kind == "precise" else 48), "the loop's own timers may come early by their step"


@pytest.mark.usefixtures("kind")
def test_what_is_past_fires_at_once() -> None:
    for instant in (0, -5, 1):
        assert len(fired(lambda timer, _, at=instant: timer.arm(at), 0.05)) == 1  # type: ignore[misc]


@pytest.mark.usefixtures("kind")
def test_the_last_word_counts() -> None:
    def twice(timer: DueTimer, begun: int) -> None:
        timer.arm(begun + 20 * MS)
        timer.arm(begun + 100 * MS)

    seen = fired(twice, 0.3)
    assert len(seen) == 1
    assert seen[0] >= 95


@pytest.mark.usefixtures("kind")
def test_closed_it_fires_no_more() -> None:
    def close(timer: DueTimer, begun: int) -> None:
        timer.arm(begun + 20 * MS)
        timer.close()

    assert fired(close, 0.1) == []
