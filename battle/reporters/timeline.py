"""The run drawn along its time axis: what went through, how slow it was, and which faults were in force."""

import math
from collections.abc import Sequence

from battle.core.run import FaultResult, OccurrenceResult, Run, Second
from battle.reporters.wording import count, duration, one_line

_BARS = "▁▂▃▄▅▆▇█"
_LABEL_CHARS = 18
_MS_PER_S = 1000


def draw(run: Run, width: int = 100) -> list[str]:
    """Lines of at most `width` characters; none when there was no load."""
    series = run.analysis.series
    room = width - 2 * _LABEL_CHARS
    if len(series) < 2 or room < len(_BARS):  # noqa: PLR2004
        return []
    axis = _Axis(series, room)
    rows = [
        ("ok per second", axis.bars([second.ok for second in series]), _peak("max", series, "ok")),
        ("p95", axis.bars([second.p95_ms for second in series]), _peak("max", series, "p95_ms")),
    ]
    providers = list(dict.fromkeys(name for second in series for name in second.by_provider))
    most = max((served for second in series for served in second.by_provider.values()), default=0)
    rows += [(name, axis.bars([second.by_provider.get(name, 0) for second in series], most), "") for name in providers]
    rows += [(fault.name, axis.spans(fault), fault.kind) for fault in run.analysis.faults]
    lines = [f"{_label(name)}{drawn}  {note}".rstrip() for name, drawn, note in rows]
    return [*lines, " " * _LABEL_CHARS + axis.scale()]


def _label(name: str) -> str:
    name = one_line(name)
    return (name if len(name) < _LABEL_CHARS else name[: _LABEL_CHARS - 2] + "…").ljust(_LABEL_CHARS)


def _peak(word: str, series: Sequence[Second], field: str) -> str:
    values = [value for second in series if (value := getattr(second, field)) is not None]
    if not values:
        return ""
    return f"{word} {duration(max(values)) if field.endswith('_ms') else count(max(values))}"


class _Axis:
    """Seconds mapped to columns: several columns a second when there is room, several seconds a column when not."""

    def __init__(self, series: Sequence[Second], room: int) -> None:
        self.from_ms = series[0].from_ms
        self.to_ms = series[-1].from_ms + _MS_PER_S
        self.series = series
        self.wide = max(1, min(4, room // len(series)))
        self.per_column = math.ceil(len(series) / room)
        self.columns = math.ceil(len(series) / self.per_column) * self.wide

    def column(self, at_ms: float) -> int:
        """The column that shows an instant."""
        second = (at_ms - self.from_ms) / _MS_PER_S
        return min(self.columns - 1, max(0, int(second * self.wide / self.per_column)))

    def bars(self, values: Sequence[float | None], top: float | None = None) -> str:
        """A bar a second, the worst of several in one column. Nothing where there is no value, a dot for a zero."""
        present = [value for value in values if value is not None]
        top = top or max(present, default=0)
        cells = []
        for start in range(0, len(values), self.per_column):
            here = [value for value in values[start : start + self.per_column] if value is not None]
            cells.append(_bar(max(here), top) if here else " ")
        return "".join(cell * self.wide for cell in cells)

    def spans(self, fault: FaultResult) -> str:
        """Where a fault was in force; dashed while nobody saw that it was."""
        cells = [" "] * self.columns
        injections: list[OccurrenceResult | FaultResult] = [*fault.occurrences] or [fault]
        for once in injections:
            onset = once.effective_at_ms if once.effective_at_ms is not None else once.injected_at_ms
            if onset is None:
                continue
            end = next((at for at in (once.cleared_at_ms, once.rolled_back_at_ms) if at is not None), self.to_ms)
            mark = "╌" if once.verified is False else "━"
            for column in range(self.column(onset), self.column(end) + 1):
                cells[column] = mark
        return "".join(cells)

    def scale(self) -> str:
        """The first and the last second, and t0 where there was a warm-up."""
        first, last = f"{self.from_ms / _MS_PER_S:.0f} s".replace("-", "−"), f"{self.to_ms / _MS_PER_S:.0f} s"
        line = first.ljust(self.columns - len(last)) + last
        zero = self.column(0)
        if self.from_ms < 0 and len(first) < zero < self.columns - len(last) - 2:
            line = f"{line[:zero]}t0{line[zero + 2 :]}"
        return line


def _bar(value: float, top: float) -> str:
    if value <= 0 or top <= 0:
        return "·"
    return _BARS[min(len(_BARS) - 1, int(value / top * len(_BARS) - 1e-9))]
