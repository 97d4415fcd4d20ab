"""SIGSTOP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Literal

from battle.chaos.silence import seen_as_silence
from battle.core.ports.fault import Fault, Injection, Probe
from battle.core.ports.provider import Pausable


class Pause(Fault):
    """SIGSTOP to the provider's process: connections are accepted by the kernel, and nothing answers. Then SIGCONT."""

    example: ClassVar[str] = "{kind: pause, target: alpha, at: 6s, for: 3s}"
    needs: ClassVar[type] = Pausable
    leaves_records: ClassVar[bool] = False

    kind: Literal["pause"] = "pause"

    @asynccontextmanager
    async def inject(self, injection: Injection) -> AsyncIterator[None]:
        """Stop now, continue at the end."""
        target: Pausable = injection.target
        try:
            await target.pause()
            yield
        finally:
            await target.resume()

    def verify(self, probe: Probe) -> bool | None:
        """Silence: in force. An answer: not. A refused connection says nothing."""
        return seen_as_silence(probe)
