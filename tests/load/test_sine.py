import math

import pytest
from load.drawing import offsets_of
from pydantic import ValidationError

from battle.core.ports.load import OpenPattern, Pattern


def made(mean: str, amplitude: str, period: str, duration: str) -> OpenPattern:
    pattern = Pattern.named("sine", mean=mean, amplitude=amplitude, period=period, duration=duration)
    assert isinstance(pattern, OpenPattern)
    return pattern


@pytest.mark.parametrize("amplitude", [0, 40, 99.99, 100])
def test_each_arrival_is_where_the_integral_reaches_its_number(amplitude: float) -> None:
    """Held against the integral itself: the rate may be next to 0 there, so the error allowed is one of numbers."""
    pattern = made("100/s", f"{amplitude}/s", "2s", "10s")
    for number, offset in enumerate(offsets_of(pattern)):
        turned = math.pi * offset / 1e9
        assert 100 * offset / 1e9 + amplitude / math.pi * (1 - math.cos(turned)) == pytest.approx(number, abs=1e-6)


def test_the_rate_begins_at_the_mean_and_rises() -> None:
    pattern = made("100/s", "50/s", "4s", "8s")
    found = [pattern.rate_at(second * 10**9) for second in range(5)]
    assert found == pytest.approx([100, 150, 100, 50, 100])
    assert pattern.peak_per_s() == 150


def test_whole_periods_hold_the_mean() -> None:
    assert made("100/s", "50/s", "3s", "9s").planned() == pytest.approx(900)
    assert made("100/s", "50/s", "3s", "1500ms").planned() == pytest.approx(150 + 50 * 3 / math.pi)


def test_a_phase_of_days_does_not_drift() -> None:
    pattern = made("1/m", "1/m", "1h", "100d")
    assert offsets_of(pattern)[60 * 24 * 99] == pytest.approx(99 * 86400 * 10**9, abs=1000)


def test_a_rate_below_0_is_refused() -> None:
    with pytest.raises(ValidationError, match="`amplitude` is more than `mean`"):
        made("10/s", "11/s", "1s", "1s")
