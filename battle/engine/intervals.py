"""histograms.hlog: response times by stream, method and window, one interval each."""

import re

import numpy as np

from battle.analysis.evidence import Evidence
from battle.analysis.reading import Reading, Selection
from battle.analysis.windows import Window
from battle.core.journal import EventKind
from battle.core.units import NS_PER_S
from battle.system.histograms import BUCKETS, Interval, buckets_of, log_lines


def interval_log(evidence: Evidence) -> str:
    """The log. Tags are `<window>.<stream>.<method>`; values are response times of ok and failed requests, in µs."""
    reading = Reading(evidence)
    started = evidence.first(EventKind.RUN_STARTED)
    wall_s = (started.fields["wall_ns"] + evidence.t0_ns - started.at_ns) / NS_PER_S if started else 0.0
    intervals = []
    for window in _windows(reading):
        start = ((window.from_ns or evidence.t0_ns) - evidence.t0_ns) / NS_PER_S
        counts, longest = _counted(reading, window)
        for number, template in enumerate(evidence.scenario.templates):
            stream = list(evidence.scenario.workload)[template.stream]
            tag = ".".join(map(_tag, (window.name, stream, template.label)))
            intervals.append(Interval(tag, start, window.seconds, counts[number], int(longest[number])))
    return log_lines(wall_s, intervals)


def _counted(reading: Reading, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Response times by template: how many fell into each bucket, and the longest in ns."""
    templates = len(reading.scenario.templates)
    counts = np.zeros((templates, BUCKETS), np.int64)
    longest = np.zeros(templates, np.int64)
    inside = reading.requests(Selection(window), of_each_method=True)
    for place, part in reading.columns.parts():
        chosen = inside[place] & part.ended
        template, took = part.template[chosen], part.took_ns[chosen].astype(np.int64)
        where = template.astype(np.int64) * BUCKETS + buckets_of(took)
        counts += np.bincount(where, minlength=counts.size).reshape(counts.shape)
        np.maximum.at(longest, template, took)
    return counts, longest


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
