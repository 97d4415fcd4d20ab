"""Spans without any ok answer."""

import numpy as np

from battle.analysis.ends import find_ends
from battle.analysis.indicator import Indicator, Measurement, enter
from battle.analysis.reading import Reading, Selection, found_once
from battle.analysis.statistics import Mask
from battle.analysis.windows import Span, Window
from battle.core.objective import Unit

_AT_LEAST = 2


def outages(reading: Reading, selection: Selection) -> list[Span] | None:
    """The spans in ns, from an ok answer to the next, in which at least two requests ended otherwise, in the window.

    So a lull in the load, or a single failure between two good answers, is none. What lies before the first ok answer,
    or behind the last, counts from t0 and to the end of the load. None when the selection holds no request.
    """
    if not np.any(reading.mask(selection) & reading.columns.judged):
        return None
    everything = Window("run", ((reading.t0_ns, reading.end_ns),))
    return [
        (max(start, low), min(stop, high))
        for start, stop in _silences(reading, Selection(everything, selection.where))
        for low, high in selection.window.spans
        if min(stop, high) > max(start, low)
    ]


@found_once
def _silences(reading: Reading, selection: Selection) -> list[Span]:
    """The same in the whole run."""
    ends = find_ends(reading.columns, _ended_once(reading, selection))
    bad = np.flatnonzero(~ends.ok(slice(None)))
    if len(bad) == len(ends):
        return [(reading.t0_ns, reading.end_ns)]
    first = np.flatnonzero(np.diff(bad, prepend=-2) > 1)  # each row of ends that were not ok, one after the other
    length = np.diff(np.append(first, len(bad)))
    rows = [(int(bad[at]), int(bad[at] + many)) for at, many in zip(first, length, strict=True) if many >= _AT_LEAST]
    at, count = ends.at_ns, len(ends)
    return [
        (int(at[start - 1]) if start else reading.t0_ns, int(at[stop]) if stop < count else reading.end_ns)
        for start, stop in rows
    ]


def _ended_once(reading: Reading, selection: Selection) -> Mask:
    """Every ok answer, and of all else HTTP requests: a batch that failed is one."""
    mask = reading.mask(selection)
    return mask & (reading.columns.ok | reading.requests(selection)) if reading.scenario.has_batches else mask


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
