"""histograms.hlog: response times by stream, method and window, one interval each."""

import re

import numpy as np

from battle.analysis.evidence import Evidence
from battle.analysis.reading import Reading, Selection
from battle.analysis.windows import Window
from battle.core.journal import EventKind
from battle.core.records import Outcome
from battle.core.units import NS_PER_S
from battle.system.histograms import log_lines


def interval_log(evidence: Evidence) -> str:
    """The log. Tags are `<window>.<stream>.<method>`; values are response times of ok and failed requests, in µs."""
    reading = Reading(evidence)
    started = evidence.first(EventKind.RUN_STARTED)
    wall_s = (started.fields["wall_ns"] + evidence.t0_ns - started.at_ns) / NS_PER_S if started else 0.0
    requests = evidence.requests
    ended = np.isin(requests["outcome"], (Outcome.OK, Outcome.FAILED))
    times = requests["ended_ns"] - requests["scheduled_ns"]
    intervals = []
    for window in _windows(reading):
        inside = reading.mask(Selection(window)) & ended
        start = ((window.from_ns or evidence.t0_ns) - evidence.t0_ns) / NS_PER_S
        for number, template in enumerate(evidence.scenario.templates):
            stream = list(evidence.scenario.workload)[template.stream]
            tag = ".".join(map(_tag, (window.name, stream, template.label)))
            values = times[inside & (requests["template"] == number)]
            intervals.append((tag, start, window.seconds, values))
    return log_lines(wall_s, intervals)


def _windows(reading: Reading) -> list[Window]:
    found = [reading.windows.run()]
    if reading.faults:
        found.append(reading.windows.baseline())
    for name in reading.faults:
        found += [reading.windows.during(name), reading.windows.after(name)]
    return found


def _tag(text: str) -> str:
    """A log's tag holds no comma, space or line end."""
    return re.sub(r"[^A-Za-z0-9_./:-]+", "-", text)
