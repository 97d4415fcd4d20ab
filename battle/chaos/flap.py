"""Down and up, again and again."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from battle.chaos.kill import Kill
from battle.core.ports.fault import Occurrence
from battle.core.units import Duration


class Flap(Kill):
    """Cycles of SIGKILL and restart: `down`, then `up`, as many `times`, or as often as fit into `for`."""

    example: ClassVar[str] = "{kind: flap, target: alpha, down: 1s, up: 3s, times: 3, at: 6s}"

    kind: Literal["flap"] = "flap"  # type: ignore[assignment]  # a kind of its own, with the same way in and out
    down: Duration = Field(gt=0)
    up: Duration = Field(gt=0)

    @model_validator(mode="after")
    def _check_timing(self) -> "Flap":
        if (self.at is None) == (self.after is None):
            raise ValueError("say when: either `at: 6s` (from t0) or `after: <fault>`")
        if self.every is not None:
            raise ValueError("flap has `down` and `up` in place of `every`")
        if (self.times is None) == (self.for_ is None):
            raise ValueError("say how often: either `times: 3` or `for: 30s`")
        return self

    def occurrences(self, room_ns: int) -> Iterator[Occurrence]:
        """One occurrence a cycle, each of length `down`. Pure."""
        del room_ns
        cycle = self.down + self.up
        if self.times is None:
            whole = max(1, (self.for_ or 0) // cycle)
            yield from (Occurrence(index * cycle, self.down) for index in range(whole))
            return
        yield from (Occurrence(index * cycle, self.down) for index in range(self.times))
