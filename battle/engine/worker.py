"""The load worker: its own process, so that nothing else disturbs its clock.

It is driven over a control socket: `prepare` (all it must know), `start` (the instant), `wait` (answers at the end),
`stop` (send nothing more; with cancel, end what is in flight too). When its standard input ends, the coordinator is
gone and it ends as well.
"""

import asyncio
import gc
import os
import sys
from pathlib import Path
from typing import Any

from battle.core.ports.load import ClosedPattern
from battle.core.ports.wire import Endpoint, StreamPlan
from battle.core.scenario import Scenario
from battle.core.shard import Shard
from battle.core.witness import Witness
from battle.engine.closed_model import ClosedModel
from battle.engine.dispatching import Dispatcher, KeyCounter
from battle.engine.open_model import OpenModel
from battle.engine.recorder import Recorder
from battle.engine.schedule import arrivals, end_of_open_phases
from battle.engine.self_watch import SelfWatch
from battle.system import event_loop
from battle.system.mapped import MappedWriter
from battle.system.serving import serve
from battle.system.timer import timer_is_precise


class LoadWorker:
    """A share of the load of one scenario, sent from this process."""

    def __init__(self, scenario: Scenario, order: dict[str, Any]) -> None:
        shard = Shard(*order["shard"])
        keys = KeyCounter(order["key_base"], shard)
        self._keys = keys
        self._recorder = Recorder(MappedWriter(Path(order["records"]), keys.base), keys.base, keys.step)
        self._dispatchers: list[Dispatcher] = []
        self._models: list[OpenModel | ClosedModel] = []
        self._finished = asyncio.Event()
        self._reason = "completed"
        self._poll: asyncio.Task[None] | None = None
        self._itself = SelfWatch()
        endpoint = Endpoint(**order["endpoint"])
        witness = Witness.from_message(order["witness"]) if order["witness"] else None
        for name in scenario.workload:
            dispatcher = Dispatcher(scenario, name, keys, self._recorder, self._check, shard=shard)
            plan = StreamPlan(
                dispatcher.stream, dispatcher.first_template, scenario.seed, witness, order["chain_id"], shard
            )
            dispatcher.session = dispatcher.stream.protocol.session(endpoint, plan, dispatcher.report)
            self._dispatchers.append(dispatcher)
            due = arrivals(dispatcher.stream, scenario.seed, name, dispatcher.first_template, shard)
            self._models.append(OpenModel(dispatcher, due, end_of_open_phases(dispatcher.stream)))
            offset = 0
            for index, phase in enumerate(dispatcher.stream.load):
                if isinstance(phase, ClosedPattern):
                    self._models.append(ClosedModel(dispatcher, phase, index, offset, shard))
                offset += phase.duration

    @property
    def shortcomings(self) -> list[str]:
        """What it has to do without here, in words."""
        timers = [] if timer_is_precise() else ["no precise timer here: sends are late by up to a millisecond"]
        missing = event_loop.why_not_uvloop()
        return timers + ([f"{missing}: the load engine is about three times slower"] if missing else [])

    def start(self, at_ns: int) -> None:
        """Send from this instant on. Garbage collection is off from here: the hot path makes no cycles."""
        gc.collect()
        gc.freeze()
        gc.disable()
        self._itself.start(at_ns)
        for model in self._models:
            model.start(at_ns)
        self._poll = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while not self._finished.is_set():
            await asyncio.sleep(0.05)
            if self._recorder.disk_full and self._reason == "completed":
                self.stop("disk_full")
            self._check()

    def _check(self) -> None:
        if all(model.done for model in self._models) and not any(it.in_flight for it in self._dispatchers):
            self._finished.set()

    def stop(self, reason: str, *, cancel: bool = False) -> None:
        """Send nothing more."""
        self._reason = reason
        for model in self._models:
            model.stop()
        if cancel:
            for dispatcher in self._dispatchers:
                dispatcher.session.cancel()
        self._check()

    async def wait(self) -> dict[str, Any]:
        """Wait until all was sent and has ended; gives the counts, and what the worker saw of itself."""
        await self._finished.wait()
        return self.status() | {"itself": self._itself.stop()}

    def status(self) -> dict[str, Any]:
        """The counts so far, of calls: a batch is several."""
        return {
            "reason": self._reason,
            "taken": self._keys.taken,
            "sent": self._keys.taken - sum(it.dropped for it in self._dispatchers),
            "dropped": sum(it.dropped for it in self._dispatchers),
            "in_flight": sum(it.in_flight for it in self._dispatchers),
            "lost_records": self._recorder.lost,
        }

    async def close(self) -> None:
        """Close connections and the record file."""
        self._itself.stop()
        for dispatcher in self._dispatchers:
            await dispatcher.session.close()
        self._recorder.close()


async def _run(socket: Path) -> None:
    worker: LoadWorker | None = None
    ended = asyncio.Event()

    async def handle(request: dict[str, Any]) -> dict[str, Any]:
        nonlocal worker
        if request["do"] == "prepare":
            worker = LoadWorker(Scenario.model_validate(request["scenario"]), request)
            return {"shortcomings": worker.shortcomings}
        if worker is None:
            return {"error": "not prepared"}
        match request["do"]:
            case "start":
                worker.start(request["at_ns"])
            case "stop":
                worker.stop(request["reason"], cancel=request["cancel"])
            case "wait":
                return await worker.wait()
            case "end":
                await worker.close()
                ended.set()
        return worker.status()

    def on_input() -> None:
        if not os.read(sys.stdin.fileno(), 1):
            ended.set()

    server = await serve(socket, handle)
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), on_input)
    await ended.wait()
    server.close()


def main(socket: Path) -> None:
    """Serve one coordinator until it says `end` or goes away."""
    event_loop.run(_run(socket))
