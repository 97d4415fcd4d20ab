"""What a run looks like while it goes on: the snapshots that the engine hands to the live view.

A snapshot is complete in itself; nothing has to be remembered from the one before. All instants are CLOCK_MONOTONIC
nanoseconds. None means "not known" or "nothing yet", never 0.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, Self

from battle.core.units import NS_PER_S


class ProviderCondition(StrEnum):
    """How a provider stands: `faulted` while a fault is on it, `open` while the proxy keeps it out of rotation."""

    UP = "up"
    DOWN = "down"
    PAUSED = "paused"
    FAULTED = "faulted"
    OPEN = "open"


class FaultStage(StrEnum):
    """How far a fault has come."""

    PLANNED = "planned"
    INJECTING = "injecting"
    EFFECTIVE = "effective"
    UNVERIFIED = "unverified"
    ROLLING_BACK = "rolling back"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class ProviderState:
    """One provider: its share of the last second's attempts (None: no attempts, or no records), and how it stands."""

    name: str
    share_last_s: float | None = None
    state: ProviderCondition = ProviderCondition.UP
    note: str = ""


@dataclass(frozen=True, slots=True)
class FaultState:
    """One fault of the scenario: when it is planned (None: when another one is over), and what became of it so far.

    `effective_ns` and `cleared_ns` are those of the occurrence that is or was the latest.
    """

    name: str
    kind: str
    targets: tuple[str, ...]
    planned_from_ns: int | None
    planned_to_ns: int | None
    state: FaultStage = FaultStage.PLANNED
    effective_ns: int | None = None
    cleared_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """One event, in words, as the live view shows it."""

    at_ns: int
    text: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole run at one instant. `start_ns` is when the load began, `t0_ns` the end of its warm-up.

    `done_per_s` counts requests that ended in the last second, `planned_per_s` those that were due. The percentiles
    are response times of the last second. `events` holds the recent ones, the newest last.
    """

    now_ns: int
    stage: str
    start_ns: int | None = None
    t0_ns: int | None = None
    end_ns: int | None = None
    planned_per_s: float | None = None
    done_per_s: float | None = None
    sent: int = 0
    ok: int = 0
    failed: int = 0
    dropped: int = 0
    in_flight: int = 0
    success_rate: float | None = None
    p50_ns: float | None = None
    p95_ns: float | None = None
    p99_ns: float | None = None
    send_lag_p99_ns: float | None = None
    providers: tuple[ProviderState, ...] = ()
    faults: tuple[FaultState, ...] = ()
    events: tuple[Happening, ...] = field(default=())

    @property
    def progress(self) -> float | None:
        """How much of the load's time has passed, from 0 to 1; None before the load began."""
        if self.start_ns is None or self.end_ns is None or self.end_ns <= self.start_ns:
            return None
        return min(1.0, max(0.0, (self.now_ns - self.start_ns) / (self.end_ns - self.start_ns)))

    def seconds_from_t0(self, at_ns: int) -> float | None:
        """An instant as seconds from t0, None before t0 is known."""
        return None if self.t0_ns is None else (at_ns - self.t0_ns) / NS_PER_S


class View(Protocol):
    """Whatever shows a run while it goes on. Entered before the first snapshot, left after the last."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(self, *exc: object) -> None:
        """Stop, and leave the terminal as it was."""

    def update(self, snapshot: Snapshot) -> None:
        """Show this instant. Never raises because of the terminal."""
