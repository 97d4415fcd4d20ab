from itertools import pairwise

import pytest

from bench.figures import Row, Target, number, ratios


def test_ratios_are_paired_by_round_so_that_the_machines_moods_fall_out() -> None:
    assert ratios([90, 45, 180], [100, 50, 200]) == [0.9, 0.9, 0.9]
    with pytest.raises(ValueError, match="zip"):
        ratios([1, 2], [1])


@pytest.mark.parametrize(
    ("values", "target", "mark"),
    [
        ([0.9, 0.95, 2.0], Target(">=", 0.95), "met"),  # the median counts, not the best round
        ([0.9, 0.94, 2.0], Target(">=", 0.95), "not met"),
        ([1.3, 1.25, 1.0], Target("<=", 1.25), "met"),
        ([1.3, 1.26, 1.0], Target("<=", 1.25), "not met"),
        ([1.0], None, "no target"),
        ([], Target("<=", 1), "skipped"),
    ],
)
def test_a_row_is_marked_by_its_median(values: list[float], target: Target | None, mark: str) -> None:
    assert Row("row", "×", values, target).mark == mark


def test_a_row_as_json_keeps_every_rounds_figure_and_its_range() -> None:
    found = Row("row", "×", [3.0, 1.0, 2.0], Target(">=", 0.95), note="short").to_json()
    assert found == {
        "name": "row", "unit": "×", "median": 2.0, "min": 1.0, "max": 3.0, "values": [3.0, 1.0, 2.0],
        "target": "≥ 0.95", "mark": "met", "skipped": None, "note": "short",
    }  # fmt: skip


def test_what_was_not_measured_is_null_and_says_why() -> None:
    found = Row("row", "×", target=Target(">=", 1), skipped="wrk is not installed").to_json()
    assert (found["median"], found["min"], found["max"], found["mark"]) == (None, None, None, "skipped")
    assert found["skipped"] == "wrk is not installed"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.957, "0.96"), (12.34, "12.3"), (94_336.4, "94,336"), (-24.61, "-24.6"), (0, "0"), (100, "100")],
)
def test_numbers_are_shown_with_three_figures(value: float, text: str) -> None:
    assert number(value) == text


def test_numbers_keep_their_order_when_they_are_shown() -> None:
    shown = [float(number(value).replace(",", "")) for value in (0.01, 0.5, 9.99, 10.1, 99.9, 100.2, 5_000)]
    assert all(one < other for one, other in pairwise(shown))
