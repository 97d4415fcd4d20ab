"""Arrivals as they were recorded."""

from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from battle.core.ports.load import ScriptedPattern
from battle.core.ports.part import Part
from battle.core.recording import DRAWN
from battle.core.units import NS_PER_S, Duration

_BLOCK = 512
_Counts = Annotated[str, Field(pattern=r"^\d+( \d+)*$")]


class Recorded(Part):
    """What loading found in the recording, so that nothing but the resolved scenario is needed to judge a run.

    `parts` are the numbers of arrivals in equal parts of the phase; `requests` how many arrivals send each of the
    requests that were appended to the stream's, whose first is at `first`; `drawn` how many send any of its own.
    `schedule` names the file of arrivals that a run's worker plays.
    """

    first: int = Field(ge=0)
    parts: _Counts
    requests: Annotated[str, Field(pattern=r"^(\d+( \d+)*)?$")] = ""
    drawn: int = 0
    schedule: str | None = None


class Replay(ScriptedPattern):
    """Arrivals at the instants of a recording, with its requests."""

    example: ClassVar[str] = "{kind: replay, file: yesterday.jsonl}"

    kind: Literal["replay"] = "replay"
    duration: Duration = Field(default=0, ge=0)
    file: str
    speed: float = Field(default=1, gt=0)
    recorded: Recorded | None = None

    @cached_property
    def _parts(self) -> list[int]:
        return [int(count) for count in self.recorded.parts.split()] if self.recorded else [0]

    @cached_property
    def _before(self) -> list[int]:
        """Arrivals before the start of each part, and before the end of the last."""
        return list(accumulate(self._parts, initial=0))

    def script(self) -> Iterator[tuple[int, int | None]]:
        """The schedule that loading made of the recording, read a block at a time."""
        if self.recorded is None or self.recorded.schedule is None:
            raise ValueError("a recording is played from the schedule that a run makes of it")
        arrivals = np.load(self.recorded.schedule, mmap_mode="r", allow_pickle=False)
        for first in range(0, len(arrivals), _BLOCK):
            block = arrivals[first : first + _BLOCK]
            requests = (None if at == DRAWN else at for at in block["request"].tolist())
            yield from zip(block["offset_ns"].tolist(), requests, strict=True)

    def arrivals(self, rng: np.random.Generator) -> Iterator[int]:
        """Those of the schedule; nothing is left to chance."""
        del rng
        return (offset for offset, _ in self.script())

    def shares(self) -> dict[int | None, float]:
        """By the counts of the recording."""
        if self.recorded is None:
            return {}
        counts: dict[int | None, int] = dict(enumerate(map(int, self.recorded.requests.split()), self.recorded.first))
        counts[None] = self.recorded.drawn
        total = sum(counts.values())
        return {at: count / total for at, count in counts.items() if count}

    def rate_at(self, offset_ns: int) -> float:
        """The mean rate of the part of the phase that the offset is in."""
        if not 0 <= offset_ns < self.duration:
            return 0.0
        return self._rate(self._parts[offset_ns * len(self._parts) // self.duration])

    def planned_until(self, offset_ns: int) -> float:
        """The arrivals of the parts before, and a share of those of the part that the offset is in."""
        if offset_ns >= self.duration:
            return float(self._before[-1])
        whole, inside = divmod(offset_ns * len(self._parts), self.duration)
        return self._before[whole] + self._parts[whole] * inside / self.duration

    def peak_per_s(self) -> float:
        """The mean rate of the busiest part."""
        return self._rate(max(self._parts))

    def _rate(self, count: int) -> float:
        return count * len(self._parts) * NS_PER_S / self.duration if self.duration else 0.0
