"""The requests as columns, one contiguous array a field, which is what numpy is fast on."""

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from battle.core.records import REQUEST_WAITED, Outcome, Requests


@dataclass(frozen=True)
class Columns:
    """All requests of the run, warm-up included, in the order of keys; every array has shape (n,).

    A slot whose end was never written (the worker died) counts as cancelled: nobody knows how it would have ended.
    """

    key: NDArray[np.int64]
    scheduled_ns: NDArray[np.int64]
    started_ns: NDArray[np.int64]
    ended_ns: NDArray[np.int64]
    height: NDArray[np.int64]
    template: NDArray[np.uint16]
    status: NDArray[np.uint16]
    stream: NDArray[np.uint8]
    phase: NDArray[np.uint8]
    outcome: NDArray[np.uint8]
    error: NDArray[np.uint8]
    witness_provider: NDArray[np.uint8]
    witness_attempts: NDArray[np.uint8]
    witness_first: NDArray[np.uint8]
    flags: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.key)

    @cached_property
    def sent(self) -> NDArray[np.bool_]:
        """Requests that left the generator."""
        return np.greater(self.started_ns, 0)

    @cached_property
    def ok(self) -> NDArray[np.bool_]:
        """Requests that ended ok."""
        ok: NDArray[np.bool_] = self.outcome == Outcome.OK
        return ok

    @cached_property
    def ended(self) -> NDArray[np.bool_]:
        """Requests that count for latencies: ok and failed, with an end."""
        ended: NDArray[np.bool_] = (self.ok | (self.outcome == Outcome.FAILED)) & (self.ended_ns > 0)
        return ended

    @cached_property
    def judged(self) -> NDArray[np.bool_]:
        """Requests that count for success: ok, failed and dropped."""
        judged: NDArray[np.bool_] = (self.outcome >= Outcome.OK) & (self.outcome <= Outcome.DROPPED)
        return judged

    @cached_property
    def finished_ns(self) -> NDArray[np.int64]:
        """The instant at which each request's fate was known: its end, or its schedule when it was dropped."""
        return np.where(self.ended_ns > 0, self.ended_ns, self.scheduled_ns)

    def response_ns(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Response times, ended − scheduled in ns, of the ok and failed requests in `mask`, in the order of keys.

        Counted from the planned start, so that a late generator or a full pool cannot hide waiting (coordinated
        omission; G. Tene, "How NOT to measure latency", 2013).
        """
        counted = mask & self.ended
        return self.ended_ns[counted] - self.scheduled_ns[counted]

    def service_ns(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Service times, ended − started in ns, of the ok and failed requests in `mask` that were sent."""
        counted = mask & self.ended & self.sent
        return self.ended_ns[counted] - self.started_ns[counted]

    def send_lag_ns(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Send lags, started − scheduled in ns, of the requests in `mask` that were sent: the generator's lateness.

        Requests that waited for a free connection are left out: what kept them was the limit, not the generator.
        """
        counted = mask & self.sent & ((self.flags & REQUEST_WAITED) == 0)
        lag: NDArray[np.int64] = self.started_ns[counted] - self.scheduled_ns[counted]
        return lag


def columns_of(requests: Requests) -> Columns:
    """The columns of the records. Slots that were never used (key 0) are left out."""
    if len(requests) and not np.all(requests["key"]):
        requests = requests[requests["key"] > 0]
    names = [field.name for field in fields(Columns) if field.name not in {"key", "outcome"}]
    outcome = requests["outcome"].copy()
    outcome[outcome == Outcome.UNFINISHED] = Outcome.CANCELLED
    return Columns(
        key=requests["key"].astype(np.int64),
        outcome=outcome,
        **{name: np.ascontiguousarray(requests[name]) for name in names},
    )
