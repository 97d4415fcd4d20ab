"""battle's load worker, started and told as `battle run` does it, on a core of its own.

The worker is a process; this one is its coordinator, and sleeps on the other core while the load lasts. Everything that
a run has is on: the attribution key, the record of every request in the mapped file, the judgement of every answer.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import numpy as np
from numpy.typing import NDArray

from battle.core.keys import key_base
from battle.core.ports.proxy import ProxyHandle
from battle.core.ports.wire import Endpoint
from battle.core.records import REQUEST, Outcome, Requests
from battle.engine.execution import draw_key_base, worker_command
from battle.engine.load_process import LoadProcess
from battle.proxies.url import AlreadyRunning
from battle.system.addresses import LOOPBACK
from battle.system.launching import ProcessLauncher
from battle.system.mapped import MappedReader
from battle.system.undo import UndoJournal
from bench.machine import GENERATOR, cpu_ns, pinned

CHECKED: dict[str, Any] = {"method": "eth_blockNumber", "expect": {"id": "any"}}
"""The default call, its body parsed and judged. The id is not compared, since nginx cannot echo it."""
UNCHECKED: dict[str, Any] = {
    "verb": "POST",
    "path": "/",
    "body": {"jsonrpc": "2.0", "id": "${key}", "method": "eth_blockNumber", "params": []},
}
"""The same bytes as a plain HTTP request: only the status is judged."""
_LEAD_NS = 50_000_000
_DRAIN_S = 10.0
Look = Callable[[int, Path], None]
"""Shown the worker's process id and record file from time to time while the load lasts."""


@dataclass(frozen=True)
class Sent:
    """What a load left. `from_ns` to `to_ns` is the part that counts, without the warm-up."""

    requests: Requests
    from_ns: int
    to_ns: int
    cpu_ns: int
    counts: dict[str, Any] = field(default_factory=dict)

    @property
    def steady(self) -> Requests:
        """The requests scheduled in the part that counts."""
        at = self.requests["scheduled_ns"]
        chosen: Requests = self.requests[(at >= self.from_ns) & (at < self.to_ns)]
        return chosen

    @property
    def ok_per_s(self) -> float:
        """Answers per second that were ok, in the part that counts."""
        ended = self.requests["ended_ns"]
        inside = (ended >= self.from_ns) & (ended < self.to_ns) & (self.requests["outcome"] == Outcome.OK)
        return float(inside.sum() * 1e9 / (self.to_ns - self.from_ns))

    @property
    def cpu_us(self) -> float:
        """CPU time of the worker for one request, in µs, warm-up included."""
        return self.cpu_ns / 1e3 / max(1, len(self.requests))

    @property
    def send_lag_us(self) -> NDArray[np.float64]:
        """Started − scheduled of each request in the part that counts, in µs."""
        steady = self.steady[self.steady["started_ns"] > 0]
        lag: NDArray[np.float64] = (steady["started_ns"] - steady["scheduled_ns"]) / 1e3
        return lag


def send(
    port: int,
    request: dict[str, Any],
    load: dict[str, Any],
    *,
    warmup_s: float,
    seconds: float,
    look: Look | None = None,
    stream: dict[str, Any] | None = None,
) -> Sent:
    """Send a load (a kind of the room `load`, without its duration) and wait for its end.

    Raises RuntimeError when a request was not answered ok: the figures would be those of something else.
    """
    phase = {**load, "duration": f"{round((warmup_s + seconds) * 1000)}ms"}
    scenario = {
        "name": "Bench",
        "setup": {"proxy": {"kind": "url", "url": f"http://{LOOPBACK}:{port}"}},
        "workload": {"load": {"requests": [request], "load": phase, **(stream or {})}},
    }
    with tempfile.TemporaryDirectory(prefix="bench-worker-") as name:
        return anyio.run(_send, Path(name), scenario, port, warmup_s, seconds, look)


async def _send(
    directory: Path, scenario: dict[str, Any], port: int, warmup_s: float, seconds: float, look: Look | None
) -> Sent:
    records, log = directory / "requests.records", directory / "worker.log"
    journal = UndoJournal(directory / "undo.jsonl", "bench")
    launcher = ProcessLauncher(journal, "bench")
    with pinned(GENERATOR):
        worker = await LoadProcess.launch(launcher, worker_command(), directory / "worker.sock", log)
    try:
        base = key_base(draw_key_base())
        proxy: ProxyHandle = AlreadyRunning(Endpoint(LOOPBACK, port), None)
        await worker.prepare(scenario, proxy, key_base=base, records=records, chain_id=None)
        before, at_ns = cpu_ns(worker.pid), time.monotonic_ns() + _LEAD_NS
        await worker.start(at_ns)
        with anyio.fail_after(warmup_s + seconds + _DRAIN_S):
            counts = await _watched(worker, records, look)
        used = cpu_ns(worker.pid) - before
    finally:
        await worker.end()
        journal.close(all_undone=True)
    requests = MappedReader(records, REQUEST).written("key")
    failed = int((requests["outcome"] == Outcome.FAILED).sum())
    if failed or not len(requests):
        raise RuntimeError(f"{failed} of {len(requests)} requests failed")
    from_ns = at_ns + round(warmup_s * 1e9)
    return Sent(requests, from_ns, from_ns + round(seconds * 1e9), used, counts)


async def _watched(worker: LoadProcess, records: Path, look: Look | None) -> dict[str, Any]:
    if look is None:
        return await worker.wait()
    counts: dict[str, Any] = {}
    async with anyio.create_task_group() as group:

        async def watch() -> None:
            while True:
                look(worker.pid, records)
                await anyio.sleep(0.5)

        group.start_soon(watch)
        counts = await worker.wait()
        look(worker.pid, records)
        group.cancel_scope.cancel()
    return counts
