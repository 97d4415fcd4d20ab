"""A provider's process: started, killed, paused and started again at the same endpoint, as often as faults want.

Faults compose: a provider killed by two of them comes back when both are over, and one that is started again while a
pause is in force is stopped again.
"""

import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio
import psutil
from anyio.abc import TaskGroup

from battle.core.journal import EventKind
from battle.core.ports.processes import Child, Context
from battle.core.ports.wire import Endpoint
from battle.errors import SetupError
from battle.system.addresses import in_use, wait_ready
from battle.system.groups import started_at

_LOOK_AGAIN_S = (0.001, 0.007)
"""Between looks for requests in flight; drawn, so that looks do not keep step with requests."""
_STOPPED_WITHIN_S = 0.5
_ENDS_WITHIN_S = 5.0


class ManagedProcess:
    """The process of one provider. A subclass says how it is started, when it is ready, and what it serves now."""

    def __init__(self, name: str, endpoint: Endpoint, context: Context) -> None:
        self.name = name
        self.endpoint = endpoint
        self.context = context
        self.incarnation = 0
        self._child: Child | None = None
        self._watchers: TaskGroup | None = None
        self._ending: set[int] = set()
        self._noted: set[int] = set()
        self._downs = 0
        self._pauses = 0
        self._undo: int | None = None
        self._rng = random.Random(f"{context.seed}:{name}")  # noqa: S311  (reproducible on purpose)

    def argv(self) -> list[str]:
        """The command."""
        raise NotImplementedError

    def first_line(self) -> str | None:
        """What it is told on its standard input; called once a start."""
        return None

    def env(self) -> dict[str, str]:
        """Additions to its environment."""
        return {}

    async def ready(self) -> bool:
        """Whether it serves."""
        raise NotImplementedError

    def in_flight(self) -> int:
        """How many keyed arrivals it is serving by its record; −1 when it keeps none."""
        return -1

    @property
    def is_running(self) -> bool:
        """Whether its process lives and is not stopped."""
        return self._child is not None and self._child.status is None and not self._pauses

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start it, watch it, and end it when left. Raises SetupError."""
        async with anyio.create_task_group() as watchers:
            self._watchers = watchers
            try:
                await self._start()
                yield
            finally:
                with anyio.CancelScope(shield=True):
                    await self._end()
                watchers.cancel_scope.cancel()

    async def _start(self) -> None:
        if in_use(self.endpoint.port):
            raise SetupError(
                f"{self.name} cannot listen: port {self.endpoint.port} is in use",
                hint="choose another `port`, or none: battle finds a free one",
            )
        self.incarnation += 1
        logs = self.context.run_dir / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        line = self.first_line()
        child = await self.context.launcher.start(
            self.argv(), name=self.name, log=logs / f"{self.name}.log", env=self.env()
        )
        self._child = child
        self.context.note(
            EventKind.PROVIDER_STARTED,
            provider=self.name,
            incarnation=self.incarnation,
            pid=child.pid,
            address=str(self.endpoint),
        )
        if self._watchers is not None:
            self._watchers.start_soon(self._watch, child, self.incarnation)
        if line is not None:
            with suppress(BrokenPipeError):
                child.write_line(line)
        await wait_ready(self.name, child, self.ready)

    async def _watch(self, child: Child, incarnation: int) -> None:
        self._note_end(incarnation, await child.wait())

    def _note_end(self, incarnation: int, status: int | None) -> None:
        """Note it once, whoever sees it first."""
        if incarnation not in self._noted:
            self._noted.add(incarnation)
            about = {"planned": incarnation in self._ending, "status": status}
            self.context.note(EventKind.PROVIDER_ENDED, provider=self.name, incarnation=incarnation, **about)

    async def _end(self) -> None:
        child = self._child
        if child is not None:
            if child.status is None:
                self._ending.add(self.incarnation)
            await child.end()
            self._note_end(self.incarnation, child.status)
        self._forget_pause()

    async def kill(self, *, in_flight: int = 0, give_up_ns: int = 0) -> int:
        """SIGKILL; gives how many arrivals were being served, −1 when no record is kept (see ports.Killable)."""
        self._downs += 1
        child = self._child
        if child is None or child.status is not None:
            return 0
        try:
            serving = await self._catch(child, in_flight, give_up_ns) if in_flight else self.in_flight()
        except BaseException:  # cancelled: it was not killed, and must not stay stopped
            self._downs -= 1
            if not self._pauses:
                self._signal(signal.SIGCONT)
            raise
        self._ending.add(self.incarnation)
        self._signal(signal.SIGKILL)
        await self._wait_end(child)
        return serving

    async def _catch(self, child: Child, wanted: int, give_up_ns: int) -> int:
        """Stop the process at a moment at which it serves enough; it stays stopped. Gives how many it serves."""
        deadline = time.monotonic_ns() + give_up_ns
        while True:
            self._signal(signal.SIGSTOP)
            await self._wait_stopped(child)
            serving = self.in_flight()
            if serving < 0 or serving >= wanted or time.monotonic_ns() >= deadline or child.status is not None:
                return serving
            if not self._pauses:
                self._signal(signal.SIGCONT)
            await anyio.sleep(self._rng.uniform(*_LOOK_AGAIN_S))

    async def _wait_stopped(self, child: Child) -> None:
        with anyio.move_on_after(_STOPPED_WITHIN_S), suppress(psutil.Error):
            process = psutil.Process(child.pid)
            while process.status() not in {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE}:  # noqa: ASYNC110
                await anyio.sleep(0.0005)

    async def terminate(self) -> None:
        """SIGTERM, and wait for the end. Raises SetupError when it does not end."""
        self._downs += 1
        child = self._child
        if child is None or child.status is not None:
            return
        self._ending.add(self.incarnation)
        self._signal(signal.SIGTERM)
        await self._wait_end(child)

    async def _wait_end(self, child: Child) -> None:
        with anyio.move_on_after(_ENDS_WITHIN_S):
            self._note_end(self.incarnation, await child.wait())
            return
        raise SetupError(f"{self.name} did not end within {_ENDS_WITHIN_S:.0f} s")

    async def restart(self) -> None:
        """Start it again, unless another fault keeps it down or it runs. Raises SetupError."""
        self._downs = max(0, self._downs - 1)
        if self._downs or (self._child is not None and self._child.status is None):
            return
        if self._child is not None:
            await self._child.end()  # what is left of its group
        await self._start()
        if self._pauses:
            self._stop()

    async def pause(self) -> None:
        """SIGSTOP to the process group; the undo is on disk before."""
        self._pauses += 1
        if self._pauses == 1:
            self._stop()

    def _stop(self) -> None:
        child = self._child
        if child is None or child.status is not None:
            return
        self._forget_pause()
        step = {"do": "signal", "pid": child.pid, "started": started_at(child.pid), "signal": "SIGCONT"}
        self._undo = self.context.launcher.write_undo({**step, "name": self.name})
        self._signal(signal.SIGSTOP)

    async def resume(self) -> None:
        """SIGCONT to the process group, when the last pause is over."""
        self._pauses = max(0, self._pauses - 1)
        if not self._pauses:
            self._signal(signal.SIGCONT)
            self._forget_pause()

    def _forget_pause(self) -> None:
        if self._undo is not None:
            self.context.launcher.undone(self._undo)
            self._undo = None

    def _signal(self, number: int) -> None:
        if self._child is not None and self._child.status is None:
            self._child.signal_group(number)
