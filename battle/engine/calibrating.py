"""Finds the rates that the load generator sustains on this machine: real workers against targets that do nothing.

For a number of workers: first users who never wait, which gives the most that can be sent at all; then constant
rates, bisected below that. A rate that does not hold is tried once more, so that one hiccup of the machine does not
decide. Each worker has a target of its own, and each try has workers of its own.
"""

import math
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import anyio
import numpy as np
import psutil

from battle.core.calibration import LAG_LIMIT_MS, Calibration, Sustained
from battle.core.keys import key_base
from battle.core.ports.processes import Child, Launcher
from battle.core.ports.wire import Endpoint
from battle.core.records import REQUEST, Outcome, Requests
from battle.core.units import NS_PER_MS, NS_PER_S
from battle.engine.load_process import LoadProcess
from battle.engine.machinery import machinery
from battle.engine.signals import Signals
from battle.engine.this_machine import this_machine
from battle.errors import SetupError, Stopped
from battle.system.addresses import accepts, free_port, wait_ready
from battle.system.mapped import MappedReader
from battle.system.undo import TEMPORARY_PREFIX

TRIES = 6
"""Steps of bisection: the rate is found to within 1/64 of the most that can be sent."""
_WARMUP_NS = 200 * NS_PER_MS
_LEAD_NS = 50 * NS_PER_MS
_PATIENCE_S = 20.0
_SHORTEST_S, _LONGEST_S = 0.5, 3.0
_CONNECTIONS = 50
_MAX_IN_FLIGHT = 10_000
_BUSY = 0.9
_HEED_S = 0.02


@dataclass(frozen=True, slots=True)
class Target:
    """A null target that runs. It has what the load worker asks of a proxy (core.ports.proxy.ProxyHandle)."""

    endpoint: Endpoint
    child: Child
    version: str = "null target"
    witness: None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.child.pid


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one try, over all its workers."""

    per_s: float
    lag_p99_ms: float
    complete: bool
    """Whether every arrival was sent, and answered ok."""
    worker_cpu: float
    target_cpu: float
    """Processor seconds a second, of the busiest worker and the busiest target."""

    @property
    def holds(self) -> bool:
        """Whether the generator kept its schedule."""
        return self.complete and self.lag_p99_ms <= LAG_LIMIT_MS


async def highest(at: Callable[[int], Awaitable[Tried]], most: float, is_late: Callable[[], bool]) -> Tried | None:
    """The try with the highest rate that holds, by bisection up to a little over `most`; None when none does."""
    low, high, best = 0, math.ceil(1.1 * most), None
    for _ in range(TRIES):
        rate = (low + high) // 2
        if rate <= low or is_late():
            break
        found = await at(rate)
        if not found.holds and not is_late():
            found = await at(rate)
        if found.holds:
            low, best = rate, found
        else:
            high = rate
    return best


@dataclass(frozen=True)
class Calibrator:
    """Tries loads. `place` is a directory for sockets and records, `tell` is told of every try."""

    launcher: Launcher
    place: Path
    worker_argv: list[str]
    tell: Callable[[str], None]

    async def sustained(self, workers: int, budget_s: float) -> Sustained:
        """The rates that this many workers sustain, found within about this time. Raises SetupError."""
        until = time.monotonic() + budget_s
        load_s = min(_LONGEST_S, max(_SHORTEST_S, budget_s / (2 * TRIES) - 1))
        async with self._targets(workers) as targets:
            most = await self._try(targets, {"kind": "users", "users": _CONNECTIONS}, load_s)
            if not most.per_s:
                raise SetupError("the null target answered nothing, so that nothing can be calibrated")
            self.tell(f"{_named(workers)}: users who never wait send {most.per_s:,.0f}/s")

            async def at(rate: int) -> Tried:
                load = {"kind": "constant", "rate": f"{rate / workers}/s"}
                found = await self._try(targets, load, load_s)
                holds = "holds" if found.holds else "does not hold"
                self.tell(f"{_named(workers)}: {rate:,}/s {holds}, send lag p99 {found.lag_p99_ms:.2f} ms")
                return found

            best = await highest(at, most.per_s, lambda: time.monotonic() > until)
        return Sustained(
            workers=workers,
            open_per_s=best and round(best.per_s),
            lag_p99_ms=best and round(best.lag_p99_ms, 3),
            closed_per_s=round(most.per_s),
            limit=_limit(most),
        )

    @asynccontextmanager
    async def _targets(self, count: int) -> AsyncIterator[list[Target]]:
        targets = []
        async with AsyncExitStack() as started:
            for number in range(count):
                port = free_port()
                argv = [sys.executable, "-m", "battle.engine.null_target", str(port)]
                child = await self.launcher.start(argv, name="null target", log=self.place / f"target-{number}.log")
                started.push_async_callback(child.end)
                targets.append(Target(Endpoint("127.0.0.1", port, ""), child))
            for target in targets:
                await wait_ready("the null target", target.child, partial(accepts, target.endpoint))
            yield targets

    async def _try(self, targets: list[Target], load: dict[str, Any], load_s: float) -> Tried:
        """One load on every target at once, each from a worker of its own."""
        load = {**load, "duration": f"{load_s}s"}
        stream = {
            "requests": [{"method": "eth_blockNumber"}],
            "load": [{**load, "duration": f"{_WARMUP_NS}ns", "warmup": True}, load],
            "connections": _CONNECTIONS,
            "max_in_flight": _MAX_IN_FLIGHT,
        }
        data = {"name": "calibration", "workload": {"null": stream}}
        async with AsyncExitStack() as started:
            workers = []
            for number, target in enumerate(targets):
                log, socket = self.place / f"worker-{number}.log", self.place / f"worker-{number}.sock"
                socket.unlink(missing_ok=True)
                worker = await LoadProcess.launch(self.launcher, self.worker_argv, socket, log)
                started.push_async_callback(worker.end)
                workers.append((worker, target, self.place / f"worker-{number}.requests"))
            for worker, target, records in workers:
                records.unlink(missing_ok=True)
                await worker.prepare(data, target, key_base=key_base(1), records=records, chain_id=None)
            used, at_ns = [_cpu_s(target.pid) for target in targets], time.monotonic_ns()
            start_ns = at_ns + _LEAD_NS
            said = []
            try:
                with anyio.fail_after(load_s + _PATIENCE_S):
                    for worker, _, _ in workers:
                        await worker.start(start_ns)
                    for worker, _, _ in workers:
                        said.append(await worker.wait())
            except (OSError, TimeoutError) as error:
                raise SetupError(f"a load worker was lost while calibrating: {error or 'no answer in time'}") from error
            took = (time.monotonic_ns() - at_ns) / NS_PER_S
            target_cpu = max((_cpu_s(target.pid) - before) / took for target, before in zip(targets, used, strict=True))
        measured = np.concatenate([_measured(records) for _, _, records in workers])
        return _tried(measured, said, target_cpu, load_s)


def _measured(path: Path) -> Requests:
    """The records after the warm-up."""
    records = MappedReader(path, REQUEST).written("key")
    path.unlink()
    chosen: Requests = records[records["phase"] == 1]
    return chosen


def _tried(records: Requests, said: list[dict[str, Any]], target_cpu: float, load_s: float) -> Tried:
    """Lag counts also where a request waited for a connection: before a target that does nothing, none should."""
    sent = records[records["started_ns"] > 0]
    lags = np.sort(sent["started_ns"] - sent["scheduled_ns"])
    return Tried(
        per_s=len(sent) / load_s,
        lag_p99_ms=float(lags[math.ceil(0.99 * len(lags)) - 1]) / NS_PER_MS if len(lags) else math.inf,
        complete=bool(len(records)) and bool(np.all(records["outcome"] == Outcome.OK)),
        worker_cpu=max(one["itself"]["cpu_share"] or 0.0 for one in said),
        target_cpu=target_cpu,
    )


def _cpu_s(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error as error:
        raise SetupError("the null target ended while calibrating") from error
    return float(times.user + times.system)


def _limit(most: Tried) -> Literal["generator", "target", "machine"]:
    """What was used up first when users never waited."""
    if most.worker_cpu >= _BUSY:
        return "generator"
    return "target" if most.target_cpu >= _BUSY else "machine"


def _named(workers: int) -> str:
    return "1 worker" if workers == 1 else f"{workers} workers"


async def calibrate_here(worker_argv: list[str], seconds: float, now: str, tell: Callable[[str], None]) -> Calibration:
    """The whole calibration, in about this many seconds; `now` dates it. Raises SetupError, Stopped."""
    machine = this_machine()
    found: list[Sustained] = []
    with Signals() as signals, tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX) as kept:
        undo = Path(kept) / "undo.jsonl"
        async with anyio.create_task_group() as group:
            group.start_soon(_heed, signals, group.cancel_scope)
            async with machinery(undo, f"calibration-{secrets.token_hex(3)}", lambda: True) as made:
                calibrator = Calibrator(*made, worker_argv, tell)
                found.append(await calibrator.sustained(1, seconds / 2))
                if machine.cores > 1:
                    found.append(await calibrator.sustained(machine.cores, seconds / 2))
            group.cancel_scope.cancel()
    if signals.received:
        raise Stopped(signals.received[0])
    return Calibration(calibrated_at=now, machine=machine, one=found[0], all_cores=found[-1])


async def _heed(signals: Signals, scope: anyio.CancelScope) -> None:
    while not signals.received:  # noqa: ASYNC110  (no event tells of it)
        await anyio.sleep(_HEED_S)
    scope.cancel()
