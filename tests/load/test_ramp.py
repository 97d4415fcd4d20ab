import pytest
from load.drawing import offsets_of

from battle.core.ports.load import Pattern
from battle.load.ramp import Ramp


@pytest.mark.parametrize(
    ("start", "end", "expected_ms"),
    [
        ("0/s", "4/s", [0, 1000, 1414, 1732]),
        ("4/s", "0/s", [0, 268, 586, 1000]),
        ("2/s", "2/s", [0, 500, 1000, 1500]),
        ("0/s", "0/s", []),
    ],
)
def test_arrivals_are_where_arithmetic_puts_them(start: str, end: str, expected_ms: list[int]) -> None:
    pattern = Pattern.named("ramp", **{"from": start, "to": end}, duration="2s")
    assert isinstance(pattern, Ramp)
    assert [round(offset / 1e6) for offset in offsets_of(pattern)] == expected_ms
