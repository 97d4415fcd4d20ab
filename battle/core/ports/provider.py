"""Providers, and the abilities that faults ask of them."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from battle.core.component import Component
from battle.core.effects import Effect
from battle.core.ports.processes import Context
from battle.core.ports.wire import Endpoint


class ProviderHandle(Protocol):
    """A provider that runs."""

    @property
    def name(self) -> str:
        """Its name in the scenario."""

    @property
    def endpoint(self) -> Endpoint:
        """Where the proxy reaches it, and where probes go: the data path."""


@runtime_checkable
class Recording(Protocol):
    """Ability: it records every arrival."""

    @property
    def records(self) -> list[Path]:
        """Its record files so far, one for each process it had."""


@runtime_checkable
class Killable(Protocol):
    """Ability: its process can be ended and started again at the same endpoint."""

    async def kill(self, *, in_flight: int = 0, give_up_ns: int = 0) -> int:
        """SIGKILL; gives the number of arrivals that were being served then (-1: it keeps no records).

        With `in_flight` the process is stopped first, its record read, and the kill waits, for at most `give_up_ns`,
        for a moment at which at least so many arrivals are being served.
        """

    async def terminate(self) -> None:
        """SIGTERM, and wait for the end."""

    async def restart(self) -> None:
        """Start the process again and wait until it listens; nothing happens when it runs."""


@runtime_checkable
class Pausable(Protocol):
    """Ability: its process can be stopped and continued."""

    async def pause(self) -> None:
        """SIGSTOP to the process group."""

    async def resume(self) -> None:
        """SIGCONT to the process group."""


@runtime_checkable
class Faultable(Protocol):
    """Ability: effects can be put on its answers."""

    async def apply(self, number: int, effects: list[Effect]) -> None:
        """Put effects in force under this fault number (0 … 31); they also hold after a restart."""

    async def withdraw(self, number: int) -> None:
        """Take them off again."""


class Provider(Component):
    """One upstream behind the proxy."""

    room: ClassVar[str] = "providers"
    abilities: ClassVar[tuple[type, ...]] = ()
    keeps_records: ClassVar[bool] = False

    def start(self, name: str, context: Context) -> AbstractAsyncContextManager[ProviderHandle]:
        """Start it, wait until it serves, and end it when the context is left. Raises SetupError."""
        raise NotImplementedError
