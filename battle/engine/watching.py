"""What the coordinator looks at while the load runs: the picture for the live view, and the guards."""

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from battle.core.journal import Event, EventKind
from battle.core.live import FaultStage, Happening, ProviderCondition, ProviderState, Snapshot
from battle.core.ports.load import OpenPattern
from battle.core.ports.provider import ProviderHandle, Recording
from battle.core.records import REQUEST_MEMBER, REQUEST_WAITED, Outcome, Requests
from battle.core.scenario import Scenario
from battle.core.units import NS_PER_S
from battle.engine.conductor import Conductor
from battle.engine.guards import Guard, LastSecond
from battle.engine.happenings import in_words
from battle.engine.tally import AttemptTally, RequestTallies

_EVENTS_SHOWN = 50


class Watcher:
    """Makes a snapshot of the run whenever it is asked, from the records and the journal."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._events: deque[Happening] = deque(maxlen=_EVENTS_SHOWN)
        self._open: set[str] = set()
        self._requests: RequestTallies | None = None
        self._attempts = AttemptTally()
        self._handles: dict[str, ProviderHandle] = {}
        self._conductor: Conductor | None = None
        self._guards = [Guard(objective) for objective in scenario.slo if objective.guard]
        self._start_ns: int | None = None
        self.stage = "starting"

    def hear(self, event: Event) -> None:
        """Take an event of the journal."""
        words = in_words(event)
        if words:
            self._events.append(Happening(event.at_ns, words))
        if event.kind is EventKind.BREAKER:
            change = self._open.add if event.fields["state"] == "open" else self._open.discard
            change(str(event.fields["provider"]))

    def follow(
        self, start_ns: int, records: list[Path], handles: dict[str, ProviderHandle], conductor: Conductor
    ) -> None:
        """The load begins at this instant; `records` are the files of the workers."""
        self._start_ns = start_ns
        self._requests = RequestTallies(records)
        self._handles, self._conductor = handles, conductor
        self.stage = "load"

    def look(self, on_broken: Callable[[Guard], None]) -> Snapshot:
        """A snapshot of now; `on_broken` is called for a guard that has been broken for its whole time."""
        now = time.monotonic_ns()
        if self._requests is None or self._start_ns is None:
            return Snapshot(now, self.stage, events=tuple(self._events))
        counts = self._requests.look(now)
        t0 = self._start_ns + self._scenario.warmup_ns
        if now > t0 + NS_PER_S and self.stage == "load":
            last = LastSecond(self._scenario, counts.recent, now)
            for guard in self._guards:
                if guard.look(last.measure, now):
                    on_broken(guard)
        judged = counts.ok + counts.failed + counts.dropped
        requests = counts.recent[(counts.recent["flags"] & REQUEST_MEMBER) == 0]
        response, lag = _times(requests)
        p50, p95, p99 = (None if not len(response) else float(np.percentile(response, q)) for q in (50, 95, 99))
        return Snapshot(
            now_ns=now,
            stage=self.stage,
            start_ns=self._start_ns,
            t0_ns=t0,
            end_ns=self._start_ns + self._scenario.load_ns,
            planned_per_s=self._planned(now - self._start_ns),
            done_per_s=float(len(requests)),
            sent=counts.ok + counts.failed,
            ok=counts.ok,
            failed=counts.failed,
            dropped=counts.dropped,
            in_flight=counts.in_flight,
            success_rate=counts.ok / judged if judged else None,
            p50_ns=p50,
            p95_ns=p95,
            p99_ns=p99,
            send_lag_p99_ns=float(np.percentile(lag, 99)) if len(lag) else None,
            providers=self._providers(now),
            faults=tuple(self._conductor.states.values()) if self._conductor else (),
            events=tuple(self._events),
        )

    def _planned(self, offset_ns: int) -> float | None:
        """The planned arrival rate now, of all open streams; None when users decide it."""
        total = 0.0
        for stream in self._scenario.workload.values():
            start = 0
            for phase in stream.load:
                inside = 0 <= offset_ns - start < phase.duration
                if inside and not isinstance(phase, OpenPattern):
                    return None
                if inside and isinstance(phase, OpenPattern):
                    total += phase.rate_at(offset_ns - start)
                start += phase.duration
        return total

    def _providers(self, now_ns: int) -> tuple[ProviderState, ...]:
        files = {name: list(handle.records) for name, handle in self._handles.items() if isinstance(handle, Recording)}
        arrivals = self._attempts.look(files, now_ns)
        total = sum(arrivals.values())
        return tuple(
            ProviderState(name, arrivals[name] / total if total and name in arrivals else None, *self._condition(name))
            for name in self._handles
        )

    def _condition(self, name: str) -> tuple[ProviderCondition, str]:
        states = self._conductor.states if self._conductor else {}
        on = self._conductor.in_force_on(name) if self._conductor else frozenset()
        kinds = {states[fault].kind for fault in on if states[fault].state is not FaultStage.CLEARED}
        note = ", ".join(sorted(on))
        if kinds & {"kill", "terminate", "flap"}:
            return ProviderCondition.DOWN, note
        if "pause" in kinds:
            return ProviderCondition.PAUSED, note
        if kinds:
            return ProviderCondition.FAULTED, note
        return (ProviderCondition.OPEN, "") if name in self._open else (ProviderCondition.UP, "")


def _times(recent: Requests) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Response times and send lags, in ns, of requests that were answered or failed."""
    sent = recent[np.isin(recent["outcome"], (Outcome.OK, Outcome.FAILED))]
    prompt = sent[(sent["started_ns"] > 0) & ((sent["flags"] & REQUEST_WAITED) == 0)]
    return sent["ended_ns"] - sent["scheduled_ns"], prompt["started_ns"] - prompt["scheduled_ns"]
