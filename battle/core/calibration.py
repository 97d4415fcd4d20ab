"""What `battle calibrate` found: the rates that the load generator sustains on a machine, and on which machine."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

LAG_LIMIT_MS = 5.0
"""The send lag p99 up to which a rate counts as sustained: that from which a run's generator counts as late."""


class Machine(BaseModel):
    """What decides how fast the generator is. A calibration holds only where all of it is the same."""

    model_config = ConfigDict(extra="forbid")

    cpu: str
    cores: int
    system: str
    python: str
    battle: str
    loop: str
    precise_timer: bool


class Sustained(BaseModel):
    """The rates that a number of workers sustain together.

    `open_per_s`: the highest rate tried in the open model at which all arrivals were sent and answered, and the send
    lag p99 was within the limit, null when none was found; `lag_p99_ms` was measured there. `closed_per_s`: requests
    per second of users who never wait; `limit` is what was used up first then.
    """

    model_config = ConfigDict(extra="forbid")

    workers: int
    open_per_s: float | None
    lag_p99_ms: float | None
    closed_per_s: float
    limit: Literal["generator", "target", "machine"]


class Calibration(BaseModel):
    """Stored as calibration.json beside the runs, and copied into the journal of every run."""

    model_config = ConfigDict(extra="forbid")

    calibrated_at: str
    machine: Machine
    one: Sustained
    all_cores: Sustained

    def stale(self, here: Machine) -> str | None:
        """Why it does not hold on this machine; None when it does."""
        was, now = self.machine.model_dump(), here.model_dump()
        changed = [f"{name.replace('_', ' ')} {was[name]}, now {now[name]}" for name in was if was[name] != now[name]]
        return "; ".join(changed) or None

    def to_fields(self, here: Machine) -> dict[str, Any]:
        """The fields of its event in the journal of a run on this machine."""
        return {**self.model_dump(mode="json"), "stale": self.stale(here)}
