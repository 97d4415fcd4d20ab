"""A mock provider that runs: its process, its records, and the effects that are on it."""

import json
import sys
from pathlib import Path
from typing import Any

import anyio

from battle.core.effects import Effect
from battle.core.ports.processes import Context
from battle.core.ports.wire import Endpoint
from battle.core.records import ATTEMPT, RECORD_BYTES
from battle.errors import SetupError
from battle.providers.managed import ManagedProcess
from battle.system.addresses import accepts
from battle.system.control import ask
from battle.system.mapped import MappedReader
from battle.system.mapped_writer import CHUNK_RECORDS

_TAIL = 3 * CHUNK_RECORDS
"""How many of the newest records are looked at for what is in flight."""
_ASK_S = 2.0
_ASK_AGAIN_S = 0.01


class MockHandle(ManagedProcess):
    """The abilities of a mock: Killable, Pausable, Faultable, Recording."""

    def __init__(self, name: str, endpoint: Endpoint, context: Context, settings: dict[str, Any]) -> None:
        super().__init__(name, endpoint, context)
        self.records: list[Path] = []
        self._settings = settings
        self._effects: dict[int, list[Effect]] = {}
        self._socket = context.socket_dir / f"{settings['index']}.sock"

    def argv(self) -> list[str]:
        """The module that is the process."""
        return [sys.executable, "-m", "battle.providers.mock_server"]

    def first_line(self) -> str:
        """Its settings, with the effects in force, and a record file of its own."""
        raw = self.context.run_dir / "raw"
        raw.mkdir(parents=True, exist_ok=True)
        self.records.append(raw / f"{self.name}.{self.incarnation}.attempts")
        self._socket.unlink(missing_ok=True)
        about = {
            "name": self.name,
            "host": self.endpoint.host,
            "port": self.endpoint.port,
            "incarnation": self.incarnation,
            "records": str(self.records[-1]),
            "socket": str(self._socket),
            "effects": self._messages(),
        }
        return json.dumps({**self._settings, **about})

    def _messages(self) -> dict[str, list[dict[str, Any]]]:
        return {str(number): [each.to_message() for each in found] for number, found in self._effects.items()}

    async def ready(self) -> bool:
        """Its port accepts; the control channel is there before."""
        return await accepts(self.endpoint)

    def in_flight(self) -> int:
        """Keyed arrivals that are neither answered nor given up by their peer, by the record of this process."""
        path = self.records[-1]
        try:
            allocated = path.stat().st_size // RECORD_BYTES
        except FileNotFoundError:
            return 0
        found = MappedReader(path, ATTEMPT).read(max(0, allocated - _TAIL))
        waiting = (found["key"] != 0) & (found["answered_ns"] == 0) & (found["closed_ns"] == 0)
        return int(waiting.sum())

    async def apply(self, number: int, effects: list[Effect]) -> None:
        """Put effects in force; a process that is down or stopped takes them when it is back. Raises SetupError."""
        self._effects[number] = effects
        try:
            await self._tell()
        except BaseException:
            del self._effects[number]  # what was not put on will not be taken off
            raise

    async def withdraw(self, number: int) -> None:
        """Take them off again. Raises SetupError."""
        self._effects.pop(number, None)
        await self._tell()

    async def resume(self) -> None:
        """Continue, and take the effects that changed meanwhile."""
        await super().resume()
        await self._tell()

    async def _tell(self) -> None:
        """Tell the process what is in force, patiently: it may be starting just now."""
        give_up = anyio.current_time() + _ASK_S
        while self.is_running:
            try:
                await ask(self._socket, {"do": "put", "effects": self._messages()}, within_s=_ASK_S)
            except (OSError, TimeoutError) as error:
                if self.is_running and anyio.current_time() >= give_up:
                    raise SetupError(f"{self.name} does not listen to its control channel: {error}") from error
                await anyio.sleep(_ASK_AGAIN_S)
            else:
                return
