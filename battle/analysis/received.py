"""What reached the providers: the arrivals of each request and of each provider, counted as they go by."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from battle.analysis.arrivals import Arrivals, Records
from battle.analysis.columns import Columns
from battle.analysis.narrow import NarrowCounts
from battle.analysis.windows import Span
from battle.core.records import NO_PROVIDER, Attempts

_CODES = 256
_SERVER_ERROR = 500
_FAULT_TYPES = ((8, np.uint8), (16, np.uint16), (32, np.uint32))


@dataclass(frozen=True, slots=True)
class Received:
    """How many arrivals there were.

    Of each request, shape (n,): `keyed` are all of them, `timely` those that did not come late, `executed` those that
    were carried out of requests marked `write: true`; `faults` has bit i when the fault with number i met one;
    `at_first` says that the provider that the proxy tried first, by its word, has a timely record. Of requests in the
    run: `attempts` and `failed` by provider, shape (256,), and those that came `late`. `without_key` are of no request.
    """

    keyed: NDArray[np.unsignedinteger[Any]]
    timely: NDArray[np.unsignedinteger[Any]]
    executed: NDArray[np.unsignedinteger[Any]]
    faults: NDArray[np.unsignedinteger[Any]]
    at_first: NDArray[np.bool_]
    attempts: NDArray[np.int64]
    failed: NDArray[np.int64]
    late: int
    without_key: int


@dataclass
class _Counting:
    """The counts of one run while its records go by. `spans` are those of the whole run."""

    columns: Columns
    spans: tuple[Span, ...]
    writes: NDArray[np.bool_]
    faults: NDArray[np.unsignedinteger[Any]]
    tells_first: bool = False
    without_key: int = 0
    late: int = 0
    attempts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(_CODES, np.int64))
    failed: NDArray[np.int64] = field(default_factory=lambda: np.zeros(_CODES, np.int64))

    def __post_init__(self) -> None:
        count = len(self.columns)
        self.keyed, self.timely, self.executed = (NarrowCounts(count) for _ in range(3))
        self.tells_first = bool(np.any(self.columns.witness_first != NO_PROVIDER))
        self.at_first = np.zeros(count, np.bool_)

    def add(self, records: Attempts, arrivals: Arrivals) -> None:
        keyed = arrivals.keyed
        self.without_key += len(keyed) - int(np.count_nonzero(keyed))
        if not np.all(keyed):
            records, arrivals = records[keyed], arrivals.part(keyed)
        request, on_time = arrivals.request, ~arrivals.late
        self.keyed.add(request)
        self.timely.add(request[on_time])
        self.executed.add(request[(records["executed"] > 0) & self.writes[self.columns.template[request]]])
        met = np.flatnonzero(records["faults"])
        if len(met) and len(self.faults):
            np.bitwise_or.at(self.faults, request[met], records["faults"][met].astype(self.faults.dtype))
        if self.tells_first:
            first = on_time & (arrivals.provider == self.columns.witness_first[request])
            self.at_first[request[first]] = True
        self._count_in_run(records, arrivals)

    def _count_in_run(self, records: Attempts, arrivals: Arrivals) -> None:
        scheduled = self.columns.scheduled_ns[arrivals.request]
        inside = np.zeros(len(scheduled), np.bool_)
        for start, stop in self.spans:
            inside |= (scheduled >= start) & (scheduled < stop)
        bad = (arrivals.answered_ns == 0) | (arrivals.status >= _SERVER_ERROR) | (records["rpc_code"] < 0)
        self.attempts += np.bincount(arrivals.provider[inside], minlength=_CODES)
        self.failed += np.bincount(arrivals.provider[inside & bad], minlength=_CODES)
        self.late += int(np.count_nonzero(inside & arrivals.late))


def count_received(records: Records, spans: tuple[Span, ...], writes: list[bool], faults: int) -> Received:
    """Count all arrivals. `writes` says which templates are marked so, `faults` how many the scenario has."""
    columns = records.columns
    by_template = np.zeros(1 << 16, np.bool_)
    by_template[: len(writes)] = writes
    dtype = next((narrow for bits, narrow in _FAULT_TYPES if faults <= bits), np.uint32)
    counting = _Counting(columns, spans, by_template, np.zeros(len(columns) if faults else 0, dtype))
    for piece, arrivals in records:
        counting.add(piece, arrivals)
    return Received(
        counting.keyed.counts,
        counting.timely.counts,
        counting.executed.counts,
        counting.faults,
        counting.at_first,
        counting.attempts,
        counting.failed,
        counting.late,
        counting.without_key,
    )
