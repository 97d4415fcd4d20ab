import pytest
from pydantic import ValidationError

from battle.core.ports.load import ClosedPattern, Pattern
from battle.core.units import NS_PER_S


def test_users_are_there_inside_the_phase_only() -> None:
    pattern = Pattern.named("users", users=5, duration="2s")
    assert isinstance(pattern, ClosedPattern)
    assert [pattern.users_at(offset) for offset in (-1, 0, 2 * NS_PER_S - 1, 2 * NS_PER_S)] == [0, 5, 5, 0]


def test_nobody_is_refused() -> None:
    with pytest.raises(ValidationError):
        Pattern.named("users", users=0, duration="1s")
