"""Any command as a provider."""

import shlex
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Literal

from pydantic import Field

from battle.core.ports.processes import Context
from battle.core.ports.provider import Killable, Pausable, Provider
from battle.core.ports.wire import Endpoint
from battle.errors import MissingDependency
from battle.providers.answering import answers_call, answers_path
from battle.providers.managed import ManagedProcess
from battle.system.addresses import LOOPBACK, accepts, free_port


class Process(Provider):
    """A real node, started by a command, such as anvil. `{port}` in the command is replaced by its port.

    `ready` says when it serves: "tcp" (its port accepts), a path (GET answers 2xx) or a JSON-RPC method.
    """

    example: ClassVar[str] = "{kind: process, command: 'anvil --port {port} --block-time 1', ready: eth_blockNumber}"
    abilities: ClassVar[tuple[type, ...]] = (Killable, Pausable)

    kind: Literal["process"] = "process"
    command: str | list[str]
    ready: str = "eth_blockNumber"
    port: int | None = Field(default=None, ge=1, le=65535)
    env: dict[str, str] = Field(default_factory=dict)

    @asynccontextmanager
    async def start(self, name: str, context: Context) -> AsyncIterator[ManagedProcess]:
        """Start the command, wait until it is ready, and end it when left. Raises SetupError."""
        handle = CommandHandle(name, Endpoint(LOOPBACK, self.port or free_port()), context, self)
        async with handle.running():
            yield handle


class CommandHandle(ManagedProcess):
    """The abilities of a command: Killable, Pausable."""

    def __init__(self, name: str, endpoint: Endpoint, context: Context, settings: Process) -> None:
        super().__init__(name, endpoint, context)
        self._settings = settings

    def argv(self) -> list[str]:
        """The command with its port. Raises MissingDependency."""
        command = self._settings.command
        words = shlex.split(command) if isinstance(command, str) else command
        argv = [word.replace("{port}", str(self.endpoint.port)) for word in words]
        if not argv or shutil.which(argv[0]) is None:
            missing = argv[0] if argv else "(empty)"
            raise MissingDependency(
                f"{self.name}: the command {missing} was not found",
                hint="install it, or write the path of the program into `command`",
            )
        return argv

    def env(self) -> dict[str, str]:
        """As the scenario says."""
        return self._settings.env

    async def ready(self) -> bool:
        """By the scenario's `ready`."""
        ready = self._settings.ready
        if ready == "tcp":
            return await accepts(self.endpoint)
        if ready.startswith("/"):
            return await answers_path(self.endpoint, ready)
        return await answers_call(self.endpoint, ready)
