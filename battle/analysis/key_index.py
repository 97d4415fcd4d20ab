"""From keys to places: which request of the run has a key.

Keys are dense but for records that are missing, so that runs of keys without a hole say everything, and the join of
requests and attempts needs no sort.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NOBODY = -1


@dataclass(frozen=True, slots=True)
class KeyIndex:
    """`first` and `place`: each run's first key, and the place of that among `count` requests; both ascend."""

    first: NDArray[np.int64]
    place: NDArray[np.int64]
    count: int

    def __len__(self) -> int:
        return self.count

    def places_of(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The place of each key, NOBODY where no request has it."""
        if not self.count:
            return np.full(len(keys), NOBODY, np.int64)
        if len(self.first) == 1:
            places: NDArray[np.int64] = keys - self.first[0]
            places[(places < 0) | (places >= self.count)] = NOBODY
            return places
        run = np.searchsorted(self.first, keys, side="right") - 1
        places = self.place[run] + (keys - self.first[run])
        end = np.append(self.place[1:], self.count)[run]
        places[(run < 0) | (places >= end)] = NOBODY
        return places

    def keys(self) -> NDArray[np.int64]:
        """Every request's key, in order."""
        lengths = np.diff(np.append(self.place, self.count))
        return np.repeat(self.first - self.place, lengths) + np.arange(self.count)

    def missing(self, workers: int = 1) -> int:
        """How many keys no request has, between the first and the last of each worker, who count up in steps."""
        end = self.first + np.diff(np.append(self.place, self.count))
        given = 0
        for worker in range(workers):
            earliest = self.first + (worker - self.first) % workers
            latest = end - 1 - (end - 1 - worker) % workers
            holding = np.flatnonzero(earliest < end)
            if len(holding):
                given += int(latest[holding[-1]] - earliest[holding[0]]) // workers + 1
        return given - self.count


class KeyIndexBuilder:
    """Makes the index from keys in ascending order, piece by piece."""

    def __init__(self) -> None:
        self._first: list[NDArray[np.int64]] = []
        self._place: list[NDArray[np.int64]] = []
        self._count = 0
        self._last: int | None = None

    def put(self, keys: NDArray[np.int64]) -> None:
        """Append keys."""
        if not len(keys):
            return
        before = keys[0] - 2 if self._last is None else self._last
        begins = np.flatnonzero(np.diff(keys, prepend=before) != 1)
        self._first.append(keys[begins])
        self._place.append(begins + self._count)
        self._count += len(keys)
        self._last = int(keys[-1])

    def done(self) -> KeyIndex:
        """The index."""
        nothing = np.zeros(0, np.int64)
        return KeyIndex(np.concatenate([nothing, *self._first]), np.concatenate([nothing, *self._place]), self._count)
