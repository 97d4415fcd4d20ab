"""Samples of what processes used, from the journal."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from battle.analysis.evidence import Evidence
from battle.analysis.windows import Window
from battle.core.journal import EventKind

_PAIR = 2


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a process tree; `values` holds only what could be read."""

    at_ns: int
    values: dict[str, Any]


def samples_of(evidence: Evidence, of: str, window: Window) -> list[Sample]:
    """The samples of "proxy" or "generator" within a window."""
    return [
        Sample(event.at_ns, {name: value for name, value in event.fields.items() if value is not None})
        for event in evidence.of_kind(EventKind.SAMPLE)
        if event.fields.get("of") == of and any(start <= event.at_ns < stop for start, stop in window.spans)
    ]


def cpu_share(samples: list[Sample], worker: int | None = None) -> float | None:
    """Processor seconds ÷ seconds between the first and the last sample: 1.0 is one core. None for fewer than two.

    Of one of several workers when it is given, else of all that was sampled. A tree that lost a process shows less
    processor time than before; such steps back count as nothing.
    """
    used = [(one.at_ns, seconds) for one in samples if (seconds := _cpu_s(one, worker)) is not None]
    if len(used) < _PAIR or used[-1][0] <= used[0][0]:
        return None
    steps = sum(max(0.0, after[1] - before[1]) for before, after in pairwise(used))
    return steps / ((used[-1][0] - used[0][0]) / 1e9)


def _cpu_s(sample: Sample, worker: int | None) -> float | None:
    if worker is None:
        return sample.values.get("cpu_s")
    each: list[float | None] = sample.values.get("cpu_s_each", [])
    return each[worker] if worker < len(each) else None
