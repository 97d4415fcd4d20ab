"""The load workers of a run, driven together: one instant at which all start, one end."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import anyio

from battle.core.ports.processes import Launcher
from battle.core.ports.proxy import ProxyHandle
from battle.core.shard import Shard
from battle.engine.collecting import requests_file
from battle.engine.load_process import LoadProcess
from battle.errors import SetupError

EndReason = Literal["completed", "guard", "interrupted", "worker_lost", "disk_full"]
"""Why the load ended."""
OnEnd = Callable[[dict[str, Any]], None]
"""Is given the counts of a worker that has ended."""


class LoadProcesses:
    """Worker processes that each send a share of the load. Whatever is asked is asked of all at the same time."""

    def __init__(self, workers: list[LoadProcess]) -> None:
        self._workers = workers
        self._waits: dict[LoadProcess, anyio.CancelScope] = {}

    def __len__(self) -> int:
        return len(self._workers)

    @property
    def pids(self) -> list[int]:
        """Their process ids, in the order of their shares."""
        return [worker.pid for worker in self._workers]

    async def prepare(
        self, data: dict[str, Any], proxy: ProxyHandle, *, key_base: int, raw_dir: Path, chain_id: int | None
    ) -> list[str]:
        """Tell each of them everything; gives what they have to do without, in words. Raises SetupError."""
        shortcomings: dict[str, None] = {}

        async def one(index: int, worker: LoadProcess) -> None:
            records = raw_dir / requests_file(index)
            said = await worker.prepare(data, proxy, key_base=key_base, records=records, chain_id=chain_id)
            shortcomings.update(dict.fromkeys(said["shortcomings"]))

        async with anyio.create_task_group() as group:
            for index, worker in enumerate(self._workers):
                group.start_soon(one, index, worker)
        return list(shortcomings)

    async def start(self, at_ns: int) -> None:
        """Send from this instant on, the same for all."""
        async with anyio.create_task_group() as group:
            for worker in self._workers:
                group.start_soon(worker.start, at_ns)

    async def wait(self, within_s: float, on_end: OnEnd, on_loss: Callable[[str], None]) -> None:
        """Wait until each has ended. `on_end` is given its counts, `on_loss` hears of one that is lost or late."""
        async with anyio.create_task_group() as group:
            for worker in self._workers:
                group.start_soon(self._wait, worker, within_s, on_end, on_loss)

    async def _wait(
        self,
        worker: LoadProcess,
        within_s: float,
        on_end: OnEnd,
        on_loss: Callable[[str], None],
    ) -> None:
        self._waits[worker] = anyio.CancelScope()
        try:
            with self._waits[worker], anyio.fail_after(within_s):
                on_end(await worker.wait())
        except (OSError, TimeoutError, SetupError) as error:
            on_loss(f"{worker} is lost: {str(error) or 'it did not end in time'}")
        finally:
            del self._waits[worker]

    async def stop(self, reason: str, *, cancel: bool, within_s: float) -> None:
        """Have those that have not ended send nothing more, and with `cancel` end what is in flight.

        Nobody is waited for longer than `within_s` from now, and who does not listen not at all.
        """

        async def one(worker: LoadProcess, waiting: anyio.CancelScope) -> None:
            try:
                await worker.stop(reason, cancel=cancel)
            except (OSError, TimeoutError, SetupError):
                waiting.cancel()

        deadline = anyio.current_time() + within_s
        async with anyio.create_task_group() as group:
            for worker, waiting in self._waits.items():
                waiting.deadline = deadline
                group.start_soon(one, worker, waiting)


@asynccontextmanager
async def load_processes(
    launcher: Launcher, argv: list[str], count: int, *, sockets: Path, logs: Path
) -> AsyncIterator[LoadProcesses]:
    """So many workers, which are ended when this is left."""
    workers: list[LoadProcess] = []
    try:
        for index in range(count):
            name, shard = f"worker-{index}", Shard(index, count)
            socket, log = sockets / f"{name}.sock", logs / f"{name}.log"
            workers.append(await LoadProcess.launch(launcher, argv, socket, log, shard))
        yield LoadProcesses(workers)
    finally:
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as group:
                for worker in workers:
                    group.start_soon(worker.end)
