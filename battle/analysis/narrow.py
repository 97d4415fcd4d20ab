"""Arrays over millions of requests that take no more memory than their values need."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from battle.analysis.pieces import slices

_CODES = 256
_RANGE = 8


class NarrowColumn:
    """A column being filled from its beginning, `room` values long at the most.

    While all values are equal it takes no memory at all; then it has the type `narrow`, until a value does not fit and
    it becomes int64.
    """

    def __init__(self, room: int, narrow: DTypeLike) -> None:
        self._room = room
        self._dtype: np.dtype[Any] = np.dtype(narrow)
        self._values: NDArray[Any] | None = None
        self._same: Any = None
        self._filled = 0

    def put(self, values: NDArray[Any]) -> None:
        """Append values."""
        if not len(values):
            return
        if not _fits(values, self._dtype):
            self._dtype = np.dtype(np.int64)
            if self._values is not None:
                wide = np.empty(self._room, self._dtype)
                wide[: self._filled] = self._values[: self._filled]
                self._values = wide
        if self._filled == 0:
            self._same = values[0]
        if self._values is None and not np.all(values == self._same):
            self._values = np.empty(self._room, self._dtype)
            self._values[: self._filled] = self._same
        if self._values is not None:
            self._values[self._filled : self._filled + len(values)] = values
        self._filled += len(values)

    def done(self) -> NDArray[Any]:
        """The values, read-only when all are equal."""
        if self._values is not None:
            return self._values[: self._filled]
        same = self._dtype.type(0 if self._same is None else self._same)
        return np.broadcast_to(same, (self._filled,))


class NarrowCounts:
    """How often each of `size` things was met, in the narrowest unsigned type that holds the counts."""

    def __init__(self, size: int) -> None:
        self.counts: NDArray[np.unsignedinteger[Any]] = np.zeros(size, np.uint8)

    def add(self, which: NDArray[np.integer[Any]]) -> None:
        """Count things by their indexes, in any order, any of them several times."""
        if not len(which):
            return
        low, high = int(which.min()), int(which.max())
        if high - low < _RANGE * len(which) + 1:
            place: Any = slice(low, high + 1)
            times = np.bincount(which - low)
        else:
            place, times = np.unique(which, return_counts=True)
        summed = self.counts[place] + times
        if not _fits(summed, self.counts.dtype):
            self.counts = self.counts.astype(np.uint32)
        self.counts[place] = summed


def counted(codes: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """How often each of the codes 0 … 255 occurs: bincount without its copy of everything as int64."""
    total = np.zeros(_CODES, np.int64)
    for part in slices(len(codes)):
        total += np.bincount(codes[part], minlength=_CODES)
    return total


def _fits(values: NDArray[Any], dtype: np.dtype[Any]) -> bool:
    if np.can_cast(values.dtype, dtype):
        return True
    limits = np.iinfo(dtype)
    return bool(values.min() >= limits.min and values.max() <= limits.max)
