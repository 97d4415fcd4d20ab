from pathlib import Path

import numpy as np
import pytest
from load.drawing import offsets_of
from pydantic import ValidationError

from battle.core.ports.load import Pattern
from battle.core.recording import ARRIVAL, DRAWN
from battle.load.replay import Replay

PARTS = {"first": 2, "parts": "4 0 8", "requests": "3 6", "drawn": 3}


def made(**recorded: object) -> Replay:
    pattern = Pattern.named("replay", file="x.jsonl", duration="3s", recorded={**PARTS, **recorded})
    assert isinstance(pattern, Replay)
    return pattern


def test_the_schedule_is_played_as_it_is(tmp_path: Path) -> None:
    count = 2000  # some blocks, the last one not full
    schedule = np.zeros(count, ARRIVAL)
    schedule["offset_ns"] = np.arange(count) * 1_000_000
    schedule["request"] = [DRAWN if number % 5 == 0 else number % 3 for number in range(count)]
    np.save(tmp_path / "s.npy", schedule)
    pattern = made(schedule=str(tmp_path / "s.npy"))
    expected = [(number * 1_000_000, None if number % 5 == 0 else number % 3) for number in range(count)]
    assert list(pattern.script()) == expected
    assert offsets_of(pattern) == [offset for offset, _ in expected]


def test_what_is_planned_is_known_by_parts() -> None:
    pattern = made()
    assert [pattern.rate_at(ms * 10**6) for ms in (0, 999, 1000, 2000, 2999, 3000)] == [4, 4, 0, 8, 8, 0]
    assert [pattern.planned_until(ms * 10**6) for ms in (0, 500, 1000, 2000, 2500, 3000)] == [0, 2, 4, 4, 8, 12]
    assert pattern.peak_per_s() == 8


def test_shares_are_those_of_the_recording() -> None:
    assert made().shares() == {2: 0.25, 3: 0.5, None: 0.25}
    assert made(requests="", drawn=12).shares() == {None: 1}


def test_a_recording_that_was_not_loaded_plays_nothing() -> None:
    pattern = Pattern.named("replay", file="x.jsonl")
    assert isinstance(pattern, Replay)
    assert (pattern.planned(), pattern.peak_per_s(), pattern.rate_at(0)) == (0, 0, 0)
    with pytest.raises(ValueError, match="schedule"):
        offsets_of(pattern)


@pytest.mark.parametrize("settings", [{"speed": 0}, {"speed": -1}, {"recorded": {"first": 0, "parts": "1 x"}}])
def test_nonsense_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Pattern.named("replay", file="x.jsonl", **settings)
