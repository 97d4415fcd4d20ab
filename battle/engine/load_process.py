"""The coordinator's side of a load worker."""

from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anyio

from battle.core.ports.processes import Child, Launcher
from battle.core.ports.proxy import ProxyHandle
from battle.core.shard import WHOLE, Shard
from battle.errors import SetupError
from battle.system.control import ask

_READY_S = 30.0
_ASK_S = 5.0
WORK = frozenset({"version", "name", "seed", "workload"})
"""What a worker is told of the scenario: it knows no provider, no proxy and no fault."""
_ENV = {"OPENBLAS_NUM_THREADS": "1"}
"""It multiplies no matrices; numpy would start a thread a core for that, and they spin for a while."""


class LoadProcess:
    """A worker process that waits for its orders."""

    def __init__(self, child: Child, socket: Path, shard: Shard = WHOLE) -> None:
        self._child = child
        self._socket = socket
        self._shard = shard

    @classmethod
    async def launch(
        cls, launcher: Launcher, argv: list[str], socket: Path, log: Path, shard: Shard = WHOLE
    ) -> "LoadProcess":
        """Start the process; it is ready when `prepare` has returned."""
        child = await launcher.start([*argv, str(socket)], name="load worker", log=log, env=_ENV)
        return cls(child, socket, shard)

    def __str__(self) -> str:
        return "the load worker" if self._shard == WHOLE else f"load worker {self._shard.index}"

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    async def prepare(
        self, data: dict[str, Any], proxy: ProxyHandle, *, key_base: int, records: Path, chain_id: int | None
    ) -> dict[str, Any]:
        """Tell it everything; gives what it says of itself. Raises SetupError."""
        order = {
            "do": "prepare",
            "scenario": {key: value for key, value in data.items() if key in WORK},
            "endpoint": asdict(proxy.endpoint),
            "witness": proxy.witness.to_message() if proxy.witness else None,
            "key_base": key_base,
            "records": str(records),
            "chain_id": chain_id,
            "shard": [self._shard.index, self._shard.of],
        }
        with anyio.move_on_after(_READY_S):
            while True:
                try:
                    return await ask(self._socket, order)
                except OSError:
                    if self._child.status is not None:
                        raise SetupError(f"{self} ended at its start", log=self._child.last_lines()) from None
                    await anyio.sleep(0.01)
        raise SetupError(f"{self} was not ready in time", log=self._child.last_lines())

    async def start(self, at_ns: int) -> None:
        """Send from this instant on."""
        await ask(self._socket, {"do": "start", "at_ns": at_ns}, within_s=_ASK_S)

    async def wait(self) -> dict[str, Any]:
        """Wait until all was sent and has ended; gives the counts. Raises OSError when the worker is lost."""
        return await ask(self._socket, {"do": "wait"})

    async def stop(self, reason: str, *, cancel: bool) -> None:
        """Have it send nothing more, and with `cancel` end what is in flight. Raises OSError, TimeoutError."""
        await ask(self._socket, {"do": "stop", "reason": reason, "cancel": cancel}, within_s=_ASK_S)

    async def end(self) -> None:
        """End the process, whatever it answers."""
        with anyio.CancelScope(shield=True):
            with suppress(OSError, TimeoutError, SetupError):
                await ask(self._socket, {"do": "end"}, within_s=_ASK_S)
            await self._child.end()
