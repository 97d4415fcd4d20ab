"""Where records come from: an array, or something that tells them a piece at a time.

Ten million records are 640 MB. What reads them goes from piece to piece and keeps only what it needs.
"""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

PIECE = 1 << 16
"""How many records are looked at together: 4 MB of them, which stays in a processor's cache."""

Records = NDArray[np.void]


class RecordSource(Protocol):
    """Records of one layout in a fixed order, told as often as they are asked for."""

    @property
    def room(self) -> int:
        """How many records there are at the most: those that were never written are only found when they are read."""
        ...

    def pieces(self, records: int = PIECE) -> Iterator[Records]:
        """All records, at most so many at once. A piece may only be used until the next one is taken."""
        ...


def room_of(records: Records | RecordSource) -> int:
    """How many records there are at the most."""
    return len(records) if isinstance(records, np.ndarray) else records.room


def pieces_of(records: Records | RecordSource, size: int = PIECE) -> Iterator[Records]:
    """All records, at most `size` at once."""
    if not isinstance(records, np.ndarray):
        yield from records.pieces(size)
        return
    for first in range(0, len(records), size):
        yield records[first : first + size]


def whole(records: Records | RecordSource, layout: np.dtype[np.void]) -> np.ndarray[Any, np.dtype[np.void]]:
    """All records in one array."""
    pieces = [piece.copy() for piece in pieces_of(records)]
    return np.concatenate(pieces) if pieces else np.zeros(0, layout)
