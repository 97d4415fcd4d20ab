"""Indicators: measured values that objectives are about, each entered once, by name.

A family of indicators is one file in analysis/indicators/; importing it enters its indicators. Third parties enter
theirs the same way.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from battle.core.objective import Unit

if TYPE_CHECKING:
    from battle.analysis.reading import Reading, Selection

NEVER: Final = "never"
"""The value of a time that did not come: it breaks every upper bound."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What an indicator found: a value in the base of its unit, NEVER, or None with the reason.

    `samples` is how many requests or events stand behind the value.
    """

    value: float | Literal["never"] | None
    samples: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Indicator:
    """One measured value.

    `about` says what it describes: "requests" (any window, any `where`), "run" (any window, no `where`) or "fault"
    (each fault by itself, chosen with `of`). `needs_records`: only providers that keep records can show it.
    `needs_attribution`: the serving provider must be known, by records or by the proxy's witness.
    `share_of_requests` marks success_rate and the like, for which a bound q needs 1/(1−q) samples; `percentile` marks
    latency percentiles, which need enough samples for their rank. `counts_http`: its samples are HTTP requests, where
    those of the others are calls, of which a batch has several.
    """

    name: str
    unit: Unit
    better: Literal["higher", "lower", "neither"]
    about: Literal["requests", "run", "fault"]
    meaning: str
    measure: "Callable[[Reading, Selection], Measurement]"
    needs_records: bool = False
    needs_attribution: bool = False
    share_of_requests: bool = False
    percentile: float | None = None
    counts_http: bool = False


_entered: dict[str, Indicator] = {}


def enter(indicator: Indicator) -> Indicator:
    """Make an indicator known. Raises ValueError when the name is taken."""
    if indicator.name in _entered:
        raise ValueError(f"the indicator {indicator.name!r} is entered twice")
    _entered[indicator.name] = indicator
    return indicator


def indicators() -> Mapping[str, Indicator]:
    """All indicators that are known, by name."""
    return MappingProxyType(_entered)


_PERCENTILE_SAMPLES = ((99.9, 10_000), (99.0, 1_000), (95.0, 100), (90.0, 50), (0.0, 20))


def samples_needed(indicator: Indicator, required: float) -> int:
    """How many samples an objective on this indicator needs before it can be judged.

    p95 100, p99 1,000, p99.9 10,000; a share of at least q needs 1/(1−q), a share of at most q needs 1/q, 1 otherwise.
    """
    if indicator.percentile is not None:
        return next(samples for rank, samples in _PERCENTILE_SAMPLES if indicator.percentile >= rank)
    if indicator.share_of_requests:
        slack = 1 - required if indicator.better == "higher" else required
        return max(1, round(1 / slack)) if slack > 0 else 1
    return 1
