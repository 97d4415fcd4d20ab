"""The conductor: fires faults on the load's clock, has each one proved, and undoes it on every way out.

One task a fault, one a target inside it; what one injection is made of is in injecting.py.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import anyio

from battle.core.journal import EventKind
from battle.core.live import FaultStage, FaultState
from battle.core.ports.fault import Fault, Occurrence
from battle.core.ports.provider import ProviderHandle
from battle.core.scenario import Scenario
from battle.engine.injecting import Act, Part, Site, sleep_until
from battle.engine.probing import Prober

Note = Callable[..., None]


@dataclass
class _Story:
    """What has become of one fault so far."""

    over: anyio.Event = field(default_factory=anyio.Event)
    cleared_ns: int = 0
    ran: bool = False


class Conductor:
    """Plays the faults of a scenario. `disturbed` lists what could not be seen to be undone."""

    def __init__(self, scenario: Scenario, targets: dict[str, ProviderHandle], note: Note) -> None:
        self._scenario = scenario
        self._note = note
        self._sites = {name: Site(name, handle, Prober(handle.endpoint)) for name, handle in targets.items()}
        self._stories = {name: _Story() for name in scenario.chaos}
        self._t0_ns = self._end_ns = 0
        self.disturbed: list[str] = []
        self.states: dict[str, FaultState] = {}

    def plan(self, t0_ns: int, end_ns: int) -> None:
        """Fix the clock: t0, and the end of the load, at which every fault ends."""
        self._t0_ns, self._end_ns = t0_ns, end_ns
        for name, fault in self._scenario.chaos.items():
            start = None if fault.at is None else t0_ns + fault.at
            until = None
            if start is not None:
                last = list(fault.occurrences(max(0, end_ns - start)))[-1]
                until = end_ns if last.for_ns is None else min(end_ns, start + last.start_ns + last.for_ns)
            targets = tuple(self._scenario.targets_of(name))
            self.states[name] = FaultState(name, fault.kind, targets, start, until)

    async def settle(self) -> None:
        """Learn how long healthy answers take, so that slowness can be told."""
        aimed = {target for name in self._scenario.chaos for target in self._scenario.targets_of(name)}
        async with anyio.create_task_group() as group:
            for name in aimed & self._sites.keys():
                group.start_soon(self._sites[name].prober.settle)

    async def play(self) -> None:
        """Play all faults to their end. Cancelled, it undoes what is in force before it lets go."""
        async with anyio.create_task_group() as group:
            for name, fault in self._scenario.chaos.items():
                group.start_soon(self._play_fault, name, fault)

    def in_force_on(self, target: str) -> frozenset[str]:
        """The faults that are on a target now."""
        return frozenset(self._sites[target].in_force)

    async def _play_fault(self, name: str, fault: Fault) -> None:
        story = self._stories[name]
        try:
            start = await self._start_of(fault)
            if start is None or start >= self._end_ns:
                self._note(EventKind.FAULT_SKIPPED, fault=name, why="its time never came before the load ended")
                return
            for index, occurrence in enumerate(fault.occurrences(self._end_ns - start)):
                if start + occurrence.start_ns >= self._end_ns:
                    break
                await self._play_occurrence(name, fault, index, start, occurrence)
        finally:
            story.over.set()

    async def _start_of(self, fault: Fault) -> int | None:
        if fault.at is not None:
            return self._t0_ns + fault.at
        earlier = self._stories[str(fault.after)]
        await earlier.over.wait()
        return earlier.cleared_ns + fault.delay if earlier.ran else None

    async def _play_occurrence(self, name: str, fault: Fault, index: int, start: int, occurrence: Occurrence) -> None:
        planned = start + occurrence.start_ns
        until = self._end_ns if occurrence.for_ns is None else min(self._end_ns, planned + occurrence.for_ns)
        await sleep_until(planned)
        self._stories[name].ran = True
        part = Part(name, fault, self._scenario.fault_numbers[name], index, planned, until)
        acts = [Act(part, self._sites[target], self._note, self._stage) for target in self._scenario.targets_of(name)]
        try:
            async with anyio.create_task_group() as group:
                for act in acts:
                    group.start_soon(act.play)
        finally:
            self.disturbed += [act.disturbed for act in acts if act.disturbed]
            cleared = [act.cleared_ns for act in acts if act.cleared_ns]
            self._stories[name].cleared_ns = max(cleared, default=time.monotonic_ns())

    def _stage(self, name: str, stage: FaultStage, at_ns: int | None) -> None:
        state = replace(self.states[name], state=stage)
        if stage is FaultStage.EFFECTIVE:
            state = replace(state, effective_ns=at_ns)
        elif stage is FaultStage.CLEARED:
            state = replace(state, cleared_ns=at_ns)
        self.states[name] = state
