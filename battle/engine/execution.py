"""One run, from the first process to the last undo: providers, proxy, load workers, chaos, on one clock.

Everything that was started is ended, and everything that was disturbed is undone, on every way out. What was measured
by then is on disk.
"""

import math
import os
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from battle.analysis.plan import Plan as LoadPlan
from battle.core.journal import Event, EventKind
from battle.core.live import View
from battle.core.ports.processes import Context
from battle.core.ports.provider import ProviderHandle
from battle.core.ports.proxy import BreakerReadable, Endable, ProxyHandle
from battle.core.scenario import Scenario
from battle.core.units import NS_PER_MS, NS_PER_S
from battle.engine import resources
from battle.engine.collecting import requests_file
from battle.engine.conductor import Conductor
from battle.engine.guards import Guard
from battle.engine.holding import hold
from battle.engine.load_processes import EndReason, LoadProcesses, load_processes
from battle.engine.machinery import machinery
from battle.engine.signals import Signals
from battle.engine.watching import Watcher
from battle.errors import Stopped
from battle.system.launching import ProcessLauncher

_LEAD_NS = 50 * NS_PER_MS
_LEAD_PER_WORKER_NS = 25 * NS_PER_MS
"""Between the order to start the load and its first instant: for one worker, and for each further one."""
_LOOK_S = 0.25
_HEED_S = 0.02
_DRAIN_NS = 5 * NS_PER_S
_LINGER_S = 0.2
"""How long the proxy's own word is still listened to after the load: its log is written with some delay."""


@dataclass(frozen=True)
class Plan:
    """What to run: the scenario, and the same as data (not masked) for the workers; where; how to start a worker."""

    scenario: Scenario
    data: dict[str, Any]
    run_id: str
    run_dir: Path
    raw_dir: Path
    undo_path: Path
    key_base: int
    worker_argv: list[str]
    workers: int = 1


@dataclass
class Ending:
    """How the run ended: why the load did, by which signal, and what may still be disturbed."""

    reason: EndReason = "completed"
    signal_name: str | None = None
    disturbed: list[str] = field(default_factory=list)


class Execution:
    """Carries a plan out. `write` takes the events of the journal, `view` is shown the run as it goes on."""

    def __init__(self, plan: Plan, write: Callable[[Event], None], view: View, signals: Signals) -> None:
        self._plan = plan
        self._scenario = plan.scenario
        self._write = write
        self._view = view
        self._signals = signals
        self._watcher = Watcher(plan.scenario)
        self._over = anyio.Event()
        self._load_began = False
        self._proxy: ProxyHandle | None = None
        self.ending = Ending()

    def note(self, kind: EventKind, at_ns: int | None = None, **fields: object) -> None:
        """Write an event into the journal, dated now unless said otherwise."""
        event = Event(time.monotonic_ns() if at_ns is None else at_ns, kind, dict(fields))
        self._write(event)
        self._watcher.hear(event)

    async def run(self) -> Ending:
        """The whole run. Raises SetupError when something does not start, Stopped when interrupted before the load."""
        self.note(
            EventKind.RUN_STARTED,
            run_id=self._plan.run_id,
            seed=self._scenario.seed,
            key_base=self._plan.key_base,
            wall_ns=time.time_ns(),
            pid=os.getpid(),
        )
        with self._view:
            async with anyio.create_task_group() as group:
                setup = anyio.CancelScope()  # not the group's: signals are heeded until all is ended
                group.start_soon(self._heed_signals, setup)
                group.start_soon(self._show)
                with setup:
                    async with machinery(self._plan.undo_path, self._plan.run_id, self._is_mended) as made:
                        await self._set_up(*made)
                group.cancel_scope.cancel()
        if self.ending.signal_name and not self._load_began:
            raise Stopped(self.ending.signal_name)
        self.note(EventKind.RUN_ENDED, disturbed=self.ending.disturbed)
        return self.ending

    async def _heed_signals(self, scope: anyio.CancelScope) -> None:
        """The first signal ends the run in order; further ones do not skip the rollback."""
        heeded = 0
        while True:
            for name in self._signals.received[heeded:]:
                heeded += 1
                if self.ending.signal_name is not None:
                    self.note(EventKind.WARNING, text="still rolling back; another signal does not skip that")
                    continue
                self.ending.signal_name = name
                self.note(EventKind.INTERRUPTED, signal=name)
                if self._load_began:
                    self._end_load("interrupted")
                else:
                    scope.cancel()
            await anyio.sleep(_HEED_S)

    def _is_mended(self) -> bool:
        return not self.ending.disturbed

    def _end_load(self, reason: EndReason) -> None:
        if not self._over.is_set():
            self.ending.reason = reason
            self._over.set()

    async def _set_up(self, launcher: ProcessLauncher, socket_dir: Path) -> None:
        plan, setup = self._plan, self._scenario.setup
        for stream in self._scenario.workload.values():
            stream.protocol.require()
        context = Context(
            run_dir=plan.run_dir,
            provider_names=tuple(self._scenario.provider_names),
            launcher=launcher,
            seed=self._scenario.seed,
            key_base=plan.key_base,
            genesis_ns=time.monotonic_ns(),
            socket_dir=socket_dir,
            note=self.note,
        )
        for key in setup.proxy.not_honoured():
            context.warn(f"{key} is not honoured by proxy kind {setup.proxy.kind}")
        logs = plan.run_dir / "logs"
        logs.mkdir(exist_ok=True)
        async with load_processes(launcher, plan.worker_argv, plan.workers, sockets=socket_dir, logs=logs) as workers:
            starts = {name: provider.start(name, context) for name, provider in setup.providers.items()}
            async with hold(starts) as handles:
                conductor = Conductor(self._scenario, handles, self.note)
                await conductor.settle()
                async with setup.proxy.start(list(handles.values()), context) as proxy:
                    self._proxy = proxy
                    self.note(
                        EventKind.PROXY_STARTED,
                        proxy=setup.proxy.kind,
                        pid=proxy.pid,
                        version=proxy.version,
                        address=str(proxy.endpoint),
                    )
                    await self._run_load(workers, proxy, handles, conductor)

    async def _run_load(
        self, workers: LoadProcesses, proxy: ProxyHandle, handles: dict[str, ProviderHandle], conductor: Conductor
    ) -> None:
        plan = self._plan
        chains = {getattr(one, "chain_id", None) for one in self._scenario.setup.providers.values()}
        chain_id = chains.pop() if len(chains) == 1 else None
        key_base, raw_dir = plan.key_base, plan.raw_dir
        for text in await workers.prepare(plan.data, proxy, key_base=key_base, raw_dir=raw_dir, chain_id=chain_id):
            self.note(EventKind.WARNING, text=text)
        cores = os.cpu_count() or 1
        if len(workers) > cores:
            self.note(EventKind.WARNING, text=f"{len(workers)} load workers share {cores} cores: fewer may send more")
        start = time.monotonic_ns() + _LEAD_NS + (len(workers) - 1) * _LEAD_PER_WORKER_NS
        end = start + self._scenario.load_ns
        conductor.plan(start + self._scenario.warmup_ns, end)
        await workers.start(start)
        self._load_began = True
        t0, planned = start + self._scenario.warmup_ns, _planned(self._scenario)
        about = {"t0_ns": t0, "planned_end_ns": end, "planned": planned, "worker_pids": workers.pids}
        self.note(EventKind.LOAD_STARTED, at_ns=start, **about)
        records = [plan.raw_dir / requests_file(index) for index in range(len(workers))]
        self._watcher.follow(start, records, handles, conductor)
        async with anyio.create_task_group() as watchers:
            watchers.start_soon(resources.watch, "generator", workers.pids, self.note)
            if proxy.pid is not None:
                watchers.start_soon(resources.watch, "proxy", [proxy.pid], self.note)
            if isinstance(proxy, BreakerReadable):
                watchers.start_soon(self._follow_breakers, proxy)
            if isinstance(proxy, Endable):
                watchers.start_soon(self._watch_proxy, proxy)
            await self._play(workers, conductor, end)
            await anyio.sleep(_LINGER_S)
            watchers.cancel_scope.cancel()
        self.ending.disturbed += conductor.disturbed

    async def _play(self, workers: LoadProcesses, conductor: Conductor, end_ns: int) -> None:
        """Load and chaos side by side, until both are over. The first worker that does not complete ends the load."""
        chaos = anyio.CancelScope()
        patience_ns = max(stream.timeout for stream in self._scenario.workload.values()) + _DRAIN_NS

        async def conduct() -> None:
            with chaos:
                await conductor.play()

        def one_ended(counts: dict[str, Any]) -> None:
            self.note(EventKind.GENERATOR, **counts["itself"])
            if counts["reason"] != "completed":
                self._end_load(counts["reason"])

        def one_lost(how: str) -> None:
            self.note(EventKind.WARNING, text=how)
            self._end_load("worker_lost")

        async def follow() -> None:
            await workers.wait((end_ns - time.monotonic_ns() + patience_ns) / NS_PER_S, one_ended, one_lost)
            self._end_load("completed")

        async with anyio.create_task_group() as group:
            group.start_soon(conduct)
            group.start_soon(follow)
            await self._over.wait()
            reason = self.ending.reason
            self.note(EventKind.LOAD_ENDED, reason=reason)
            self._watcher.stage = "rolling back"
            chaos.cancel()
            await workers.stop(reason, cancel=reason == "interrupted", within_s=patience_ns / NS_PER_S)
        self._watcher.stage = "ending"

    async def _follow_breakers(self, proxy: BreakerReadable) -> None:
        async for change in proxy.breaker_changes():
            about = {"provider": change.provider, "state": change.state, "source": change.source}
            self.note(EventKind.BREAKER, at_ns=change.at_ns, **about)

    async def _watch_proxy(self, proxy: Endable) -> None:
        status = await proxy.wait()
        self.note(EventKind.PROXY_ENDED, planned=False, status=status)

    async def _show(self) -> None:
        """Show the run, and look at the guards, four times a second."""

        def broken(guard: Guard) -> None:
            if not self._over.is_set():
                self.note(EventKind.GUARD_BROKEN, objective=guard.objective.objective, actual=guard.actual)
                self._end_load("guard")

        while True:
            self._view.update(self._watcher.look(broken))
            await anyio.sleep(_LOOK_S)


def _planned(scenario: Scenario) -> int | None:
    """Arrivals that are planned from t0 on; None when users decide it."""
    expected = LoadPlan(scenario).expected_in_run()
    return None if expected is None else math.floor(expected)


def draw_key_base() -> int:
    """Random bits for the key base of a run: not from the seed, since two runs must not share keys."""
    return random.SystemRandom().getrandbits(32)


def worker_command() -> list[str]:
    """How a worker process is started; its socket's path is appended."""
    return [sys.executable, "-m", "battle", "_worker"]
