"""Attempts beside the requests that they belong to. They are never all held: each finding goes through them."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from battle.analysis.blindness import ABANDONED_WITHIN_NS, WAKING_NS, Blindness
from battle.analysis.columns import Columns
from battle.analysis.key_index import NOBODY
from battle.core.record_source import RecordSource, pieces_of
from battle.core.records import Attempts


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Some attempts as columns, shape (m,). `request` is the place of each one's request, NOBODY when it has none.

    `end_ns`: answered or closed by the peer, else the end of its process; 0 when nothing of that was seen. `late`
    arrivals sat in the socket of a stopped process and were read after the peer had gone.
    """

    request: NDArray[np.signedinteger[Any]]
    provider: NDArray[np.uint8]
    arrived_ns: NDArray[np.int64]
    answered_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    status: NDArray[np.uint16]
    key_source: NDArray[np.uint8]
    late: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.request)

    @property
    def keyed(self) -> NDArray[np.bool_]:
        """Arrivals that belong to a request of this run."""
        keyed: NDArray[np.bool_] = np.not_equal(self.request, NOBODY)
        return keyed

    @property
    def timely(self) -> NDArray[np.bool_]:
        """Keyed arrivals whose instant is when they came."""
        return self.keyed & ~self.late

    def in_hands(self, provider: int, went_ns: int, back_ns: int) -> NDArray[np.bool_]:
        """Keyed arrivals at a provider when it went, and not answered until it came back; late ones count too."""
        open_then = (self.end_ns == 0) | (self.end_ns >= went_ns)
        unanswered = (self.answered_ns == 0) | (self.answered_ns >= back_ns)
        held = ~self.late & (self.arrived_ns < back_ns) & open_then & unanswered
        woken = self.late & (self.arrived_ns >= went_ns) & (self.arrived_ns < back_ns + WAKING_NS)
        here: NDArray[np.bool_] = self.keyed & (self.provider == provider)
        found: NDArray[np.bool_] = here & (held | woken)
        return found

    def part(self, which: slice | NDArray[Any]) -> "Arrivals":
        """Some of them, by a slice, their places or a mask."""
        if isinstance(which, np.ndarray) and which.dtype == np.bool_:
            which = np.flatnonzero(which)
        return Arrivals(*(getattr(self, field.name)[which] for field in fields(self)))


@dataclass(frozen=True)
class Records:
    """The providers' records of a run, beside its requests."""

    columns: Columns
    attempts: Attempts | RecordSource
    blind: Blindness

    def __iter__(self) -> Iterator[tuple[Attempts, Arrivals]]:
        for records in pieces_of(self.attempts, self.columns.piece):
            yield records, _arrivals(self.columns, records, self.blind)


class Kept:
    """Arrivals that are kept of those that go by, `room` of them at the most."""

    def __init__(self, room: int) -> None:
        self._columns = [np.empty(room, dtype) for dtype in _TYPES.values()]
        self._filled = 0

    def put(self, arrivals: Arrivals, which: NDArray[np.bool_]) -> None:
        """Keep some."""
        chosen = np.flatnonzero(which)
        place = slice(self._filled, self._filled + len(chosen))
        for column, name in zip(self._columns, _TYPES, strict=True):
            column[place] = getattr(arrivals, name)[chosen]
        self._filled += len(chosen)

    def done(self) -> Arrivals:
        """All that were kept, in the order in which they came."""
        return Arrivals(*(column[: self._filled] for column in self._columns))


_TYPES: dict[str, type[Any]] = {
    "request": np.int32,
    "provider": np.uint8,
    "arrived_ns": np.int64,
    "answered_ns": np.int64,
    "end_ns": np.int64,
    "status": np.uint16,
    "key_source": np.uint8,
    "late": np.bool_,
}


def _arrivals(columns: Columns, attempts: Attempts, blind: Blindness) -> Arrivals:
    request = columns.keys.places_of(attempts["key"].astype(np.int64))
    provider = np.ascontiguousarray(attempts["provider"])
    arrived, answered, closed = (
        np.ascontiguousarray(attempts[f"{name}_ns"]) for name in ("arrived", "answered", "closed")
    )
    end = np.where((answered > 0) & (closed > 0), np.minimum(answered, closed), np.maximum(answered, closed))
    unended = np.flatnonzero(end == 0)
    end[unended] = blind.incarnation_end_ns[provider[unended], attempts["incarnation"][unended]]

    late = np.zeros(len(arrived), dtype=np.bool_)
    keyed = np.flatnonzero(request != NOBODY)
    client_end = columns.ended_at(request[keyed])
    waking = blind.just_after(provider[keyed], arrived[keyed], WAKING_NS)
    gone = (closed[keyed] > 0) & (closed[keyed] - arrived[keyed] <= ABANDONED_WITHIN_NS)
    late[keyed] = ((client_end > 0) & (arrived[keyed] > client_end)) | (waking & gone)
    return Arrivals(
        request,
        provider,
        arrived,
        answered,
        end,
        np.ascontiguousarray(attempts["status"]),
        np.ascontiguousarray(attempts["key_source"]),
        late,
    )
