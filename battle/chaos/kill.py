"""SIGKILL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Literal

from pydantic import Field

from battle.chaos.on_process import ProcessFault
from battle.core.ports.fault import Injection
from battle.core.ports.provider import Killable
from battle.core.units import NS_PER_S


class Kill(ProcessFault):
    """SIGKILL to the provider's process; it is started again when the fault ends.

    With `in_flight: N` the process is stopped, its record is read, and it is killed when at least N requests are being
    served; else it goes on and is looked at again, for at most two seconds.
    """

    example: ClassVar[str] = "{kind: kill, target: alpha, in_flight: 1, at: 6s, for: 8s}"
    needs: ClassVar[type] = Killable

    kind: Literal["kill"] = "kill"
    in_flight: int = Field(default=0, ge=0)

    @asynccontextmanager
    async def inject(self, injection: Injection) -> AsyncIterator[None]:
        """Kill now, restart at the end. Raises SetupError when the process does not come back."""
        target: Killable = injection.target
        try:
            await target.kill(in_flight=self.in_flight, give_up_ns=2 * NS_PER_S)
            yield
        finally:
            await target.restart()
