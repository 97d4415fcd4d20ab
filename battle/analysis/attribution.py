"""Who served what: the join of the requests with the providers' records of their arrivals.

Keys are dense, so that the join is an index and no sort; only what has several attempts is sorted. All arrays over
requests have shape (n,), those over attempts shape (m,).
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from battle.analysis.blindness import Blindness
from battle.analysis.columns import Columns
from battle.core.records import NO_PROVIDER, Attempts, KeySource, Outcome
from battle.core.scenario import Scenario

ABANDONED_WITHIN_NS = 50_000_000
"""An attempt that ends this soon after the next one came counts as abandoned when it came."""
_WAKING_NS = 1_000_000_000
NOBODY = -1


class JoinedBy(IntEnum):
    """How the serving provider is known; the first four are where the provider found the key."""

    NONE = KeySource.NONE
    ID = KeySource.ID
    HEADER = KeySource.HEADER
    PARAM = KeySource.PARAM
    WITNESS = 4
    DIRECT = 5  # there is no proxy, so it can be no other


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The attempts as columns. `request` is the index of each one's request, NOBODY when it has none in this run.

    `end_ns`: answered or closed by the peer, else the end of its process; 0 when nothing of that was seen. `late`
    arrivals sat in the socket of a stopped process and were read after the peer had gone.
    """

    request: NDArray[np.int64]
    provider: NDArray[np.uint8]
    arrived_ns: NDArray[np.int64]
    answered_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    faults: NDArray[np.uint32]
    status: NDArray[np.uint16]
    rpc_code: NDArray[np.int32]
    key_source: NDArray[np.uint8]
    executed: NDArray[np.uint8]
    late: NDArray[np.bool_]

    @property
    def keyed(self) -> NDArray[np.bool_]:
        """Arrivals that belong to a request of this run."""
        return np.not_equal(self.request, NOBODY)

    @property
    def timely(self) -> NDArray[np.bool_]:
        """Keyed arrivals whose instant is when they came."""
        return self.keyed & ~self.late


@dataclass(frozen=True, slots=True)
class Attribution:
    """What the join found, for each request.

    `serving`: the provider whose answer reached the client, NOBODY when it is not known; `serving_attempt`: the index
    of its record, NOBODY when only the witness names it. `recorded` and `timely`: how many keyed arrivals there were,
    all and without the late ones. `by_proxy`: the proxy answered itself. `disagrees`: the witness names another server
    than the records.
    """

    arrivals: Arrivals
    serving: NDArray[np.int16]
    serving_attempt: NDArray[np.int64]
    joined_by: NDArray[np.uint8]
    recorded: NDArray[np.int64]
    timely: NDArray[np.int64]
    by_proxy: NDArray[np.bool_]
    disagrees: NDArray[np.bool_]

    def joined_share(self, columns: Columns, mask: NDArray[np.bool_]) -> float | None:
        """Ok answers whose serving provider is known ÷ ok answers of providers; None when there were none."""
        answers = mask & columns.ok & ~self.by_proxy
        total = int(np.count_nonzero(answers))
        return int(np.count_nonzero(answers & (self.serving != NOBODY))) / total if total else None


def attribute(scenario: Scenario, columns: Columns, attempts: Attempts, blind: Blindness) -> Attribution:
    """Join requests and attempts, and find who served each request."""
    arrivals = _arrivals(columns, attempts, blind)
    count = len(columns)
    serving_attempt = _serving_attempts(columns, arrivals)
    by_record = serving_attempt != NOBODY
    serving = np.full(count, NOBODY, dtype=np.int16)
    serving[by_record] = arrivals.provider[serving_attempt[by_record]]
    joined_by = np.zeros(count, dtype=np.uint8)
    joined_by[by_record] = arrivals.key_source[serving_attempt[by_record]]
    recorded = np.bincount(arrivals.request[arrivals.keyed], minlength=count)
    timely = np.bincount(arrivals.request[arrivals.timely], minlength=count)

    keeps = _keeps_records(scenario)
    witness = columns.witness_provider
    named = np.zeros(count, dtype=np.bool_) if not len(keeps) else witness < len(keeps)
    answered = _answered(columns)
    silent = answered & ~by_record & named
    silent[silent] = ~keeps[witness[silent]]
    serving[silent] = witness[silent]
    joined_by[silent] = JoinedBy.WITNESS
    if scenario.setup.proxy.kind == "none" and len(keeps) and not keeps[0]:
        direct = answered & (serving == NOBODY)
        serving[direct] = 0
        joined_by[direct] = JoinedBy.DIRECT

    return Attribution(
        arrivals,
        serving,
        serving_attempt,
        joined_by,
        recorded,
        timely,
        _answered_by_proxy(columns, keeps, answered & (serving == NOBODY), recorded),
        _disagreements(columns, keeps, named, serving),
    )


def _arrivals(columns: Columns, attempts: Attempts, blind: Blindness) -> Arrivals:
    request = _requests_of(columns, attempts["key"].astype(np.int64))
    provider = np.ascontiguousarray(attempts["provider"])
    arrived, answered = np.ascontiguousarray(attempts["arrived_ns"]), np.ascontiguousarray(attempts["answered_ns"])
    closed = np.ascontiguousarray(attempts["closed_ns"])
    end = np.where((answered > 0) & (closed > 0), np.minimum(answered, closed), np.maximum(answered, closed))
    unended = np.flatnonzero(end == 0)
    end[unended] = blind.incarnation_end_ns[provider[unended], attempts["incarnation"][unended]]

    late = np.zeros(len(arrived), dtype=np.bool_)
    keyed = np.flatnonzero(request != NOBODY)
    client_end = columns.ended_ns[request[keyed]]
    waking = blind.just_after(provider[keyed], arrived[keyed], _WAKING_NS)
    gone = (closed[keyed] > 0) & (closed[keyed] - arrived[keyed] <= ABANDONED_WITHIN_NS)
    late[keyed] = ((client_end > 0) & (arrived[keyed] > client_end)) | (waking & gone)
    return Arrivals(
        request,
        provider,
        arrived,
        answered,
        end,
        np.ascontiguousarray(attempts["faults"]),
        np.ascontiguousarray(attempts["status"]),
        np.ascontiguousarray(attempts["rpc_code"]),
        np.ascontiguousarray(attempts["key_source"]),
        np.ascontiguousarray(attempts["executed"]),
        late,
    )


def _requests_of(columns: Columns, keys: NDArray[np.int64]) -> NDArray[np.int64]:
    count = len(columns)
    if not count:
        return np.full(len(keys), NOBODY, dtype=np.int64)
    first, last = int(columns.key[0]), int(columns.key[-1])
    if last - first + 1 == count:
        index = keys - first
        index[(index < 0) | (index >= count)] = NOBODY
        return index
    index = np.searchsorted(columns.key, keys)
    index[index == count] = 0
    index[columns.key[index] != keys] = NOBODY
    return index


def _answered(columns: Columns) -> NDArray[np.bool_]:
    """Requests to which an answer came, ok or not."""
    failed: NDArray[np.bool_] = columns.outcome == Outcome.FAILED
    return columns.ok | (failed & (columns.status > 0))


def _serving_attempts(columns: Columns, arrivals: Arrivals) -> NDArray[np.int64]:
    """The attempt whose answer reached the client: answered before the client's end, with the status that it saw.

    Of several, the one the witness names, else the last. An answer that failed was the proxy's own when no provider
    gave its status; of an ok answer the status may have been changed on the way.
    """
    candidates = np.flatnonzero(arrivals.keyed & (arrivals.answered_ns > 0))
    request = arrivals.request[candidates]
    same_status = arrivals.status[candidates] == columns.status[request]
    possible = (
        _answered(columns)[request]
        & (arrivals.answered_ns[candidates] <= columns.ended_ns[request])
        & (arrivals.end_ns[candidates] == arrivals.answered_ns[candidates])
        & (same_status | columns.ok[request])
    )
    candidates, request, same_status = candidates[possible], request[possible], same_status[possible]
    several = np.bincount(request, minlength=len(columns))[request] > 1
    found = np.full(len(columns), NOBODY, dtype=np.int64)
    found[request[~several]] = candidates[~several]
    candidates, request, same_status = candidates[several], request[several], same_status[several]
    witnessed = arrivals.provider[candidates] == columns.witness_provider[request]
    order = np.lexsort((arrivals.answered_ns[candidates], witnessed, same_status, request))
    request, candidates = request[order], candidates[order]
    last = np.flatnonzero(np.append(request[1:] != request[:-1], np.ones(min(1, len(request)), dtype=np.bool_)))
    found[request[last]] = candidates[last]
    return found


def _answered_by_proxy(
    columns: Columns, keeps: NDArray[np.bool_], unserved: NDArray[np.bool_], recorded: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Answers of the proxy itself: no provider recorded or gave them, and the witness, which does speak, names none.

    A failed answer needs no witness: every provider keeps records, and none of them gave that status.
    """
    if not len(keeps):
        return np.zeros(len(columns), dtype=np.bool_)
    unnamed = columns.witness_provider == NO_PROVIDER
    speaks = bool(np.any(~unnamed & columns.ok))
    ok_ones: NDArray[np.bool_] = unserved & columns.ok & (recorded == 0) & unnamed & speaks
    failed: NDArray[np.bool_] = unserved & (columns.outcome == Outcome.FAILED) & bool(np.all(keeps))
    return ok_ones | failed


def _disagreements(
    columns: Columns, keeps: NDArray[np.bool_], named: NDArray[np.bool_], serving: NDArray[np.int16]
) -> NDArray[np.bool_]:
    found = columns.ok & named
    witness = columns.witness_provider[found]
    found[found] = keeps[witness] & (serving[found] != witness)
    return found


def _keeps_records(scenario: Scenario) -> NDArray[np.bool_]:
    return np.array([provider.keeps_records for provider in scenario.setup.providers.values()], dtype=np.bool_)
