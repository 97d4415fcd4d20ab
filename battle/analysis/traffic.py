"""Who was tried when: every attempt at a provider that is known, from the records or from the proxy's word.

A dead provider records nothing, so that its records fall silent at once whether or not the proxy has turned away. What
the proxy says it tried beyond the recorded arrivals fills that gap: dated to the start of its request, and given to the
provider that the proxy says it tried first, else to the only one that could record nothing meanwhile.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from battle.analysis.attribution import NOBODY, Attribution
from battle.analysis.blindness import Blindness
from battle.analysis.columns import Columns
from battle.core.records import NO_PROVIDER

TURNED_AWAY_SHARE = 0.1
QUIET_NS = 500_000_000
_QUIET_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """Attempts that only the proxy knows of: the index of the request, how many, and the provider (NOBODY: unknown).

    `named`: the proxy itself names the provider.
    """

    request: NDArray[np.int64]
    attempts: NDArray[np.int64]
    provider: NDArray[np.int16]
    named: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Traffic:
    """All known attempts in the order of time: instants in ns, and the provider of each."""

    at_ns: NDArray[np.int64]
    provider: NDArray[np.int16]

    def of(self, provider: int) -> NDArray[np.int64]:
        """The instants of the attempts at one provider."""
        own: NDArray[np.int64] = self.at_ns[self.provider == provider]
        return own

    def share(self, provider: int, from_ns: int, to_ns: int) -> float | None:
        """The provider's share of the attempts in [from, to); None when there were none."""
        first, last = np.searchsorted(self.at_ns, (from_ns, to_ns))
        if last <= first:
            return None
        return int(np.count_nonzero(self.provider[first:last] == provider)) / int(last - first)

    def quiet_from(self, provider: int, share: float, since_ns: int, until_ns: int) -> int | None:
        """The first instant in [since, until) from which the provider is turned away from; None when there is none.

        Turned away: in the span of max(500 ms, 10 expected attempts) behind the instant it gets less than 10 % of what
        is expected, `share` × all attempts. The candidates are `since` and the provider's own attempts, since the
        condition can only begin to hold there. A span that reaches beyond the last attempt proves nothing.
        """
        own = self.of(provider)
        candidates = np.concatenate(([since_ns], own[(own >= since_ns) & (own < until_ns)]))
        first = np.searchsorted(self.at_ns, candidates, side="right")
        enough = first + int(np.ceil(_QUIET_ATTEMPTS / share)) - 1
        known = enough < len(self.at_ns)
        candidates, first, enough = candidates[known], first[known], enough[known]
        stop = np.maximum(candidates + QUIET_NS, self.at_ns[enough])
        in_time = stop <= self.at_ns[-1] if len(stop) else np.zeros(0, dtype=np.bool_)
        expected = share * (np.searchsorted(self.at_ns, stop, side="right") - first)
        seen = np.searchsorted(own, stop, side="right") - np.searchsorted(own, candidates, side="right")
        quiet = np.flatnonzero(in_time & (seen < TURNED_AWAY_SHARE * expected))
        return int(candidates[quiet[0]]) if len(quiet) else None


def find_unrecorded(columns: Columns, joined: Attribution, blind: Blindness, keeps: NDArray[np.bool_]) -> Unrecorded:
    """Attempts that the proxy speaks of and no provider recorded. `keeps`: which providers keep records."""
    missing = columns.witness_attempts.astype(np.int64) - joined.timely
    if not np.all(keeps):  # attempts at the others are never recorded, so nothing is known of these
        missing[:] = 0
    request = np.flatnonzero(missing > 0)
    first = columns.witness_first[request].astype(np.int16)
    named = (first != NO_PROVIDER) & ~_recorded_at_first(columns, joined)[request]
    provider = np.full(len(request), NOBODY, dtype=np.int16)
    candidates = np.zeros(len(request), dtype=np.int64)
    for number in sorted({number for number, _, _ in blind.spans}):
        met = np.zeros(len(request), dtype=np.bool_)
        for start, stop in (span[1:] for span in blind.spans if span[0] == number):
            met |= (columns.finished_ns[request] >= start) & (columns.started_ns[request] < stop)
        provider[met] = number
        candidates += met
    provider[candidates > 1] = NOBODY
    provider[named] = first[named]
    return Unrecorded(request, missing[request], provider, named)


def _recorded_at_first(columns: Columns, joined: Attribution) -> NDArray[np.bool_]:
    """Requests of which the provider that the proxy says it tried first has a record."""
    found = np.zeros(len(columns), dtype=np.bool_)
    timely = np.flatnonzero(joined.arrivals.timely)
    request = joined.arrivals.request[timely]
    found[request[joined.arrivals.provider[timely] == columns.witness_first[request]]] = True
    return found


def find_traffic(columns: Columns, joined: Attribution, unrecorded: Unrecorded, keeps: NDArray[np.bool_]) -> Traffic:
    """All known attempts. Where a provider keeps no records, each answer of it counts as one."""
    timely = joined.arrivals.timely
    silent = np.flatnonzero((joined.serving != NOBODY) & (joined.serving_attempt == NOBODY) & (not np.all(keeps)))
    at = np.concatenate(
        (
            joined.arrivals.arrived_ns[timely],
            np.repeat(columns.started_ns[unrecorded.request], unrecorded.attempts),
            columns.started_ns[silent],
        )
    )
    provider = np.concatenate(
        (
            joined.arrivals.provider[timely].astype(np.int16),
            np.repeat(unrecorded.provider, unrecorded.attempts),
            joined.serving[silent],
        )
    )
    order = np.argsort(at, kind="stable")
    return Traffic(at[order], provider[order])
