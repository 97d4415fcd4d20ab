import pytest
from load.drawing import offsets_of
from pydantic import ValidationError

from battle.core.ports.load import OpenPattern, Pattern

SETTINGS = {"rate": "2/s", "peak": "10/s", "every": "2s", "width": "400ms", "duration": "5s"}


def made(**changed: str) -> OpenPattern:
    pattern = Pattern.named("spike", **{**SETTINGS, **changed})
    assert isinstance(pattern, OpenPattern)
    return pattern


@pytest.mark.parametrize(
    ("changed", "expected_ms"),
    [
        # 4 arrivals before the first spike, 4 in it at 2 s, and so at 4 s
        ({}, [0, 500, 1000, 1500, 2000, 2100, 2200, 2300, 2400, 2900, 3400, 3900, 4080, 4180, 4280, 4380, 4800]),
        ({"rate": "0/s"}, [2000, 2100, 2200, 2300, 4000, 4100, 4200, 4300]),
        # the end of the phase cuts a spike short
        ({"duration": "2150ms"}, [0, 500, 1000, 1500, 2000, 2100]),
    ],
)
def test_arrivals_are_where_arithmetic_puts_them(changed: dict[str, str], expected_ms: list[int]) -> None:
    assert [round(offset / 1e6) for offset in offsets_of(made(**changed))] == expected_ms


def test_the_rate_is_the_peak_inside_spikes_only() -> None:
    at_ms = (0, 399, 1999, 2000, 2399, 2400, 4000, 4400)
    assert [made().rate_at(ms * 10**6) for ms in at_ms] == [2, 2, 2, 10, 10, 2, 10, 2]


def test_hours_later_a_spike_begins_on_time() -> None:
    pattern = made(rate="0/s", peak="1000/s", every="1s", width="1ms", duration="5h")
    assert offsets_of(pattern)[-1] == (5 * 3600 - 1) * 10**9


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"width": "2s"}, "`width` must be shorter than `every`"),
        ({"peak": "2/s"}, "`peak` must be higher than `rate`"),
        ({"duration": "2s"}, "the first spike begins at `every`"),
        ({"every": "0s"}, "every"),
        ({"width": "0s"}, "width"),
    ],
)
def test_spikes_that_cannot_be(changed: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        made(**changed)
