"""What the engine gives to providers and proxies: a way to start processes, and a journal."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from battle.core.journal import EventKind
from battle.core.units import NS_PER_S


class Child(Protocol):
    """A process that battle started, in a process group of its own."""

    @property
    def pid(self) -> int:
        """Process id, and process group id."""

    @property
    def status(self) -> int | None:
        """How it ended: exit code, or minus the signal; None while it runs."""

    def send_signal(self, number: int) -> None:
        """Signal the process; nothing happens when it is gone."""

    def signal_group(self, number: int) -> None:
        """Signal every process of its group; nothing happens when they are gone."""

    def write_line(self, line: str) -> None:
        """Write a line to its standard input. Raises BrokenPipeError when it is gone."""

    async def wait(self) -> int:
        """Wait for its end."""

    async def end(self, grace_ns: int = 2 * NS_PER_S) -> None:
        """End the whole process group: SIGCONT and SIGTERM, after the grace SIGKILL. Returns when all are gone."""

    def last_lines(self, count: int = 15) -> str:
        """The end of what it printed."""


class Launcher(Protocol):
    """Starts processes so that none of them can be orphaned."""

    async def start(
        self, argv: list[str], *, name: str, log: Path, env: dict[str, str] | None = None, cwd: Path | None = None
    ) -> Child:
        """Start a process. Its output goes to `log` (appended). Raises SetupError when it cannot be started."""

    def write_undo(self, step: dict[str, Any]) -> int:
        """Write an undo step to disk before the thing is done; gives its number. See system.undo for the steps."""

    def undone(self, number: int) -> None:
        """Note that this step was carried out."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a provider or a proxy is given when it is started."""

    run_dir: Path
    launcher: Launcher
    seed: int
    key_base: int
    genesis_ns: int
    socket_dir: Path
    """A short path for Unix sockets, whose names may have about 100 bytes only."""
    note: Callable[..., None]
    """note(kind: EventKind, **fields) writes an event into the journal, dated now."""
    provider_names: tuple[str, ...] = ()
    """All providers in the order of the scenario; the position is the index in the records."""

    def warn(self, text: str) -> None:
        """Write a warning into the journal; the report shows it."""
        self.note(EventKind.WARNING, text=text)
