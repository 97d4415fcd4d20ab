"""Load patterns of every kind there is, drawn from what their schemas say they take."""

import itertools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from pydantic import ValidationError

from battle.app import load_rooms
from battle.core.component import kinds
from battle.core.ports.load import ClosedPattern, OpenPattern, Pattern
from battle.core.recording import ARRIVAL, DRAWN
from battle.core.seeds import generator

load_rooms()
OPEN = sorted(name for name, kind in kinds("load").items() if issubclass(kind, OpenPattern))
CLOSED = sorted(name for name, kind in kinds("load").items() if issubclass(kind, ClosedPattern))

RATES = st.one_of(st.sampled_from([0, 1, 333]), st.floats(0, 5000)).map(lambda rate: f"{rate:.3f}/s")
PHASES = st.integers(1, 3000).map(lambda ms: f"{ms}ms")
INSIDE = st.integers(1, 500).map(lambda ms: f"{ms}ms")
_SCHEDULES = Path(tempfile.mkdtemp(prefix="battle-schedules-"))
_numbers = itertools.count()


def patterns(kind: str) -> st.SearchStrategy[Any]:
    """Patterns of a kind; settings that it refuses are drawn again."""
    return replays() if kind == "replay" else _patterns(kind)


@st.composite
def _patterns(draw: st.DrawFn, kind: str) -> Pattern:
    schema = kinds("load")[kind].model_json_schema(by_alias=True)
    own = {name: setting for name, setting in schema["properties"].items() if name in schema["required"]}
    drawn = {name: draw(_values(name, setting)) for name, setting in own.items() if name != "kind"}
    try:
        return Pattern.named(kind, **drawn)
    except ValidationError:
        assume(False)
        raise


def _values(name: str, setting: dict[str, Any]) -> st.SearchStrategy[Any]:
    if setting.get("description") == "a rate":
        return RATES
    if setting.get("description") == "a duration":
        return PHASES if name == "duration" else INSIDE
    if setting.get("type") == "integer":
        return st.integers(setting.get("minimum", 0), min(setting.get("maximum", 1000), 1000))
    raise NotImplementedError(f"say in {__file__} how to draw {name!r}")


@st.composite
def replays(draw: st.DrawFn) -> Pattern:
    """A replay as loading resolves it, with the schedule that a run makes of it."""
    duration = draw(st.integers(1_000_000, 3_000_000_000))
    offsets = np.array(sorted(draw(st.lists(st.integers(0, duration - 1), min_size=1, max_size=1500))), np.int64)
    count = draw(st.integers(1, 20))
    made = np.empty(len(offsets), ARRIVAL)
    made["offset_ns"], made["request"] = offsets, draw(st.sampled_from([0, 1, DRAWN]))
    path = _SCHEDULES / f"{next(_numbers) % 64}.npy"
    np.save(path, made)
    parts = np.bincount(offsets * count // duration, minlength=count)
    recorded = {"first": 0, "parts": " ".join(map(str, parts)), "schedule": str(path)}
    return Pattern.named("replay", file="x", duration=f"{duration}ns", recorded=recorded)


def offsets_of(pattern: OpenPattern, seed: int = 1) -> list[int]:
    """All arrivals of a pattern."""
    return list(pattern.arrivals(generator(seed, "test")))
