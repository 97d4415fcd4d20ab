"""One injection of one fault on one target: enter, prove, wait, leave, prove.

What is entered is left, whatever happens: entering and leaving are shielded from cancellation and bounded in time.
"""

import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import anyio

from battle.core.journal import EventKind
from battle.core.live import FaultStage
from battle.core.ports.fault import Fault, Injection, Probe, ProbeOutcome, Verify
from battle.core.ports.provider import ProviderHandle
from battle.core.units import NS_PER_S, format_duration
from battle.engine.probing import Prober
from battle.errors import BattleError

_ENTER_S = 15.0
_LEAVE_S = 15.0
_WITHIN_NS = 2 * NS_PER_S


async def sleep_until(at_ns: int) -> None:
    """Sleep until an instant of CLOCK_MONOTONIC."""
    while (left := at_ns - time.monotonic_ns()) > 0:  # noqa: ASYNC110  (a timer may fire early)
        await anyio.sleep(left / NS_PER_S)


@dataclass
class Site:
    """A target: its handle, its prober, and the faults that are on it now."""

    name: str
    handle: ProviderHandle
    prober: Prober
    in_force: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Part:
    """What is to be played: which fault, its number in the records, and when."""

    name: str
    fault: Fault
    number: int
    occurrence: int
    planned_ns: int
    until_ns: int


class Act:
    """One injection. `cleared_ns` is when its end was seen; `disturbed` says what could not be undone."""

    def __init__(
        self, part: Part, site: Site, note: Callable[..., None], stage: Callable[[str, FaultStage, int | None], None]
    ) -> None:
        self._name, self._fault, self._part, self._site = part.name, part.fault, part, site
        self._write, self._tell = note, stage
        self._entered_ns: int | None = None
        verify_by = part.fault.verify_by
        self._within_ns = verify_by.within if isinstance(verify_by, Verify) else _WITHIN_NS
        self._way: AbstractAsyncContextManager[None] = part.fault.inject(Injection(part.name, part.number, site.handle))
        self.cleared_ns: int | None = None
        self.disturbed: str | None = None

    def _note(self, kind: EventKind, **fields: object) -> None:
        where = {"fault": self._name, "occurrence": self._part.occurrence, "target": self._site.name}
        self._write(kind, **where, **fields)

    def _stage(self, stage: FaultStage, at_ns: int | None = None) -> None:
        self._tell(self._name, stage, at_ns)

    async def play(self) -> None:
        """Inject, prove, wait, undo, prove."""
        self._stage(FaultStage.INJECTING)
        self._note(EventKind.FAULT_INJECTING, planned_ns=self._part.planned_ns)
        entered = False
        try:
            async with anyio.create_task_group() as group:
                if self._fault.verify_by != "none":
                    group.start_soon(self._prove)
                entered = await self._step(self._way.__aenter__(), _ENTER_S, EventKind.FAULT_INJECTED)
                if not entered:
                    group.cancel_scope.cancel()
                else:
                    self._site.in_force.add(self._name)
                    self._entered_ns = time.monotonic_ns()
                    await sleep_until(self._part.until_ns)
                    group.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await self._undo(entered)

    async def _step(self, step: Awaitable[object], limit_s: float, done: EventKind) -> bool:
        """Carry out the entry or the undo, shielded, in bounded time; false, with the reason noted, when it failed."""
        why = f"it took longer than {limit_s:.0f} s"
        with anyio.move_on_after(limit_s, shield=True) as scope:
            try:
                await step
            except Exception as error:  # noqa: BLE001  (faults come from anywhere; none may stop the undo of another)
                known = isinstance(error, BattleError | OSError)
                why = str(error) if known else f"{type(error).__name__}: {error}"
                scope.cancel()
            else:
                self._note(done)
                return True
        if done is EventKind.FAULT_INJECTED:
            self._note(EventKind.FAULT_FAILED, why=why)
        else:
            self._note(EventKind.WARNING, text=f"the undo of {self._name} on {self._site.name} failed: {why}")
        return False

    def _masked(self) -> bool:
        """Whether another fault on the same target can hide what this one does."""
        return bool(self._site.in_force - {self._name})

    async def _prove(self) -> None:
        """Have the effect seen on the data path, within the time that the fault is given."""

        def go_on() -> bool:
            if self._entered_ns is None:  # entering is bounded by itself
                return True
            return time.monotonic_ns() < self._entered_ns + self._within_ns or self._masked()

        probe = await self._watch(True, go_on)
        if probe is None:
            self._stage(FaultStage.UNVERIFIED)
            why = f"no probe showed it within {format_duration(self._within_ns)}"
            self._note(EventKind.FAULT_UNVERIFIED, why=why)
            return
        effective_ns = self._onset(probe)
        self._stage(FaultStage.EFFECTIVE, effective_ns)
        self._note(EventKind.FAULT_EFFECTIVE, at_ns=effective_ns, detail=probe.describe())

    def _onset(self, probe: Probe) -> int:
        """The instant from which the probe shows the effect, never before the fault was begun.

        A connection that was refused or broke shows it when it did. An answer that is wrong, late or missing shows it
        from its request on, or from the end of the entry when the request left before.
        """
        if probe.outcome in {ProbeOutcome.REFUSED, ProbeOutcome.BROKEN}:
            return probe.ended_ns
        return max(probe.sent_ns, self._entered_ns or probe.ended_ns)

    async def _watch(self, wanted: bool, go_on: Callable[[], bool]) -> Probe | None:
        silence = self._fault.silence_ns(self._site.prober.healthy_ns)
        return await self._site.prober.watch(self._fault.verify, wanted, silence, go_on)

    async def _undo(self, entered: bool) -> None:
        self._stage(FaultStage.ROLLING_BACK)
        self._note(EventKind.FAULT_ROLLING_BACK)
        if entered and not await self._step(
            self._way.__aexit__(None, None, None), _LEAVE_S, EventKind.FAULT_ROLLED_BACK
        ):
            self.disturbed = f"{self._site.name}: the undo of {self._name} ({self._fault.kind}) failed"
        self._site.in_force.discard(self._name)
        if self._fault.verify_by == "none":
            self.cleared_ns = time.monotonic_ns()
            self._stage(FaultStage.CLEARED, self.cleared_ns)
            return
        deadline = time.monotonic_ns() + self._within_ns

        def go_on() -> bool:
            nonlocal deadline
            if self._masked():
                deadline = time.monotonic_ns() + self._within_ns
            return time.monotonic_ns() < deadline

        probe = await self._watch(False, go_on)
        if probe is None:
            why = f"no probe showed its end within {format_duration(self._within_ns)}"
            self._note(EventKind.FAULT_NOT_CLEARED, why=why)
            self.disturbed = f"{self._site.name}: {self._name} ({self._fault.kind}) was not seen to end"
            return
        self.cleared_ns = probe.ended_ns
        self._stage(FaultStage.CLEARED, probe.ended_ns)
        self._note(EventKind.FAULT_CLEARED, at_ns=probe.ended_ns, detail=probe.describe())
