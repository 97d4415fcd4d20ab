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

import numpy as np
from numpy.typing import NDArray

from battle.analysis.attribution import ABANDONED_WITHIN_NS, NOBODY, Attribution
from battle.analysis.blindness import Blindness
from battle.analysis.columns import Columns
from battle.core.records import NO_PROVIDER

_UNSEEN_GAP = 0.9


@dataclass(frozen=True, slots=True)
class Failovers:
    """Which requests were failed over, hedged or neither for certain; no request is in two of them. Shape (n,)."""

    proved: NDArray[np.bool_]
    witnessed: NDArray[np.bool_]
    hedged: NDArray[np.bool_]
    ambiguous: NDArray[np.bool_]

    @property
    def failed_over(self) -> NDArray[np.bool_]:
        """Tried at one provider and then served by another, proved or witnessed."""
        return self.proved | self.witnessed


def find_failovers(columns: Columns, joined: Attribution, blind: Blindness, attempt_timeout_ns: int) -> Failovers:
    """Classify every request that was sent."""
    arrivals, count = joined.arrivals, len(columns)
    of_several = np.flatnonzero(arrivals.timely)
    of_several = of_several[joined.timely[arrivals.request[of_several]] > 1]
    request, arrived = arrivals.request[of_several], arrivals.arrived_ns[of_several]
    provider, end = arrivals.provider[of_several], arrivals.end_ns[of_several]

    reference = _references(joined, of_several)[request]
    came = arrivals.arrived_ns[reference]
    another = of_several != reference
    earlier = another & (arrived <= came)
    elsewhere = earlier & (provider != arrivals.provider[reference])
    soon = end <= came + ABANDONED_WITHIN_NS
    over = (end > 0) & soon
    unseen = (end == 0) | (~soon & blind.at(provider, came))
    waited = came - arrived >= _UNSEEN_GAP * attempt_timeout_ns
    served = joined.serving_attempt != NOBODY

    proved = _any(request, elsewhere & (over | (unseen & waited)), count) & served
    hedged = _any(request, (another & ~earlier) | (earlier & ~over & ~unseen), count) & ~proved
    ambiguous = _any(request, elsewhere & unseen & ~waited, count) & served & ~proved & ~hedged
    witnessed = _witnessed(columns, joined) & ~proved & ~hedged & ~ambiguous
    return Failovers(proved, witnessed, hedged, ambiguous)


def _references(joined: Attribution, of_several: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each request the attempt that served it, else its last one."""
    arrivals = joined.arrivals
    order = of_several[np.argsort(arrivals.arrived_ns[of_several], kind="stable")]
    reference = np.full(len(joined.serving), NOBODY, dtype=np.int64)
    reference[arrivals.request[order]] = order  # of equal indexes, the last assignment stays
    served = joined.serving_attempt != NOBODY
    reference[served] = joined.serving_attempt[served]
    return reference


def _any(request: NDArray[np.int64], which: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    found = np.zeros(count, dtype=np.bool_)
    found[request[which]] = True
    return found


def _witnessed(columns: Columns, joined: Attribution) -> NDArray[np.bool_]:
    last, first = columns.witness_provider, columns.witness_first
    confirmed: NDArray[np.bool_] = (joined.serving_attempt != NOBODY) & (last != NO_PROVIDER) & (joined.serving == last)
    more_than_recorded = columns.witness_attempts > np.maximum(joined.timely, 1)
    elsewhere_first: NDArray[np.bool_] = np.where(first != NO_PROVIDER, first != last, more_than_recorded)
    return confirmed & elsewhere_first
