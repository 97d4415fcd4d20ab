import pytest
from load.drawing import offsets_of
from pydantic import ValidationError

from battle.core.ports.load import OpenPattern, Pattern


def made(start: str, end: str, steps: int, duration: str = "3s") -> OpenPattern:
    pattern = Pattern.named("step", **{"from": start, "to": end}, steps=steps, duration=duration)
    assert isinstance(pattern, OpenPattern)
    return pattern


@pytest.mark.parametrize(
    ("start", "end", "expected_ms"),
    [
        ("1/s", "3/s", [0, 1000, 1500, 2000, 2333, 2667]),
        ("3/s", "1/s", [0, 333, 667, 1000, 1500, 2000]),
        # the first arrival comes when the rate rises from 0
        ("0/s", "4/s", [1000, 1500, 2000, 2250, 2500, 2750]),
        ("4/s", "0/s", [0, 250, 500, 750, 1000, 1500]),
        ("0/s", "0/s", []),
    ],
)
def test_arrivals_are_where_arithmetic_puts_them(start: str, end: str, expected_ms: list[int]) -> None:
    assert [round(offset / 1e6) for offset in offsets_of(made(start, end, 3))] == expected_ms


def test_the_first_step_is_at_from_and_the_last_at_to() -> None:
    pattern = made("10/s", "50/s", 5, "10s")
    assert [pattern.rate_at(second * 10**9) for second in range(10)] == [10, 10, 20, 20, 30, 30, 40, 40, 50, 50]
    assert pattern.planned() == pytest.approx(2 * (10 + 20 + 30 + 40 + 50))
    assert pattern.planned_until(5 * 10**9) == pytest.approx(2 * (10 + 20) + 30)


@pytest.mark.parametrize("steps", [1, 0, 10_001])
def test_a_number_of_steps_that_cannot_be(steps: int) -> None:
    with pytest.raises(ValidationError, match="steps"):
        made("1/s", "2/s", steps)
