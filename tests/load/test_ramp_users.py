import pytest
from pydantic import ValidationError

from battle.core.ports.load import ClosedPattern, Pattern
from battle.core.units import NS_PER_S


def made(start: int, end: int) -> ClosedPattern:
    pattern = Pattern.named("ramp_users", **{"from": start, "to": end}, duration="10s")
    assert isinstance(pattern, ClosedPattern)
    return pattern


@pytest.mark.parametrize(
    ("start", "end", "users"),
    [
        (0, 10, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]),
        (10, 0, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        (0, 5, [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 0]),  # halves count up
        (3, 3, [3] * 10 + [0]),
    ],
)
def test_users_are_on_the_line(start: int, end: int, users: list[int]) -> None:
    assert [made(start, end).users_at(second * NS_PER_S) for second in range(11)] == users


def test_both_ends_are_reached() -> None:
    assert made(1, 50).users_at(10 * NS_PER_S - 1) == 50
    assert (made(1, 50).peak_users(), made(50, 1).peak_users()) == (50, 50)


@pytest.mark.parametrize(("start", "end"), [(0, 0), (-1, 5), (1, 100_001)])
def test_numbers_that_cannot_be(start: int, end: int) -> None:
    with pytest.raises(ValidationError):
        made(start, end)
