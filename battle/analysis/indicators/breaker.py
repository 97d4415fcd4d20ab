"""How often, how fast and how long providers were taken out of rotation."""

from battle.analysis.fault_times import FaultTimes
from battle.analysis.indicator import NEVER, Indicator, Measurement, enter
from battle.analysis.reading import Reading, Selection
from battle.core.objective import Unit

_NOBODY_KNOWS = Measurement(None, 0, "nothing tells which providers are out of rotation")


def _opens(reading: Reading, selection: Selection) -> Measurement:
    return _counted(reading, selection, "open")


def _closes(reading: Reading, selection: Selection) -> Measurement:
    return _counted(reading, selection, "closed")


def _counted(reading: Reading, selection: Selection, state: str) -> Measurement:
    if reading.breakers.source is None:
        return _NOBODY_KNOWS
    count = reading.breakers.counted(state, selection.window.spans)
    return Measurement(float(count), max(1, count))


def _open_time(reading: Reading, selection: Selection) -> Measurement:
    if reading.breakers.source is None:
        return _NOBODY_KNOWS
    return Measurement(float(reading.breakers.open_ns(selection.window.spans)), 1)


def _open_delay(reading: Reading, selection: Selection) -> Measurement:
    """First opening of a target from the fault's beginning on − onset, of the slowest target; not below 0."""
    times = reading.faults.get(selection.fault or "")
    if reading.breakers.source is None:
        return _NOBODY_KNOWS
    if times is None or times.effective_ns is None:
        return Measurement(None, 0, "the fault was not seen to take effect")
    over = times.cleared_ns if times.cleared_ns is not None else reading.end_ns
    delays: list[float | None] = []
    for target in _providers(reading, times):
        opened = [at for at in reading.breakers.of(target, "open") if (times.injecting_ns or 0) <= at < over]
        delays.append(float(max(0, opened[0] - times.effective_ns)) if opened else None)
    return _slowest(delays, "the fault has no provider as its target")


def _close_delay(reading: Reading, selection: Selection) -> Measurement:
    """First close after the clear − clear, of the slowest target that was out of rotation when the fault cleared."""
    times = reading.faults.get(selection.fault or "")
    if reading.breakers.source is None:
        return _NOBODY_KNOWS
    if times is None or times.cleared_ns is None:
        return Measurement(None, 0, "the fault has not cleared")
    delays: list[float | None] = []
    for target in _providers(reading, times):
        spans = [span for name, span in reading.breakers.open_spans() if name == target]
        if any(start <= times.cleared_ns < stop for start, stop in spans):
            closed = [at for at in reading.breakers.of(target, "closed") if at >= times.cleared_ns]
            delays.append(float(closed[0] - times.cleared_ns) if closed else None)
    return _slowest(delays, "no target was out of rotation when the fault cleared")


def _providers(reading: Reading, times: FaultTimes) -> list[str]:
    return [target for target in times.targets if target in reading.provider_numbers]


def _slowest(delays: list[float | None], none_reason: str) -> Measurement:
    if not delays:
        return Measurement(None, 0, none_reason)
    known = [delay for delay in delays if delay is not None]
    return Measurement(max(known) if len(known) == len(delays) else NEVER, len(delays))


enter(Indicator("breaker.opens", Unit.NUMBER, "neither", "run", "times a provider was taken out of rotation", _opens))
enter(Indicator("breaker.closes", Unit.NUMBER, "neither", "run", "times a provider came back into rotation", _closes))
enter(
    Indicator(
        "breaker.open_time",
        Unit.DURATION,
        "lower",
        "run",
        "how long providers were out of rotation, summed over the providers",
        _open_time,
    )
)
enter(
    Indicator(
        "breaker.open_delay", Unit.DURATION, "lower", "fault", "onset of a fault → its breaker opens", _open_delay
    )
)
enter(
    Indicator(
        "breaker.close_delay", Unit.DURATION, "lower", "fault", "end of a fault → its breaker closes", _close_delay
    )
)
