"""The closed model with a number of users that changes linearly."""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from battle.core.ports.load import ClosedPattern


class RampUsers(ClosedPattern):
    """Users as in `users`, whose number goes linearly from one value to another."""

    example: ClassVar[str] = "{kind: ramp_users, from: 1, to: 50, think_time: 100ms, duration: 30s}"

    kind: Literal["ramp_users"] = "ramp_users"
    from_: int = Field(alias="from", ge=0, le=100_000)
    to: int = Field(ge=0, le=100_000)

    @model_validator(mode="after")
    def _check(self) -> "RampUsers":
        if self.from_ == self.to == 0:
            raise ValueError("`from` and `to` are both 0: nobody would send anything (a `pause` does that)")
        return self

    def users_at(self, offset_ns: int) -> int:
        """The whole number nearest to the line between the two, inside the phase; halves count up."""
        if not 0 <= offset_ns < self.duration:
            return 0
        return (2 * (self.from_ * self.duration + (self.to - self.from_) * offset_ns) + self.duration) // (
            2 * self.duration
        )

    def peak_users(self) -> int:
        """The larger of both numbers."""
        return max(self.from_, self.to)
