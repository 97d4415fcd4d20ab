import itertools

import pytest
from load.drawing import offsets_of
from pydantic import ValidationError

from battle.core.ports.load import Pattern
from battle.core.seeds import generator
from battle.core.units import NS_PER_S
from battle.load.constant import Constant


@pytest.mark.parametrize(
    ("rate", "duration", "expected_ms"),
    [("4/s", "1s", [0, 250, 500, 750]), ("30/m", "5s", [0, 2000, 4000]), ("1/s", "1ms", [0])],
)
def test_arrivals_are_evenly_spaced(rate: str, duration: str, expected_ms: list[int]) -> None:
    pattern = Constant.named("constant", rate=rate, duration=duration)
    assert [offset / 1e6 for offset in offsets_of(pattern)] == expected_ms


def test_a_long_phase_does_not_drift() -> None:
    pattern = Constant.named("constant", rate="333/s", duration="1h")
    *_, last = itertools.islice(pattern.arrivals(generator(1, "x")), 333 * 3000 + 1)
    assert last == 3000 * NS_PER_S


@pytest.mark.parametrize("settings", [{"rate": "0/s"}, {"rate": 200}, {"rate": "5/s", "burst": 3}])
def test_nonsense_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Pattern.named("constant", duration="1s", **settings)
