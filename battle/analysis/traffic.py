"""Who was tried when: every attempt at a provider that is known, from the records or from the proxy's word.

A dead provider records nothing, so that its records fall silent at once whether or not the proxy has turned away. What
the proxy says it tried beyond the recorded arrivals fills that gap: dated to the start of its request, and given to the
provider that the proxy says it tried first, else to the only one that could record nothing meanwhile.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from battle.analysis.arrivals import Records
from battle.analysis.attribution import Attribution
from battle.analysis.blindness import Blindness
from battle.analysis.columns import Columns
from battle.analysis.key_index import NOBODY
from battle.analysis.pieces import slices
from battle.analysis.received import Received
from battle.core.record_source import PIECE
from battle.core.records import NO_PROVIDER

TURNED_AWAY_SHARE = 0.1
QUIET_NS = 500_000_000
_QUIET_ATTEMPTS = 10
_CODE_BITS = 9
_CODE = (1 << _CODE_BITS) - 1


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """Attempts that only the proxy knows of: the index of the request, how many, and the provider (NOBODY: unknown).

    `named`: the proxy itself names the provider.
    """

    request: NDArray[np.int64]
    attempts: NDArray[np.int64]
    provider: NDArray[np.int16]
    named: NDArray[np.bool_]


@dataclass(frozen=True)
class Traffic:
    """All known attempts in the order of time: instants in ns, and the provider of each (NOBODY: unknown).

    `certain`: it did reach the provider, and not only by the proxy's word.
    """

    at_ns: NDArray[np.int64]
    provider: NDArray[np.int16]
    certain: NDArray[np.bool_]
    piece: int = PIECE
    _latest: dict[int, NDArray[np.int64]] = field(default_factory=dict)

    def of(self, provider: int) -> NDArray[np.int64]:
        """The instants of the attempts at one provider."""
        if provider not in self._latest:
            self._latest.clear()  # one is kept, since questions about a provider come together
            self._latest[provider] = self.at_ns[self.provider == provider]
        return self._latest[provider]

    def live(self, provider: int, from_ns: int, to_ns: int | None = None) -> NDArray[np.int64]:
        """The instants in [from, to) of the attempts that certainly reached a provider. `to` None: to the last one."""
        first, last = np.searchsorted(self.at_ns, (from_ns, from_ns if to_ns is None else to_ns))
        part = slice(first, None if to_ns is None else last)
        own: NDArray[np.int64] = self.at_ns[part][self.certain[part] & (self.provider[part] == provider)]
        return own

    def share(self, provider: int, from_ns: int, to_ns: int) -> float | None:
        """The provider's share of the attempts in [from, to); None when there were none."""
        first, last = np.searchsorted(self.at_ns, (from_ns, to_ns))
        if last <= first:
            return None
        return int(np.count_nonzero(self.provider[first:last] == provider)) / int(last - first)

    def quiet_from(self, provider: int, share: float, since_ns: int, until_ns: int) -> int | None:
        """The first instant in [since, until) from which the provider is turned away from; None when there is none.

        The candidates are `since` and the provider's own attempts, since the condition can only begin to hold there.
        """
        own = self.of(provider)
        first, last = np.searchsorted(own, (since_ns, until_ns))
        for candidates in (
            np.array([since_ns]),
            *(own[first:last][place] for place in slices(max(0, last - first), self.piece)),
        ):
            quiet = np.flatnonzero(self.quiet_at(provider, share, candidates))
            if len(quiet):
                return int(candidates[quiet[0]])
        return None

    def back_from(self, provider: int, share: float, after_ns: int) -> int | None:
        """The first attempt at the provider behind an instant from which it is not turned away from; None: none."""
        own = self.of(provider)
        own = own[np.searchsorted(own, after_ns, side="right") :]
        for place in slices(len(own), self.piece):
            back = np.flatnonzero(~self.quiet_at(provider, share, own[place]))
            if len(back):
                return int(own[place][back[0]])
        return None

    def quiet_at(self, provider: int, share: float, instants: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the provider is turned away from, from each instant on.

        Turned away: in the span of max(500 ms, 10 expected attempts) behind the instant it gets less than 10 % of what
        is expected, `share` × all attempts. A span that reaches beyond the last attempt proves nothing.
        """
        own, count = self.of(provider), len(self.at_ns)
        if not count:
            return np.zeros(len(instants), np.bool_)
        first = np.searchsorted(self.at_ns, instants, side="right")
        enough = first + int(np.ceil(_QUIET_ATTEMPTS / share)) - 1
        stop = np.maximum(instants + QUIET_NS, self.at_ns[np.minimum(enough, count - 1)])
        known = (enough < count) & (stop <= self.at_ns[-1])
        expected = share * (np.searchsorted(self.at_ns, stop, side="right") - first)
        seen = np.searchsorted(own, stop, side="right") - np.searchsorted(own, instants, side="right")
        quiet: NDArray[np.bool_] = known & (seen < TURNED_AWAY_SHARE * expected)
        return quiet


def find_unrecorded(columns: Columns, received: Received, blind: Blindness, keeps: NDArray[np.bool_]) -> Unrecorded:
    """Attempts that the proxy speaks of and no provider recorded. `keeps`: which providers keep records."""
    request = np.flatnonzero(columns.witness_attempts > received.timely)
    if not np.all(keeps):  # attempts at the others are never recorded, so nothing is known of these
        request = request[:0]
    missing = columns.witness_attempts[request].astype(np.int64) - received.timely[request]
    first = columns.witness_first[request].astype(np.int16)
    named = (first != NO_PROVIDER) & ~received.at_first[request]
    provider = np.full(len(request), NOBODY, dtype=np.int16)
    candidates = np.zeros(len(request), dtype=np.int64)
    finished = columns.scheduled_ns[request] + columns.took_ns[request]
    started = columns.started_at(request)
    for number in sorted({number for number, _, _ in blind.spans}):
        met = np.zeros(len(request), dtype=np.bool_)
        for start, stop in (span[1:] for span in blind.spans if span[0] == number):
            met |= (finished >= start) & (started < stop)
        provider[met] = number
        candidates += met
    provider[candidates > 1] = NOBODY
    provider[named] = first[named]
    return Unrecorded(request, missing, provider, named)


def find_traffic(records: Records, joined: Attribution, unrecorded: Unrecorded, keeps: NDArray[np.bool_]) -> Traffic:
    """All known attempts. Where a provider keeps no records, each answer of it counts as one."""
    columns = records.columns
    silent = np.zeros(0, np.int64)
    if not np.all(keeps):
        silent = np.flatnonzero((joined.serving != NOBODY) & ~joined.by_record)
    recorded = int(joined.received.timely.sum(dtype=np.int64))
    origin = int(columns.scheduled_ns[0]) if len(columns) else 0
    filling = _Filling(recorded + int(unrecorded.attempts.sum()) + len(silent), origin, columns.piece)
    told = unrecorded.attempts
    filling.put(np.repeat(columns.started_at(unrecorded.request), told), np.repeat(unrecorded.provider, told), False)
    filling.put(columns.started_at(silent), joined.serving[silent], True)
    for _, arrivals in records:
        timely = arrivals.timely
        filling.put(arrivals.arrived_ns[timely], arrivals.provider[timely], True)
    return filling.done()


class _Filling:
    """Attempts being put in order. Each is packed into one number (instant, provider, certain), sorted in place."""

    def __init__(self, count: int, origin_ns: int, piece: int) -> None:
        self._piece = piece
        self._packed = np.empty(count, np.int64)
        self._origin_ns = origin_ns
        self._filled = 0

    def put(self, at_ns: NDArray[np.int64], provider: NDArray[Any], certain: bool) -> None:
        place = slice(self._filled, self._filled + len(at_ns))
        code = (provider.astype(np.int64) - NOBODY) << 1 | certain
        self._packed[place] = (at_ns - self._origin_ns) << _CODE_BITS | code
        self._filled += len(at_ns)

    def done(self) -> Traffic:
        packed = self._packed
        packed.sort()
        provider, certain = np.empty(len(packed), np.int16), np.empty(len(packed), np.bool_)
        for place in slices(len(packed), self._piece):
            some = packed[place]
            certain[place] = some & 1
            provider[place] = ((some & _CODE) >> 1) + NOBODY
            some >>= _CODE_BITS
            some += self._origin_ns
        return Traffic(packed, provider, certain, self._piece)
