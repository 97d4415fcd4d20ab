from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battle.analysis.statistics import deviation, jain, percentile, percentiles, rank_of


@pytest.mark.parametrize(
    ("percent", "count", "position"),
    [
        (50, 1, 0),
        (50, 2, 0),  # half of two is one value
        (50, 3, 1),
        (95, 100, 94),
        (95, 20, 18),
        (99.9, 1000, 998),
        (99.9, 10_000, 9989),
        (100, 7, 6),
        (0, 7, 0),
    ],
)
def test_rank(percent: Any, count: Any, position: Any) -> None:
    assert rank_of(percent, count) == position


def test_percentiles_of_known_values() -> None:
    values = np.arange(1, 1001)[::-1].copy()
    assert percentiles(values, (50, 95, 99, 99.9, 100)) == [500, 950, 990, 999, 1000]


def test_percentile_of_nothing_is_none() -> None:
    assert percentile(np.zeros(0, np.int64), 95) is None


@given(st.lists(st.integers(0, 10**12), min_size=1), st.floats(0.1, 100))
def test_percentile_is_the_smallest_value_that_enough_do_not_exceed(values: Any, rank: Any) -> None:
    found = percentile(np.array(values), rank)
    at_most = sum(value <= found for value in values)
    below = sum(value < found for value in values)
    assert found in values
    assert at_most >= rank * len(values) / 100 - 1e-6
    assert below < rank * len(values) / 100 + 1e-6


@given(st.lists(st.integers(0, 10**10), min_size=1), st.integers(1, 10))
def test_deviation_is_that_of_the_population(values: list[int], piece: int) -> None:
    assert deviation(np.array(values), piece) == pytest.approx(np.std(values))


@pytest.mark.parametrize(
    ("loads", "index"), [([5, 5, 5], 1), ([9, 0, 0], 1 / 3), ([1, 1, 0, 0], 0.5), ([0, 0], None), ([], None)]
)
def test_jains_index(loads: Any, index: Any) -> None:
    assert jain(loads) == (None if index is None else pytest.approx(index))
