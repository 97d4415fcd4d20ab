"""The requests as columns, one contiguous array a field, which is what numpy is fast on.

Ten million requests have to fit beside everything else, so no column is wider than its values need, instants are kept
as differences to the schedule, and what can be computed from a column in passing is not kept.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from battle.analysis.key_index import KeyIndex, KeyIndexBuilder
from battle.analysis.narrow import NarrowColumn
from battle.analysis.pieces import slices
from battle.core.record_source import PIECE, RecordSource, pieces_of, room_of
from battle.core.records import REQUEST, REQUEST_MEMBER, REQUEST_PARTLY, REQUEST_WAITED, Outcome, Requests

_NARROW = {"scheduled_ns": np.int64, "lag_ns": np.int32, "took_ns": np.int32, "height": np.int32}


@dataclass(frozen=True)
class Columns:
    """All requests of the run, warm-up included, in the order of keys; every array has shape (n,).

    `lag_ns` is started − scheduled, 0 where it was never sent; `took_ns` is ended − scheduled, 0 where it has no end;
    both are int32 when all of it fits. `keys` are those of the whole run, also in a part of it; `piece` is how many are
    looked at together where that would make large arrays. A slot whose end was
    never written (the worker died) counts as cancelled: nobody knows how it would have ended.
    """

    keys: KeyIndex
    piece: int
    scheduled_ns: NDArray[np.int64]
    lag_ns: NDArray[np.signedinteger[Any]]
    took_ns: NDArray[np.signedinteger[Any]]
    sent: NDArray[np.bool_]
    has_end: NDArray[np.bool_]
    height: NDArray[np.signedinteger[Any]]
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
        return len(self.scheduled_ns)

    def part(self, place: slice) -> "Columns":
        """The requests of a slice, without a copy."""
        return Columns(self.keys, self.piece, *(getattr(self, name)[place] for name in _FIELDS))

    def parts(self) -> Iterator[tuple[slice, "Columns"]]:
        """All requests, at most `piece` at once, each part with its place."""
        for place in slices(len(self), self.piece):
            yield place, self.part(place)

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Requests that ended ok."""
        return np.equal(self.outcome, Outcome.OK)

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Requests that failed."""
        return np.equal(self.outcome, Outcome.FAILED)

    @property
    def ended(self) -> NDArray[np.bool_]:
        """Requests that count for latencies: ok and failed, with an end."""
        return (self.ok | self.failed) & self.has_end

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Requests that count for success: ok, failed and dropped."""
        return (self.outcome >= Outcome.OK) & (self.outcome <= Outcome.DROPPED)

    @property
    def leads(self) -> NDArray[np.bool_]:
        """Which stand for an HTTP request: all but the further calls of batches."""
        leads: NDArray[np.bool_] = np.equal(self.flags & REQUEST_MEMBER, 0)
        return leads

    @property
    def wholly_ok(self) -> NDArray[np.bool_]:
        """Calls whose HTTP request was answered ok: of a batch, every call."""
        wholly_ok: NDArray[np.bool_] = self.ok & np.equal(self.flags & REQUEST_PARTLY, 0)
        return wholly_ok

    @property
    def started_ns(self) -> NDArray[np.int64]:
        """When each was sent, 0 where it never was. Made anew at each use."""
        return self.started_at(slice(None))

    @property
    def ended_ns(self) -> NDArray[np.int64]:
        """When each ended, 0 where no end was seen. Made anew at each use."""
        return self.ended_at(slice(None))

    @property
    def finished_ns(self) -> NDArray[np.int64]:
        """The instant at which each request's fate was known: its end, or its schedule when it was dropped."""
        return self.scheduled_ns + self.took_ns

    def started_at(self, which: slice | NDArray[Any]) -> NDArray[np.int64]:
        """When these were sent, 0 where they never were."""
        return (self.scheduled_ns[which] + self.lag_ns[which]) * self.sent[which]

    def ended_at(self, which: slice | NDArray[Any]) -> NDArray[np.int64]:
        """When these ended, 0 where no end was seen."""
        return (self.scheduled_ns[which] + self.took_ns[which]) * self.has_end[which]

    def response_ns(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Response times, ended − scheduled in ns, of the ok and failed requests in `mask`, in the order of keys.

        Counted from the planned start, so that a late generator or a full pool cannot hide waiting (coordinated
        omission; G. Tene, "How NOT to measure latency", 2013).
        """
        return self._times(mask & self.ended, lambda part: part.took_ns)

    def service_ns(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Service times, ended − started in ns, of the ok and failed requests in `mask` that were sent."""
        return self._times(
            mask & self.ended & self.sent, lambda part: np.subtract(part.took_ns, part.lag_ns, dtype="i8")
        )

    def send_lag_ns(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Send lags, started − scheduled in ns, of the requests in `mask` that were sent: the generator's lateness.

        Requests that waited for a free connection are left out: what kept them was the limit, not the generator.
        """
        return self._times(mask & self.sent & ((self.flags & REQUEST_WAITED) == 0), lambda part: part.lag_ns)

    def connection_wait_ns(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """How long, in ns, the requests in `mask` that waited for a free connection did so, of those that were sent."""
        return self._times(mask & self.sent & ((self.flags & REQUEST_WAITED) > 0), lambda part: part.lag_ns)

    def _times(self, which: NDArray[np.bool_], of: "Callable[[Columns], NDArray[Any]]") -> NDArray[np.int64]:
        times, filled = np.empty(np.count_nonzero(which), np.int64), 0
        for place, part in self.parts():
            some = of(part)[np.flatnonzero(which[place])]
            times[filled : filled + len(some)] = some
            filled += len(some)
        return times


_FIELDS = tuple(field.name for field in fields(Columns) if field.name not in {"keys", "piece"})
_AS_RECORDED = tuple(
    name for name in _FIELDS if name not in {"scheduled_ns", "lag_ns", "took_ns", "sent", "has_end", "outcome"}
)


def columns_of(requests: Requests | RecordSource, piece: int = PIECE) -> Columns:
    """The columns of the records, read a piece at a time. Slots that were never used (key 0) are left out."""
    room = room_of(requests)
    types = {name: _NARROW.get(name) for name in _FIELDS}
    filling = {name: NarrowColumn(room, dtype or _recorded_type(name)) for name, dtype in types.items()}
    keys = KeyIndexBuilder()
    for records in pieces_of(requests, piece):
        used = records if np.all(records["key"]) else records[records["key"] > 0]
        keys.put(used["key"].astype(np.int64))
        for name, values in _split(used).items():
            filling[name].put(values)
    return Columns(keys.done(), piece, *(filling[name].done() for name in _FIELDS))


def _recorded_type(name: str) -> np.dtype[Any]:
    return np.dtype(np.bool_) if name in {"sent", "has_end"} else REQUEST[name]


def _split(records: Requests) -> dict[str, NDArray[Any]]:
    scheduled, started, ended = (
        np.ascontiguousarray(records[f"{name}_ns"]) for name in ("scheduled", "started", "ended")
    )
    outcome = records["outcome"].copy()
    outcome[outcome == Outcome.UNFINISHED] = Outcome.CANCELLED
    sent, has_end = started > 0, ended > 0
    return {
        "scheduled_ns": scheduled,
        "lag_ns": np.where(sent, started - scheduled, 0),
        "took_ns": np.where(has_end, ended - scheduled, 0),
        "sent": sent,
        "has_end": has_end,
        "outcome": outcome,
        **{name: records[name] for name in _AS_RECORDED},
    }
