"""Requests in the order in which their fate became known."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from battle.analysis.columns import Columns
from battle.analysis.statistics import Mask
from battle.core.records import REQUEST_MEMBER, Outcome

_TIMED, _OK = 1, 2
_BATCHES = 32


@dataclass(frozen=True, slots=True)
class Ends:
    """The ends of ok, failed and dropped requests by time, those of one instant in the order of keys; shape (n,).

    `took_ns`: response times, where there is one: of a batch, at its first call.
    """

    at_ns: NDArray[np.int64]
    took_ns: NDArray[np.signedinteger]
    marks: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.at_ns)

    def ok(self, place: slice) -> Mask:
        """Which of a slice were ok."""
        return (self.marks[place] & _OK) > 0

    def slow(self, place: slice, limit_ns: float | None) -> Mask:
        """Which of a slice took longer than a limit; none when there is none."""
        if limit_ns is None:
            return np.zeros(len(self.marks[place]), np.bool_)
        return self.timed(place) & (self.took_ns[place] > limit_ns)

    def timed(self, place: slice) -> Mask:
        """Which of a slice have a response time."""
        return (self.marks[place] & _TIMED) > 0


def find_ends(columns: Columns, mask: Mask, batches: int = _BATCHES) -> Ends:
    """The ends of the requests in `mask`.

    Put in order batch by batch, each a stretch of time, since the order of ten million at once is as large as they are.
    """
    chosen = mask & columns.judged
    count = int(np.count_nonzero(chosen))
    batch = np.full(len(columns), batches, np.uint8)
    first, last = _reach(columns, chosen)
    for place, part in columns.parts():
        batch[place] = np.where(chosen[place], (part.finished_ns - first) * batches // (last - first + 1), batches)
    at, took = np.empty(count, np.int64), np.empty(count, columns.took_ns.dtype)
    marks = np.empty(count, np.uint8)
    filled = 0
    for number in range(batches):
        which = np.flatnonzero(batch == number)
        finished = columns.scheduled_ns[which] + columns.took_ns[which]
        order = np.argsort(finished, kind="stable")
        which, place = which[order], slice(filled, filled + len(which))
        at[place], took[place] = finished[order], columns.took_ns[which]
        ok = columns.outcome[which] == Outcome.OK
        ended = (ok | (columns.outcome[which] == Outcome.FAILED)) & columns.has_end[which]
        timed = ended & np.equal(columns.flags[which] & REQUEST_MEMBER, 0)
        marks[place] = _OK * ok + _TIMED * timed
        filled += len(which)
    return Ends(at, took, marks)


def _reach(columns: Columns, chosen: Mask) -> tuple[int, int]:
    """The first and the last end; the first is behind the last when there is none."""
    first, last = np.iinfo(np.int64).max, 0
    for place, part in columns.parts():
        finished = part.finished_ns[chosen[place]]
        first, last = min(first, finished.min(initial=first)), max(last, finished.max(initial=last))
    return int(first), int(last)
