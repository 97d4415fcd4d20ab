"""The journal: what happened in a run, in order, apart from the requests themselves.

One event is one JSON line of events.jsonl. `at_ns` is CLOCK_MONOTONIC. The fields of each kind stand beside it below;
`fault` names a fault of the scenario, `occurrence` counts its injections from 0, `target` is a provider or "proxy".
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class EventKind(StrEnum):
    """Every kind of event, with its fields."""

    RUN_STARTED = "run_started"  # run_id, seed, key_base, wall_ns, pid
    PROVIDER_STARTED = "provider_started"  # provider, incarnation, pid, address
    PROVIDER_ENDED = "provider_ended"  # provider, incarnation, planned, status
    PROXY_STARTED = "proxy_started"  # proxy, pid, version, address
    PROXY_ENDED = "proxy_ended"  # planned, status
    LOAD_STARTED = "load_started"  # t0_ns (end of the warm-up), planned_end_ns, planned (arrivals, null if unknown),
    # worker_pids
    LOAD_ENDED = "load_ended"  # reason: completed | guard | interrupted | worker_lost | disk_full; sent, dropped
    FAULT_INJECTING = "fault_injecting"  # fault, occurrence, target, planned_ns
    FAULT_INJECTED = "fault_injected"  # fault, occurrence, target: inject() returned
    FAULT_EFFECTIVE = "fault_effective"  # fault, occurrence, target; detail: what the probe saw
    FAULT_UNVERIFIED = "fault_unverified"  # fault, occurrence, target, why
    FAULT_FAILED = "fault_failed"  # fault, occurrence, target, why: inject() raised
    FAULT_ROLLING_BACK = "fault_rolling_back"  # fault, occurrence, target
    FAULT_ROLLED_BACK = "fault_rolled_back"  # fault, occurrence, target: the undo returned
    FAULT_CLEARED = "fault_cleared"  # fault, occurrence, target; detail: what the probe saw
    FAULT_NOT_CLEARED = "fault_not_cleared"  # fault, occurrence, target, why
    FAULT_SKIPPED = "fault_skipped"  # fault, why: its time never came
    BREAKER = "breaker"  # provider, state: open | closed | half_open, source
    GUARD_BROKEN = "guard_broken"  # objective, actual
    INTERRUPTED = "interrupted"  # signal
    SAMPLE = "sample"  # of: proxy | generator; rss_bytes, cpu_s (so far), processes, open_files,
    # cpu_s_each (of several workers)
    GENERATOR = "generator"  # what a worker saw of itself: see engine.self_watch
    CALIBRATION = "calibration"  # what this machine sustains: see core.calibration; stale: why it no longer counts
    WARNING = "warning"  # text
    EVIDENCE_THINNED = "evidence_thinned"  # bytes, limit_bytes, telling, plain, sampled (requests)
    RUN_ENDED = "run_ended"  # disturbed: list of what could not be undone


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the journal."""

    at_ns: int
    kind: EventKind
    fields: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The event as one flat JSON object."""
        return {"at_ns": self.at_ns, "kind": str(self.kind), **self.fields}

    @classmethod
    def from_json(cls, line: dict[str, Any]) -> "Event":
        """The event from what `to_json` made. Raises KeyError or ValueError when it is not one."""
        fields = {name: value for name, value in line.items() if name not in {"at_ns", "kind"}}
        return cls(int(line["at_ns"]), EventKind(line["kind"]), fields)
