"""The laws of open load patterns: monotone, inside the phase, as many as the integral of the rate, reproducible."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from battle.core.ports.load import ClosedPattern, OpenPattern, Pattern
from battle.core.seeds import generator
from battle.core.units import NS_PER_S

rates = st.floats(0.5, 5000).map(lambda rate: f"{rate:.3f}/s")
durations = st.integers(1, 3000).map(lambda ms: f"{ms}ms")


@st.composite
def even_patterns(draw: st.DrawFn) -> OpenPattern:
    kind = draw(st.sampled_from(["constant", "ramp"]))
    settings_ = {"duration": draw(durations)}
    settings_ |= {"rate": draw(rates)} if kind == "constant" else {"from": draw(rates), "to": draw(rates)}
    pattern = Pattern.named(kind, **settings_)
    assert isinstance(pattern, OpenPattern)
    return pattern


def offsets(pattern: OpenPattern, seed: int = 1) -> list[int]:
    return list(pattern.arrivals(generator(seed, "test")))


@settings(max_examples=60)
@given(even_patterns())
def test_even_patterns_keep_the_laws(pattern: OpenPattern) -> None:
    found = offsets(pattern)
    assert all(0 <= offset < pattern.duration for offset in found)
    assert all(a <= b for a, b in itertools.pairwise(found))
    assert abs(len(found) - pattern.planned()) <= 1


@settings(max_examples=40)
@given(rates, st.integers(1, 20), st.integers(0, 1 << 30))
def test_poisson_keeps_the_laws(rate: str, seconds: int, seed: int) -> None:
    pattern = Pattern.named("poisson", rate=rate, duration=f"{seconds}s")
    assert isinstance(pattern, OpenPattern)
    found = offsets(pattern, seed)
    assert all(0 <= offset < pattern.duration for offset in found)
    assert all(a <= b for a, b in itertools.pairwise(found))
    expected = pattern.planned()
    assert abs(len(found) - expected) <= 5 * expected**0.5 + 5  # five standard deviations, and room for small numbers
    assert found == offsets(pattern, seed)


def test_another_seed_gives_other_poisson_arrivals() -> None:
    pattern = Pattern.named("poisson", rate="100/s", duration="2s")
    assert isinstance(pattern, OpenPattern)
    assert offsets(pattern, 1) != offsets(pattern, 2)


@pytest.mark.parametrize(
    ("settings_", "expected"),
    [
        ({"kind": "constant", "rate": "4/s", "duration": "1s"}, [0, 250, 500, 750]),
        ({"kind": "constant", "rate": "30/m", "duration": "5s"}, [0, 2000, 4000]),
        ({"kind": "ramp", "from": "0/s", "to": "4/s", "duration": "2s"}, [0, 1000, 1414, 1732]),
        ({"kind": "ramp", "from": "4/s", "to": "0/s", "duration": "2s"}, [0, 268, 586, 1000]),
        ({"kind": "ramp", "from": "0/s", "to": "0/s", "duration": "2s"}, []),
    ],
)
def test_arrivals_are_where_arithmetic_puts_them(settings_: dict[str, str], expected: list[int]) -> None:
    pattern = Pattern.named(**settings_)
    assert isinstance(pattern, OpenPattern)
    assert [round(offset / 1e6) for offset in offsets(pattern)] == expected


def test_a_long_phase_does_not_drift() -> None:
    pattern = Pattern.named("constant", rate="333/s", duration="1h")
    assert isinstance(pattern, OpenPattern)
    *_, last = itertools.islice(pattern.arrivals(generator(1, "x")), 333 * 3000 + 1)
    assert last == 3000 * NS_PER_S


def test_users_are_there_inside_the_phase_only() -> None:
    pattern = Pattern.named("users", users=5, duration="2s")
    assert isinstance(pattern, ClosedPattern)
    assert [pattern.users_at(offset) for offset in (-1, 0, 2 * NS_PER_S - 1, 2 * NS_PER_S)] == [0, 5, 5, 0]


@pytest.mark.parametrize(
    "settings_",
    [
        {"kind": "constant", "rate": "0/s", "duration": "1s"},
        {"kind": "constant", "rate": 200, "duration": "1s"},
        {"kind": "users", "users": 0, "duration": "1s"},
        {"kind": "poisson", "rate": "5/s", "duration": "1s", "burst": 3},
    ],
)
def test_nonsense_is_refused(settings_: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Pattern.named(**settings_)  # type: ignore[arg-type]
