"""SIGTERM."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Literal

from battle.chaos.on_process import ProcessFault
from battle.core.ports.fault import Injection
from battle.core.ports.provider import Killable


class Terminate(ProcessFault):
    """SIGTERM to the provider's process, which may end in order; it is started again when the fault ends."""

    example: ClassVar[str] = "{kind: terminate, target: alpha, at: 6s, for: 8s, may_miss: true}"
    needs: ClassVar[type] = Killable

    kind: Literal["terminate"] = "terminate"

    @asynccontextmanager
    async def inject(self, injection: Injection) -> AsyncIterator[None]:
        """Terminate now, restart at the end. Raises SetupError when the process does not come back."""
        target: Killable = injection.target
        try:
            await target.terminate()
            yield
        finally:
            await target.restart()
