"""Faults: their timing, their entry and undo, and the probe that proves them."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from battle.core.component import Component
from battle.core.ports.part import Part
from battle.core.units import NS_PER_S, Duration


class ProbeOutcome(StrEnum):
    """How one probe of a provider ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    BROKEN = "broken"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Probe:
    """One look at a provider on its data path, on a connection of its own.

    `ended_ns` is the instant of the answer, of the error, or of giving up (SILENT). `healthy_ns` is the median time of
    answers seen before the fault, 0 when there were none.
    """

    sent_ns: int
    ended_ns: int
    outcome: ProbeOutcome
    status: int = 0
    body: Any = None
    healthy_ns: int = 0

    @property
    def elapsed_ns(self) -> int:
        """How long it took."""
        return self.ended_ns - self.sent_ns

    def describe(self) -> str:
        """What was seen, in a few words, for the journal and the report."""
        took = f"after {self.elapsed_ns / 1e6:.0f} ms"
        if self.outcome is not ProbeOutcome.ANSWERED:
            return f"{self.outcome} {took}"
        error = self.body.get("error") if isinstance(self.body, dict) else None
        code = f", JSON-RPC error {error.get('code')}" if isinstance(error, dict) else ""
        return f"HTTP {self.status}{code} {took}"


class Verify(Part):
    """How long a fault may take until the probe must have seen it (and its end)."""

    within: Duration = 2 * NS_PER_S


class RandomTarget(Part):
    """N targets drawn from the providers by the seed."""

    random: int = Field(ge=1)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One planned injection: when, after the fault's start, and for how long (None: to the end of the load)."""

    start_ns: int
    for_ns: int | None


@dataclass(frozen=True, slots=True)
class Injection:
    """One fault about to be put on one target. `number` (0 … 31) marks it in the providers' records."""

    fault: str
    number: int
    target: Any


class Fault(Component):
    """One disturbance: its entry, the proof that it took effect, its undo."""

    room: ClassVar[str] = "chaos"
    needs: ClassVar[type] = object
    """The ability that a target must have."""
    leaves_records: ClassVar[bool] = True
    """Whether arrivals that meet the fault are recorded by the provider; a dead one records nothing."""
    aims_at_proxy: ClassVar[bool] = False

    target: str | list[str] | RandomTarget
    at: Duration | None = None
    after: str | None = None
    delay: Duration = 0
    for_: Duration | None = Field(default=None, alias="for", gt=0)
    every: Duration | None = Field(default=None, gt=0)
    times: int | None = Field(default=None, ge=1)
    verify_by: Verify | Literal["none"] = Field(default=Verify(), alias="verify")
    may_miss: bool = False

    @model_validator(mode="after")
    def _check_timing(self) -> "Fault":
        if (self.at is None) == (self.after is None):
            raise ValueError("say when: either `at: 6s` (from t0) or `after: <fault>`")
        if self.delay and self.after is None:
            raise ValueError("`delay` goes with `after`; with `at`, add it to the time")
        if self.times is not None and self.every is None:
            raise ValueError("`times` needs `every`")
        if self.every is not None and (self.for_ is None or self.for_ >= self.every):
            raise ValueError("`every` needs a shorter `for`, so that the fault ends before it comes again")
        return self

    def occurrences(self, room_ns: int) -> Iterator[Occurrence]:
        """The planned injections, relative to the fault's start, in the `room_ns` that are left of the load. Pure."""
        if self.every is None:
            yield Occurrence(0, self.for_)
            return
        count = self.times if self.times is not None else max(1, -(-room_ns // self.every))
        for index in range(count):
            yield Occurrence(index * self.every, self.for_)

    def inject(self, injection: Injection) -> AbstractAsyncContextManager[None]:
        """Entering applies the fault to `injection.target`, leaving rolls it back. Raises BattleError."""
        raise NotImplementedError

    def verify(self, probe: Probe) -> bool | None:
        """Whether this probe shows the fault (True), shows its absence (False), or cannot tell (None). Pure."""
        raise NotImplementedError

    def silence_ns(self, healthy_ns: int) -> int:
        """How long a probe waits for an answer before it counts as SILENT."""
        return 5 * healthy_ns + NS_PER_S // 10
