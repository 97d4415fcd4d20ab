"""Simulated evidence with known answers: what a run would have left, written down by the test.

Times in calls are ms from t0, so that expectations can be read off; the records are in ns.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from battle.analysis.evidence import Evidence
from battle.analysis.judge import analyse
from battle.core.journal import Event, EventKind
from battle.core.objective import Objective
from battle.core.records import ATTEMPT, NO_HEIGHT, NO_PROVIDER, REQUEST, ErrorClass, KeySource, Outcome
from battle.core.run import Run
from battle.core.scenario import Scenario
from battle.rooms import load_rooms

load_rooms()

T0_MS = 100_000.0
KEY_BASE = (1 << 52) | (5 << 33)
PROVIDERS = ("alpha", "beta", "gamma")


def ns(ms: float) -> int:
    """An instant in ns from one in ms after t0."""
    return round((T0_MS + ms) * 1e6)


@dataclass
class Bench:
    """A run in the making. `seconds` is the load after a warm-up of `warmup` seconds."""

    seconds: float = 10
    warmup: float = 0
    rate: float = 100
    proxy: dict[str, Any] = field(default_factory=lambda: {"kind": "envoy"})
    providers: tuple[str, ...] = PROVIDERS
    provider_kind: str = "mock"
    chaos: dict[str, Any] = field(default_factory=dict)
    slo: list[Any] = field(default_factory=list)
    stream: dict[str, Any] = field(default_factory=dict)
    more_streams: dict[str, Any] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    attempts: list[dict[str, Any]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    planned: int | None = None
    ended: str | None = "completed"
    load_ended_ms: float | None = None
    disturbed: list[str] | None = field(default_factory=list)

    def request(
        self,
        at: float,
        took: float | None = 20,
        *,
        lag: float = 0,
        outcome: Outcome = Outcome.OK,
        error: ErrorClass = ErrorClass.NONE,
        **more: Any,
    ) -> int:
        """A request scheduled at `at`, ended `took` ms later (None: no end). Gives its number."""
        status = 200 if outcome is Outcome.OK else 0
        self.requests.append(
            {
                "scheduled_ns": ns(at),
                "started_ns": 0 if outcome is Outcome.DROPPED else ns(at + lag),
                "ended_ns": 0 if took is None or outcome is Outcome.DROPPED else ns(at + took),
                "outcome": outcome,
                "error": error,
                "status": status,
                "height": NO_HEIGHT,
                "witness_provider": NO_PROVIDER,
                "witness_first": NO_PROVIDER,
                **more,
            }
        )
        return len(self.requests) - 1

    def attempt(
        self,
        request: int | None,
        provider: str,
        arrived: float,
        answered: float | None = None,
        *,
        closed: float | None = None,
        **more: Any,
    ) -> None:
        """An arrival at a provider, at absolute ms, answered or closed (or neither) at absolute ms."""
        self.attempts.append(
            {
                "key": 0 if request is None else KEY_BASE + request,
                "arrived_ns": ns(arrived),
                "answered_ns": 0 if answered is None else ns(answered),
                "closed_ns": 0 if closed is None else ns(closed),
                "height": NO_HEIGHT,
                "status": 0 if answered is None else 200,
                "provider": self.providers.index(provider),
                "incarnation": 1,
                "key_source": KeySource.ID,
                "executed": answered is not None,
                **more,
            }
        )

    def served(self, at: float, provider: str = "alpha", took: float = 20, **more: Any) -> int:
        """A request that one provider served at once, ok."""
        number = self.request(at, took, **more)
        self.attempt(number, provider, at + 1, at + took - 1)
        return number

    def failed(self, at: float, took: float = 20, error: ErrorClass = ErrorClass.CONNECT, **more: Any) -> int:
        """A request that failed, and of which no provider knows."""
        return self.request(at, took, outcome=Outcome.FAILED, error=error, **more)

    def steady(
        self, from_ms: float, to_ms: float, every: float = 10, providers: tuple[str, ...] = (), **more: Any
    ) -> None:
        """Requests served in turn by the providers, one each `every` ms in [from, to)."""
        chosen = providers or self.providers
        for turn, at in enumerate(np.arange(from_ms, to_ms, every)):
            self.served(float(at), chosen[turn % len(chosen)], **more)

    def event(self, at: float, kind: EventKind, **fields: Any) -> None:
        """An event of the journal."""
        self.events.append(Event(ns(at), kind, fields))

    def fault(
        self,
        name: str,
        target: str = "alpha",
        *,
        injected: float,
        effective: float | None = None,
        rolled_back: float | None = None,
        cleared: float | None = None,
        occurrence: int = 0,
    ) -> None:
        """The events of one injection that went as it should, as far as its instants are given."""
        of = {"fault": name, "occurrence": occurrence, "target": target}
        self.event(injected - 1, EventKind.FAULT_INJECTING, **of)
        self.event(injected, EventKind.FAULT_INJECTED, **of)
        if effective is not None:
            self.event(effective, EventKind.FAULT_EFFECTIVE, detail="refused after 0 ms", **of)
        if rolled_back is not None:
            self.event(rolled_back - 1, EventKind.FAULT_ROLLING_BACK, **of)
            self.event(rolled_back, EventKind.FAULT_ROLLED_BACK, **of)
        if cleared is not None:
            self.event(cleared, EventKind.FAULT_CLEARED, detail="HTTP 200 after 1 ms", **of)

    def scenario(self) -> Scenario:
        """The scenario that would have been run."""
        load = [{"kind": "constant", "rate": f"{self.rate:g}/s", "duration": f"{self.seconds:g}s", "name": "steady"}]
        if self.warmup:
            warm = {"kind": "constant", "rate": f"{self.rate:g}/s", "duration": f"{self.warmup:g}s", "warmup": True}
            load.insert(0, warm)
        stream = {"requests": [{"method": "eth_blockNumber"}], "load": load, **self.stream}
        return Scenario.model_validate(
            {
                "name": "Simulated",
                "seed": 7,
                "setup": {
                    "providers": {name: self._provider() for name in self.providers},
                    "proxy": self.proxy,
                },
                "workload": {"reads": stream, **self.more_streams},
                "chaos": self.chaos,
                "slo": self.slo,
            }
        )

    def _provider(self) -> dict[str, Any]:
        return {"kind": "mock"} if self.provider_kind == "mock" else {"kind": "url", "url": "http://127.0.0.1:1"}

    def evidence(self, key_order: bool = True) -> Evidence:
        """Everything as the analysis reads it."""
        requests = np.zeros(len(self.requests), dtype=REQUEST)
        for number, row in enumerate(self.requests):
            requests["key"][number] = KEY_BASE + number
            for name, value in row.items():
                requests[name][number] = value
        attempts = np.zeros(len(self.attempts), dtype=ATTEMPT)
        for number, row in enumerate(self.attempts):
            for name, value in row.items():
                attempts[name][number] = value
        if not key_order:
            attempts = attempts[::-1].copy()
        return Evidence("run", self.scenario(), requests, attempts, self._journal(), "0" * 64)

    def _journal(self) -> list[Event]:
        end = self.seconds * 1000
        first = [
            Event(
                ns(-self.warmup * 1000 - 1000),
                EventKind.RUN_STARTED,
                {"key_base": KEY_BASE, "wall_ns": 1_790_000_000_000_000_000},
            ),
            Event(
                ns(-self.warmup * 1000),
                EventKind.LOAD_STARTED,
                {"t0_ns": ns(0), "planned_end_ns": ns(end), "planned": self.planned},
            ),
        ]
        last = []
        if self.ended is not None:
            at = end if self.load_ended_ms is None else self.load_ended_ms
            last.append(Event(ns(at), EventKind.LOAD_ENDED, {"reason": self.ended}))
        if self.disturbed is not None:
            last.append(Event(ns(end + 3000), EventKind.RUN_ENDED, {"disturbed": self.disturbed}))
        return first + sorted([*self.events, *last], key=lambda event: event.at_ns)

    def run(self, objectives: list[str] | None = None) -> Run:
        """The judged run."""
        asked = None if objectives is None else [Objective.model_validate(one) for one in objectives]
        return analyse(self.evidence(), analysed_at="2026-11-23T04:15:00Z", objectives=asked)
