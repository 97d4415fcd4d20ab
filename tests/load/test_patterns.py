"""The laws that every load pattern keeps; a new kind is held to them by being there."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from load.drawing import CLOSED, OPEN, offsets_of, patterns
from pydantic import ValidationError

from battle.core.component import kinds
from battle.core.ports.load import ClosedPattern, EvenPattern, OpenPattern, Pattern, ScriptedPattern
from battle.core.scenario import Scenario
from battle.core.units import NS_PER_S
from battle.engine.schedule import arrivals

lawful = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
open_kinds = pytest.mark.parametrize("kind", OPEN)
closed_kinds = pytest.mark.parametrize("kind", CLOSED)
_STEP_NS = 1000


def test_every_kind_is_open_or_closed() -> None:
    assert sorted([*OPEN, *CLOSED]) == sorted(kinds("load"))


def most_off(pattern: OpenPattern, expected: float) -> float:
    """How far a number of arrivals may be from the expected one: what chance explains at five standard deviations."""
    if isinstance(pattern, EvenPattern | ScriptedPattern) or expected == 0:
        return 1 + 1e-6
    return 5 * expected**0.5 + 5  # and room where numbers are small


@open_kinds
@lawful
@given(st.data(), st.integers(0, 1 << 30))
def test_arrivals_are_monotone_inside_the_phase_as_many_as_planned_and_reproducible(
    kind: str, data: st.DataObject, seed: int
) -> None:
    pattern = data.draw(patterns(kind))
    found = offsets_of(pattern, seed)
    assert all(type(offset) is int for offset in found)
    assert all(0 <= offset < pattern.duration for offset in found)
    assert all(a <= b for a, b in itertools.pairwise(found))
    assert abs(len(found) - pattern.planned()) <= most_off(pattern, pattern.planned())
    assert found == offsets_of(pattern, seed)


@open_kinds
@lawful
@given(st.data(), st.floats(0, 1), st.floats(0, 1))
def test_any_part_of_the_phase_gets_what_is_planned_for_it(
    kind: str, data: st.DataObject, one: float, other: float
) -> None:
    pattern = data.draw(patterns(kind))
    start, stop = sorted(int(share * pattern.duration) for share in (one, other))
    found = np.array(offsets_of(pattern), np.int64)
    inside = int(np.count_nonzero((found >= start) & (found < stop)))
    expected = pattern.planned_until(stop) - pattern.planned_until(start)
    assert -1e-6 <= expected <= pattern.peak_per_s() * (stop - start) / NS_PER_S + 1e-6
    if not isinstance(pattern, ScriptedPattern):  # which knows its plan by parts only
        assert abs(inside - expected) <= most_off(pattern, expected)


@open_kinds
@lawful
@given(st.data(), st.floats(0, 1))
def test_the_rate_integrates_to_what_is_planned(kind: str, data: st.DataObject, share: float) -> None:
    """The derivative is the rate, anywhere, and the integral begins at 0."""
    pattern = data.draw(patterns(kind))
    assert pattern.planned_until(0) == 0
    assert pattern.planned() == pattern.planned_until(pattern.duration)
    start = int(share * max(0, pattern.duration - _STEP_NS))
    stop = min(start + _STEP_NS, pattern.duration)
    slope = (pattern.planned_until(stop) - pattern.planned_until(start)) / (stop - start) * NS_PER_S
    rates = [pattern.rate_at(offset) for offset in (start, (start + stop) // 2, stop - 1)]
    assert max(rates) <= pattern.peak_per_s() * (1 + 1e-9)
    room = 1e-3 * (1 + pattern.peak_per_s())
    assert min(rates) - room <= slope <= max(rates) + room


@open_kinds
@lawful
@given(st.data())
def test_outside_the_phase_the_rate_is_0(kind: str, data: st.DataObject) -> None:
    pattern = data.draw(patterns(kind))
    assert [pattern.rate_at(offset) for offset in (-1, pattern.duration, pattern.duration + NS_PER_S)] == [0, 0, 0]


@pytest.mark.parametrize("kind", [kind for kind in OPEN if kind != "replay"])
@lawful
@given(st.data())
def test_streams_do_not_depend_on_each_other(kind: str, data: st.DataObject) -> None:
    """Adding a stream, before or after, or changing another one's settings, moves no arrival of this one."""
    phase = data.draw(patterns(kind)).model_dump(mode="json", by_alias=True)
    own = {"load": [phase, {"kind": "poisson", "rate": "50/s", "duration": "1s"}], "requests": [{"method": "m"}]}
    other = {"load": {"kind": "poisson", "rate": "70/s", "duration": "2s"}, "requests": [{"method": "n"}]}
    alone, before, after = ({"own": own}, {"other": other, "own": own}, {"own": own, "other": {**other, "path": "/x"}})
    found = [played({"name": "t", "seed": 5, "workload": workload}) for workload in (alone, before, after)]
    assert found[0] == found[1] == found[2]


def played(data: dict[str, object]) -> list[tuple[int, int, int | None]]:
    """The arrivals of the stream `own`."""
    scenario = Scenario.model_validate(data)
    return list(arrivals(scenario.workload["own"], scenario.seed, "own"))


def test_two_streams_with_the_same_settings_are_not_in_step() -> None:
    stream = {"load": {"kind": "poisson", "rate": "50/s", "duration": "2s"}, "requests": [{"method": "m"}]}
    workload = Scenario.model_validate({"name": "t", "workload": {"a": stream, "b": stream}}).workload
    assert list(arrivals(workload["a"], 1, "a")) != list(arrivals(workload["b"], 1, "b"))
    assert list(arrivals(workload["a"], 1, "a")) != list(arrivals(workload["a"], 2, "a"))


@pytest.mark.parametrize("kind", [kind for kind in OPEN if kind not in {"replay", "pause"}])
def test_the_first_arrivals_of_a_long_phase_are_there_at_once(kind: str) -> None:
    """Nothing is computed for the whole phase beforehand: that would take the memory of 10^11 arrivals."""
    long = {"rate": "1000000/s", "from": "1000000/s", "to": "1000001/s", "steps": 10, "peak": "2000000/s"}
    long |= {"every": "1s", "width": "1ms", "mean": "1000000/s", "amplitude": "1000000/s", "period": "1s"}
    names = kinds("load")[kind].model_json_schema(by_alias=True)["properties"]
    pattern = Pattern.named(kind, duration="1d", **{name: long[name] for name in names if name in long})
    assert isinstance(pattern, OpenPattern)
    found: Iterator[int] = pattern.arrivals(np.random.default_rng(1))
    assert len(list(itertools.islice(found, 5000))) == 5000


@closed_kinds
@lawful
@given(st.data(), st.floats(0, 1))
def test_users_are_there_inside_the_phase_and_never_more_than_the_peak(
    kind: str, data: st.DataObject, share: float
) -> None:
    pattern: ClosedPattern = data.draw(patterns(kind))
    assert 0 <= pattern.users_at(int(share * (pattern.duration - 1))) <= pattern.peak_users()
    assert pattern.peak_users() > 0
    assert [pattern.users_at(offset) for offset in (-1, pattern.duration)] == [0, 0]


@pytest.mark.parametrize("kind", sorted({*OPEN, *CLOSED} - {"replay"}))
def test_a_phase_of_no_duration_is_refused(kind: str) -> None:
    example = Pattern.named("pause", duration="1s").model_dump(mode="json") | {"kind": kind, "duration": "0s"}
    with pytest.raises(ValidationError, match="duration"):
        kinds("load")[kind].model_validate(example)
