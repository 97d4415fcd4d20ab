"""Counts of a run while it goes on, read from the record files that workers and providers write.

Nothing is asked of the processes themselves, so that looking does not disturb them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from battle.core.records import ATTEMPT, REQUEST, Outcome, Requests
from battle.core.units import NS_PER_S
from battle.system.mapped import MappedReader

_BLOCK = 1 << 15


@dataclass(frozen=True)
class Counts:
    """Calls by outcome, after the warm-up too; `recent` are those that ended or were dropped in the last second.

    `in_flight` counts gaps in the records: calls that began before others that have ended.
    """

    ok: int
    failed: int
    dropped: int
    in_flight: int
    recent: Requests


class RequestTally:
    """Follows the record file of a worker."""

    def __init__(self, path: Path) -> None:
        self._reader = MappedReader(path, REQUEST)
        self._first = 0
        self._totals = np.zeros(8, np.int64)
        self._tail = np.zeros(0, REQUEST)

    def look(self, now_ns: int) -> Counts:
        """The counts now."""
        while True:
            seen = self._reader.read(self._first, _BLOCK)
            if len(seen) < _BLOCK or (seen["outcome"] == Outcome.UNFINISHED).any():
                break
            self._totals += np.bincount(seen["outcome"], minlength=8)
            self._tail = np.concatenate([self._tail, seen])
            self._first += _BLOCK
        if len(seen) == _BLOCK:  # what waits in this block holds up its count, not the sight of what came after it
            seen = self._reader.read(self._first)
        whole = np.concatenate([self._tail, seen]) if len(self._tail) else seen
        totals = self._totals + np.bincount(seen["outcome"], minlength=8)
        recent = whole[(whole["outcome"] != Outcome.UNFINISHED) & (_instant(whole) > now_ns - NS_PER_S)]
        self._tail = self._tail[_instant(self._tail) > now_ns - 2 * NS_PER_S]
        written = np.flatnonzero(seen["key"])
        gaps = int(written[-1]) + 1 - len(written) if len(written) else 0
        ok, failed, dropped = (int(totals[one]) for one in (Outcome.OK, Outcome.FAILED, Outcome.DROPPED))
        return Counts(ok, failed, dropped, gaps, recent)


class RequestTallies:
    """Follows the record files of all workers."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._tallies = [RequestTally(path) for path in paths]

    def look(self, now_ns: int) -> Counts:
        """The counts of all of them now."""
        counts = [tally.look(now_ns) for tally in self._tallies]
        if len(counts) == 1:
            return counts[0]
        recent = np.concatenate([one.recent for one in counts])
        return Counts(
            ok=sum(one.ok for one in counts),
            failed=sum(one.failed for one in counts),
            dropped=sum(one.dropped for one in counts),
            in_flight=sum(one.in_flight for one in counts),
            recent=recent[np.argsort(recent["key"])],
        )


def _instant(records: Requests) -> NDArray[np.int64]:
    """When each request ended or was dropped."""
    instant: NDArray[np.int64] = np.where(
        records["outcome"] == Outcome.DROPPED, records["scheduled_ns"], records["ended_ns"]
    )
    return instant


class AttemptTally:
    """Follows the record files of the providers: how many keyed arrivals each had in the last second."""

    def __init__(self) -> None:
        self._firsts: dict[Path, int] = {}

    def look(self, files: dict[str, list[Path]], now_ns: int) -> dict[str, int]:
        """Arrivals of the last second, by provider; `files` are each provider's record files so far."""
        return {name: sum(self._recent(path, now_ns) for path in paths[-2:]) for name, paths in files.items()}

    def _recent(self, path: Path, now_ns: int) -> int:
        """Arrivals are written in order, so whole blocks that are too old are never read again."""
        reader = MappedReader(path, ATTEMPT)
        first = self._firsts.get(path, 0)
        count = 0
        while len(block := reader.read(first, _BLOCK)):
            recent = int((block["arrived_ns"] > now_ns - NS_PER_S).sum())
            count += recent
            if (block["arrived_ns"] == 0).any() or len(block) < _BLOCK:
                break
            first += _BLOCK
            if recent == 0:
                self._firsts[path] = first
        return count
