"""Faults that are effects on a provider's answers: what they have in common."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from pydantic import Field

from battle.core.effects import Effect
from battle.core.ports.fault import Fault, Injection
from battle.core.ports.provider import Faultable
from battle.core.units import Share


class AnswerFault(Fault):
    """A fault made of effects on a provider's answers; can be limited to a part of the arrivals."""

    needs: ClassVar[type] = Faultable

    share: Share = 1.0
    every_nth: int = Field(default=1, ge=1)
    methods: list[str] = Field(default_factory=list)

    def effects(self) -> list[Effect]:
        """What the fault does to the answers it meets. Pure."""
        raise NotImplementedError

    def part(self) -> dict[str, Any]:
        """The settings of an Effect that limit it to a part of the arrivals."""
        return {"share": self.share, "every_nth": self.every_nth, "methods": tuple(self.methods)}

    @asynccontextmanager
    async def inject(self, injection: Injection) -> AsyncIterator[None]:
        """Put the effects on the target's answers; take them off when left."""
        target: Faultable = injection.target
        try:
            await target.apply(injection.number, self.effects())
            yield
        finally:
            await target.withdraw(injection.number)
