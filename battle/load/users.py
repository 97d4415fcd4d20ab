"""The closed model: users who wait."""

from typing import ClassVar, Literal

from pydantic import Field

from battle.core.ports.load import ClosedPattern


class Users(ClosedPattern):
    """Users who send, wait for the response, think, and send again."""

    example: ClassVar[str] = "{kind: users, users: 50, think_time: 100ms, duration: 30s}"

    kind: Literal["users"] = "users"
    users: int = Field(ge=1, le=100_000)

    def users_at(self, offset_ns: int) -> int:
        """All of them, inside the phase."""
        return self.users if 0 <= offset_ns < self.duration else 0

    def peak_users(self) -> int:
        """All of them."""
        return self.users
