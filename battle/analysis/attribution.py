"""Who served what: the join of the requests with the providers' records of their arrivals.

Keys are dense, so that the join is an index and no sort. The records are gone through twice: to count the arrivals of
each request, and to find who served it. Most requests arrive once, and are decided as they go by; only arrivals of
requests that have several are kept for a while. All arrays over requests have shape (n,).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from battle.analysis.arrivals import Arrivals, Kept, Records
from battle.analysis.columns import Columns
from battle.analysis.key_index import NOBODY
from battle.analysis.narrow import NarrowCounts
from battle.analysis.pieces import slices
from battle.analysis.received import Received
from battle.core.record_source import room_of
from battle.core.records import NO_PROVIDER, KeySource, Outcome
from battle.core.scenario import Scenario


class JoinedBy(IntEnum):
    """How the serving provider is known; the first four are where the provider found the key."""

    NONE = KeySource.NONE
    ID = KeySource.ID
    HEADER = KeySource.HEADER
    PARAM = KeySource.PARAM
    WITNESS = 4
    DIRECT = 5  # there is no proxy, so it can be no other


@dataclass(frozen=True, slots=True)
class Attribution:
    """What the join found, for each request.

    `serving`: the provider whose answer reached the client, NOBODY when it is not known; `by_record`: its own record
    says so, and not only the witness. `by_proxy`: the proxy answered itself. `disagrees`: the witness names another
    server than the records. `held`: arrivals that were in a provider's hands when it
    went, some of them more than once.
    """

    received: Received
    serving: NDArray[np.int16]
    by_record: NDArray[np.bool_]
    joined_by: NDArray[np.uint8]
    by_proxy: NDArray[np.bool_]
    disagrees: NDArray[np.bool_]
    held: Arrivals

    def joined_share(self, columns: Columns, mask: NDArray[np.bool_]) -> float | None:
        """Ok answers whose serving provider is known ÷ ok answers of providers; None when there were none."""
        answers = mask & columns.ok & ~self.by_proxy
        total = int(np.count_nonzero(answers))
        return int(np.count_nonzero(answers & (self.serving != NOBODY))) / total if total else None


@dataclass(frozen=True, slots=True)
class Contested:
    """The arrivals of requests that have several, and for each request which of these served it (NOBODY: none)."""

    arrivals: Arrivals
    served: NDArray[np.int32]


def attribute(scenario: Scenario, records: Records, received: Received) -> tuple[Attribution, Contested]:
    """Join requests and attempts, and find who served each request."""
    columns = records.columns
    count = len(columns)
    serving = np.full(count, NOBODY, dtype=np.int16)
    joined_by = np.zeros(count, dtype=np.uint8)
    by_record = np.zeros(count, dtype=np.bool_)

    def serve(arrivals: Arrivals, which: NDArray[np.integer[Any]]) -> None:
        request = arrivals.request[which]
        serving[request] = arrivals.provider[which]
        joined_by[request] = arrivals.key_source[which]
        by_record[request] = True

    several = Kept(int(received.keyed[received.keyed > 1].sum(dtype=np.int64)))
    held = Kept(room_of(records.attempts) * len(records.blind.spans))
    for _, arrivals in records:
        keyed = arrivals.keyed
        some = arrivals if np.all(keyed) else arrivals.part(keyed)
        alone = received.keyed[some.request] == 1
        several.put(some, ~alone)
        for span in records.blind.spans:
            held.put(some, some.in_hands(*span))
        serve(some, np.flatnonzero(alone & _possible(columns, some)))
    contested = _decide(columns, several.done())
    serve(contested.arrivals, contested.served[contested.served != NOBODY])

    keeps = _keeps_records(scenario)
    witness = columns.witness_provider
    named = np.zeros(count, dtype=np.bool_) if not len(keeps) else witness < len(keeps)
    answered = _answered(columns)
    if not np.all(keeps):
        silent = answered & ~by_record & named
        silent[silent] = ~keeps[witness[silent]]
        serving[silent] = witness[silent]
        joined_by[silent] = JoinedBy.WITNESS
        if scenario.setup.proxy.kind == "none" and not keeps[0]:
            direct = answered & (serving == NOBODY)
            serving[direct] = 0
            joined_by[direct] = JoinedBy.DIRECT

    by_proxy = _answered_by_proxy(columns, keeps, answered & (serving == NOBODY), received.keyed)
    disagrees = _disagreements(columns, keeps, named, serving)
    found = Attribution(received, serving, by_record, joined_by, by_proxy, disagrees, held.done())
    return found, contested


def _answered(columns: Columns) -> NDArray[np.bool_]:
    """Requests to which an answer came, ok or not."""
    return columns.ok | (columns.failed & (columns.status > 0))


def _possible(columns: Columns, arrivals: Arrivals) -> NDArray[np.bool_]:
    """Which of these keyed arrivals have an answer that can have reached the client.

    It was given before the client's end, with the status that it saw. An answer that failed was the proxy's own when no
    provider gave its status; of an ok answer the status may have been changed on the way.
    """
    request, answered = arrivals.request, arrivals.answered_ns
    outcome = columns.outcome[request]
    ok, failed = outcome == Outcome.OK, outcome == Outcome.FAILED
    possible: NDArray[np.bool_] = (
        (answered > 0)
        & (ok | (failed & (arrivals.status == columns.status[request]) & (arrivals.status > 0)))
        & (answered <= columns.ended_at(request))
        & (arrivals.end_ns == answered)
    )
    return possible


def _decide(columns: Columns, arrivals: Arrivals) -> Contested:
    """Of several answers that can have served a request, the one that the witness names, else the last."""
    possible = np.zeros(len(arrivals), np.bool_)
    counts = NarrowCounts(len(columns))
    served = np.full(len(columns), NOBODY, dtype=np.int32)
    for place in slices(len(arrivals), columns.piece):
        some = arrivals.part(place)
        possible[place] = _possible(columns, some)
        chosen = np.flatnonzero(possible[place])
        counts.add(some.request[chosen])
        served[some.request[chosen]] = place.start + chosen
    candidates = np.flatnonzero(possible)
    candidates = candidates[counts.counts[arrivals.request[candidates]] > 1]
    request = arrivals.request[candidates]
    witnessed = arrivals.provider[candidates] == columns.witness_provider[request]
    same_status = arrivals.status[candidates] == columns.status[request]
    order = np.lexsort((arrivals.answered_ns[candidates], witnessed, same_status, request))
    served[request[order]] = candidates[order]  # of equal indexes, the last assignment stays
    return Contested(arrivals, served)


def _answered_by_proxy(
    columns: Columns, keeps: NDArray[np.bool_], unserved: NDArray[np.bool_], recorded: NDArray[np.unsignedinteger]
) -> NDArray[np.bool_]:
    """Answers of the proxy itself: no provider recorded or gave them, and the witness, which does speak, names none.

    A failed answer needs no witness: every provider keeps records, and none of them gave that status.
    """
    if not len(keeps):
        return np.zeros(len(columns), dtype=np.bool_)
    unnamed = columns.witness_provider == NO_PROVIDER
    speaks = bool(np.any(~unnamed & columns.ok))
    ok_ones: NDArray[np.bool_] = unserved & columns.ok & (recorded == 0) & unnamed & speaks
    failed: NDArray[np.bool_] = unserved & columns.failed & bool(np.all(keeps))
    return ok_ones | failed


def _disagreements(
    columns: Columns, keeps: NDArray[np.bool_], named: NDArray[np.bool_], serving: NDArray[np.int16]
) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = columns.ok & named & (serving != columns.witness_provider)
    if not np.all(keeps):
        found[found] = keeps[columns.witness_provider[found]]
    return found


def _keeps_records(scenario: Scenario) -> NDArray[np.bool_]:
    return np.array([provider.keeps_records for provider in scenario.setup.providers.values()], dtype=np.bool_)
