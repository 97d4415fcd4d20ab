"""Guards: objectives that end the run early when they stay broken."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from battle.analysis.evidence import Evidence
from battle.analysis.indicator import indicators
from battle.analysis.reading import Reading, Selection
from battle.analysis.windows import Window
from battle.core.journal import Event, EventKind
from battle.core.objective import Objective
from battle.core.records import ATTEMPT, Requests
from battle.core.scenario import Scenario
from battle.core.units import NS_PER_S


class Guard:
    """One guard: broken when every trailing second for `for` broke its objective."""

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self._condition = objective.condition
        self._broken_since: int | None = None
        self.actual: float | None = None

    def look(self, measure: Callable[[Objective], float | None], now_ns: int) -> bool:
        """Take one look; `measure` gives an objective's value over the last second, None when it has none.

        A second without any value breaks nothing and proves nothing: the count starts again.
        """
        actual = measure(self.objective)
        if actual is None or self._condition.holds(actual, self._condition.required.value):
            self._broken_since = None
            return False
        self.actual = actual
        if self._broken_since is None:
            self._broken_since = now_ns
        return now_ns - self._broken_since >= self.objective.for_


@dataclass(frozen=True)
class LastSecond:
    """Measures request indicators over the requests that ended in the last second, as the analysis would."""

    scenario: Scenario
    requests: Requests
    now_ns: int

    def measure(self, objective: Objective) -> float | None:
        """The value of an objective's indicator, None when it has none."""
        condition = objective.condition
        started = Event(0, EventKind.LOAD_STARTED, {"t0_ns": 0, "planned_end_ns": self.now_ns})
        requests = self.requests.copy()  # those that ended in the last second count in it, whenever they were due
        requests["scheduled_ns"] = np.maximum(requests["scheduled_ns"], self.now_ns - NS_PER_S)
        evidence = Evidence("", self.scenario, requests, np.zeros(0, ATTEMPT), [started])
        window = Window("the last second", ((self.now_ns - NS_PER_S, self.now_ns + 1),))
        measured = indicators()[condition.indicator].measure(Reading(evidence), Selection(window, condition.where))
        return measured.value if isinstance(measured.value, float | int) else None
