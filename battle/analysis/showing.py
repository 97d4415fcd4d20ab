"""Measured values, and what objectives require, as text for people and as numbers for run.json."""

from typing import Literal

from battle.analysis.indicator import NEVER
from battle.core.objective import Quantity, Unit
from battle.core.units import NS_PER_MS, NS_PER_S

UNIT_NAMES = {
    Unit.DURATION: "ms",
    Unit.SHARE: "share",
    Unit.RATE: "per_s",
    Unit.SIZE: "bytes",
    Unit.NUMBER: "number",
    Unit.RELATIVE: "number",
}
"""What stands under `unit` in run.json."""

_MINUTE_NS = 60 * NS_PER_S
_BYTES = (("GB", 1e9), ("MB", 1e6), ("KB", 1e3))
_WHOLE = 1e-9


def in_unit(value: float | Literal["never"] | None, unit: Unit) -> float | Literal["never"] | None:
    """A value in the unit that run.json states: durations in ms, everything else in its base."""
    if value is None or value == NEVER:
        return value
    return round(float(value) / NS_PER_MS, 3) if unit is Unit.DURATION else float(value)


def shown(value: float | Literal["never"] | None, unit: Unit) -> str:  # noqa: PLR0911  (one a unit)
    """A measured value for people, rounded to what can be read: 61.2ms, 99.97%, 199.8/s, 48.3MB, 1.008."""
    if value is None:
        return "unknown"
    if value == NEVER:
        return NEVER
    number = float(value)
    match unit:
        case Unit.DURATION:
            return _duration(number)
        case Unit.SHARE:
            return _share(number)
        case Unit.RATE:
            return f"{number:.4g}/s" if number < 1000 else f"{number:,.0f}/s"  # noqa: PLR2004
        case Unit.SIZE:
            return next((f"{number / size:.1f}{name}" for name, size in _BYTES if number >= size), f"{number:.0f}B")
        case _:
            return f"{number:,.0f}" if abs(number - round(number)) < _WHOLE else f"{number:.4g}"


def shown_required(required: Quantity, absolute: float | None, unit: Unit) -> str:
    """What an objective requires; a relative one also in absolute terms, when the baseline is known."""
    if required.unit is not Unit.RELATIVE or absolute is None:
        return str(required)
    return f"{required} ({shown(absolute, unit)})"


def _duration(ns: float) -> str:
    if ns == 0:
        return "0ms"
    ms = ns / NS_PER_MS
    if ns < NS_PER_S:
        return f"{ms:.3g}ms" if ms < 100 else f"{ms:.0f}ms"  # noqa: PLR2004
    return f"{ns / NS_PER_S:.2f}s" if ns < _MINUTE_NS else f"{ns / NS_PER_S:.0f}s"


def _share(value: float) -> str:
    """A percentage that never rounds a failure away: only all reads 100%, only nothing reads 0%."""
    for digits in (2, 3, 4, 6):
        text = f"{100 * value:.{digits}f}"
        if (float(text) < 100 or value >= 1) and (float(text) > 0 or value <= 0):  # noqa: PLR2004
            return f"{text.rstrip('0').rstrip('.')}%"
    return "<100%" if value > 0.5 else ">0%"  # noqa: PLR2004
