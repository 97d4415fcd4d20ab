"""Failovers, hedges and ambiguous second attempts, by the providers' records and the proxy's word.

For a request with several recorded arrivals, let r be the attempt that served it (the last one, when none did) and a
any attempt before r. When r came, a was

    over       its end was seen, at most 50 ms after r came
    unseen     its end was not seen: it hung, or its process was stopped
    alive      its end was seen later

Tried at a, served at r of another provider: a failover is *proved* when a was over, or unseen with a gap of at least
0.9 × attempt_timeout between the two; with a smaller gap it is *ambiguous*. When a was alive, or when an attempt came
after r, it is a *hedge*. Attempts at the same provider one after the other are retries and none of these.

A failover is *witnessed* when the records show none of that, the provider that the proxy names last did serve by its
own record, and the proxy says that it tried another one first, or made more attempts than were recorded: a refused
connection leaves no record, and neither does a request that sat unread in its socket.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from battle.analysis.attribution import Attribution, Contested
from battle.analysis.blindness import ABANDONED_WITHIN_NS, Blindness
from battle.analysis.columns import Columns
from battle.analysis.pieces import slices
from battle.core.records import NO_PROVIDER

_UNSEEN_GAP = 0.9


class _Kind(IntEnum):
    NONE = 0
    PROVED = 1
    WITNESSED = 2
    HEDGED = 3
    AMBIGUOUS = 4


@dataclass(frozen=True, slots=True)
class Failovers:
    """Which requests were failed over, hedged or neither for certain; no request is in two of them. Shape (n,)."""

    kind: NDArray[np.uint8]

    @property
    def proved(self) -> NDArray[np.bool_]:
        """Failed over, by the providers' records."""
        return np.equal(self.kind, _Kind.PROVED)

    @property
    def witnessed(self) -> NDArray[np.bool_]:
        """Failed over, by the proxy's word."""
        return np.equal(self.kind, _Kind.WITNESSED)

    @property
    def hedged(self) -> NDArray[np.bool_]:
        """Tried again while the first attempt was alive."""
        return np.equal(self.kind, _Kind.HEDGED)

    @property
    def ambiguous(self) -> NDArray[np.bool_]:
        """Tried again, and it cannot be told what that was."""
        return np.equal(self.kind, _Kind.AMBIGUOUS)

    @property
    def failed_over(self) -> NDArray[np.bool_]:
        """Tried at one provider and then served by another, proved or witnessed."""
        return self.proved | self.witnessed


def find_failovers(
    columns: Columns, joined: Attribution, contested: Contested, blind: Blindness, attempt_timeout_ns: int
) -> Failovers:
    """Classify every request that was sent."""
    count, arrivals = len(columns), contested.arrivals
    proved, hedged, ambiguous = (np.zeros(count, dtype=np.bool_) for _ in range(3))
    reference = _references(joined, contested)
    for place in slices(len(arrivals), columns.piece):
        some = arrivals.part(place)
        of_several = np.flatnonzero(~some.late & (joined.received.timely[some.request] > 1))
        some = some.part(of_several)
        served_at = arrivals.part(reference[some.request])
        came = served_at.arrived_ns
        another = place.start + of_several != reference[some.request]
        earlier = another & (some.arrived_ns <= came)
        elsewhere = earlier & (some.provider != served_at.provider)
        soon = some.end_ns <= came + ABANDONED_WITHIN_NS
        over = (some.end_ns > 0) & soon
        unseen = (some.end_ns == 0) | (~soon & blind.at(some.provider, came))
        waited = came - some.arrived_ns >= _UNSEEN_GAP * attempt_timeout_ns
        proved[some.request[elsewhere & (over | (unseen & waited))]] = True
        hedged[some.request[(another & ~earlier) | (earlier & ~over & ~unseen)]] = True
        ambiguous[some.request[elsewhere & unseen & ~waited]] = True
    proved &= joined.by_record
    ambiguous &= joined.by_record
    kind = np.zeros(count, dtype=np.uint8)
    kind[_witnessed(columns, joined)] = _Kind.WITNESSED  # each takes precedence over those before it
    kind[ambiguous] = _Kind.AMBIGUOUS
    kind[hedged] = _Kind.HEDGED
    kind[proved] = _Kind.PROVED
    return Failovers(kind)


def _references(joined: Attribution, contested: Contested) -> NDArray[np.int32]:
    """For each request that has several the attempt that served it, else its last timely one."""
    arrivals, reference = contested.arrivals, contested.served.copy()
    unserved = np.flatnonzero(~arrivals.late & ~joined.by_record[arrivals.request])
    order = unserved[np.argsort(arrivals.arrived_ns[unserved], kind="stable")]
    reference[arrivals.request[order]] = order  # of equal indexes, the last assignment stays
    return reference


def _witnessed(columns: Columns, joined: Attribution) -> NDArray[np.bool_]:
    last, first = columns.witness_provider, columns.witness_first
    confirmed: NDArray[np.bool_] = joined.by_record & (last != NO_PROVIDER) & (joined.serving == last)
    more_than_recorded = columns.witness_attempts > np.maximum(joined.received.timely, 1)
    elsewhere_first: NDArray[np.bool_] = np.where(first != NO_PROVIDER, first != last, more_than_recorded)
    return confirmed & elsewhere_first
