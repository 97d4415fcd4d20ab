import numpy as np
import pytest
from load.drawing import offsets_of
from numpy.typing import NDArray

from battle.core.ports.load import OpenPattern, Pattern

CRITICAL = 1.949
"""Of √n · D: the distance that gaps of a true Poisson process exceed once in a thousand times."""


def made(kind: str) -> OpenPattern:
    pattern = Pattern.named(kind, rate="1000/s", duration="20s")
    assert isinstance(pattern, OpenPattern)
    return pattern


def distance(offsets: list[int], rate: float) -> float:
    """√n · D of Kolmogorov and Smirnov: the largest difference between the gaps' shares and 1 − exp(−rate · gap)."""
    gaps: NDArray[np.float64] = np.sort(np.diff(offsets)) / 1e9
    expected, count = 1 - np.exp(-rate * gaps), len(gaps)
    above = np.arange(1, count + 1) / count - expected
    below = expected - np.arange(count) / count
    return float(max(above.max(), below.max()) * count**0.5)


@pytest.mark.parametrize("seed", range(20))
def test_gaps_are_exponentially_distributed(seed: int) -> None:
    assert distance(offsets_of(made("poisson"), seed), 1000) < CRITICAL


def test_the_test_tells_other_gaps_and_other_rates_apart() -> None:
    assert distance(offsets_of(made("constant")), 1000) > 10 * CRITICAL
    assert distance(offsets_of(made("poisson")), 1050) > CRITICAL


def test_gaps_do_not_depend_on_the_one_before() -> None:
    gaps = np.diff(offsets_of(made("poisson")))
    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) < 5 / len(gaps) ** 0.5


def test_another_seed_gives_other_arrivals() -> None:
    assert offsets_of(made("poisson"), 1) != offsets_of(made("poisson"), 2)
