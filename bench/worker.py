"""battle's load worker, started and told as `battle run` does it, on a core of its own.

The worker is a process; this one is its coordinator, and sleeps on the other core while the load lasts. Everything that
a run has is on: the attribution key, the record of every request in the mapped file, the judgement of every answer.
"""

import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
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


@dataclass(frozen=True)
class Load:
    """What to send where. `pattern` is a kind of the room `load`, without its duration; `stream` has further keys."""

    port: int
    request: dict[str, Any]
    pattern: dict[str, Any]
    seconds: float
    warmup_s: float = 0.5
    stream: dict[str, Any] = field(default_factory=dict)
    key_base: int = field(default_factory=lambda: key_base(draw_key_base()))
    command: list[str] = field(default_factory=worker_command)

    def to(self, port: int) -> "Load":
        """The same to another port."""
        return replace(self, port=port)

    def scenario(self) -> dict[str, Any]:
        """The scenario that sends it."""
        phase = {**self.pattern, "duration": f"{round((self.warmup_s + self.seconds) * 1000)}ms"}
        return {
            "name": "Bench",
            "setup": {"proxy": {"kind": "url", "url": f"http://{LOOPBACK}:{self.port}"}},
            "workload": {"load": {"requests": [self.request], "load": phase, **self.stream}},
        }


@dataclass(frozen=True)
class Sent:
    """What a load left. `from_ns` to `to_ns` is the part that counts, without the warm-up."""

    requests: Requests
    start_ns: int
    from_ns: int
    to_ns: int
    cpu_ns: int
    counts: dict[str, Any]

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


def send(load: Load) -> Sent:
    """Send a load and wait for its end. Raises RuntimeError when a request failed: it would measure something else."""
    return anyio.run(sending, load)


async def sending(load: Load) -> Sent:
    """The same, inside an event loop."""
    async with prepared(load) as (worker, records):
        used_before, start_ns = cpu_ns(worker.pid), time.monotonic_ns() + _LEAD_NS
        await worker.start(start_ns)
        with anyio.fail_after(load.warmup_s + load.seconds + _DRAIN_S):
            counts = await worker.wait()
        used = cpu_ns(worker.pid) - used_before
        requests = MappedReader(records, REQUEST).written("key")
    refuse_failures(requests)
    from_ns = start_ns + round(load.warmup_s * 1e9)
    return Sent(requests, start_ns, from_ns, from_ns + round(load.seconds * 1e9), used, counts)


@asynccontextmanager
async def prepared(load: Load) -> AsyncIterator[tuple[LoadProcess, Path]]:
    """A worker that waits for its start, and its record file; ended and removed when left."""
    with tempfile.TemporaryDirectory(prefix="bench-worker-") as name:
        directory = Path(name)
        records, socket = directory / "requests.records", directory / "worker.sock"
        journal = UndoJournal(directory / "undo.jsonl", "bench")
        launcher = ProcessLauncher(journal, "bench")
        with pinned(GENERATOR):
            worker = await LoadProcess.launch(launcher, load.command, socket, directory / "worker.log")
        try:
            proxy: ProxyHandle = AlreadyRunning(Endpoint(LOOPBACK, load.port), None)
            await worker.prepare(load.scenario(), proxy, key_base=load.key_base, records=records, chain_id=None)
            yield worker, records
        finally:
            await worker.end()
            journal.close(all_undone=True)


def refuse_failures(requests: Requests) -> None:
    """Raises RuntimeError when requests failed, or there are none."""
    failed = int((requests["outcome"] == Outcome.FAILED).sum())
    if failed or not len(requests):
        raise RuntimeError(f"{failed} of {len(requests)} requests failed")
