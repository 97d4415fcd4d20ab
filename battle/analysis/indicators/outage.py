"""Spans without any ok answer."""

import numpy as np

from battle.analysis.indicator import Indicator, Measurement, enter
from battle.analysis.reading import Reading, Selection
from battle.analysis.windows import Span, Window
from battle.core.objective import Unit
from battle.core.records import Outcome

_AT_LEAST = 2


def outages(reading: Reading, selection: Selection) -> list[Span] | None:
    """The spans in ns, from an ok answer to the next, in which at least two requests ended otherwise, in the window.

    So a lull in the load, or a single failure between two good answers, is none. What lies before the first ok answer,
    or behind the last, counts from t0 and to the end of the load. None when the selection holds no request.
    """
    if not np.any(reading.mask(selection) & reading.columns.judged):
        return None
    everything = Selection(Window("run", ((reading.t0_ns, reading.end_ns),)), selection.where)
    which = np.flatnonzero(reading.mask(everything) & reading.columns.judged)
    at = reading.columns.finished_ns[which]
    order = np.argsort(at, kind="stable")
    at, ok = at[order], np.flatnonzero(reading.columns.outcome[which][order] == Outcome.OK)
    edges = np.concatenate(([-1], ok, [len(at)]))
    times = np.concatenate(([reading.t0_ns], at[ok], [reading.end_ns]))
    silent = np.flatnonzero(np.diff(edges) > _AT_LEAST) if len(ok) else np.array([0])
    spans = [(int(times[gap]), int(times[gap + 1])) for gap in silent]
    return [
        (max(start, low), min(stop, high))
        for start, stop in spans
        for low, high in selection.window.spans
        if min(stop, high) > max(start, low)
    ]


def _longest(reading: Reading, selection: Selection) -> Measurement:
    return _measured(reading, selection, max)


def _total(reading: Reading, selection: Selection) -> Measurement:
    return _measured(reading, selection, sum)


def _measured(reading: Reading, selection: Selection, figure: object) -> Measurement:
    spans = outages(reading, selection)
    if spans is None:
        return Measurement(None, 0, "no requests in this window")
    lengths = [stop - start for start, stop in spans]
    value = sum(lengths) if figure is sum else max(lengths, default=0)
    return Measurement(float(value), int(np.count_nonzero(reading.mask(selection))))


enter(Indicator("outage.max", Unit.DURATION, "lower", "requests", "the longest span without any ok answer", _longest))
enter(Indicator("outage.total", Unit.DURATION, "lower", "requests", "all spans without any ok answer", _total))
