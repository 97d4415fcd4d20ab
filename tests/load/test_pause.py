from load.drawing import offsets_of

from battle.core.ports.load import OpenPattern, Pattern
from battle.core.scenario import Scenario
from battle.engine.schedule import arrivals, end_of_open_phases

PAUSE = {"kind": "pause", "duration": "2s"}


def test_nothing_arrives() -> None:
    pattern = Pattern.named(**PAUSE)
    assert isinstance(pattern, OpenPattern)
    assert offsets_of(pattern) == []
    assert (pattern.planned(), pattern.peak_per_s(), pattern.rate_at(5)) == (0, 0, 0)


def test_it_moves_what_comes_after_it_and_lasts() -> None:
    load = [{"kind": "constant", "rate": "2/s", "duration": "1s"}, PAUSE]
    stream = {"load": [*load, *load], "requests": [{"method": "m"}]}
    made = Scenario.model_validate({"name": "t", "workload": {"a": stream}}).workload["a"]
    found = [(offset / 1e9, phase) for offset, phase, _ in arrivals(made, 1, "a")]
    assert found == [(0, 0), (0.5, 0), (3, 2), (3.5, 2)]
    assert end_of_open_phases(made) == 6 * 10**9
