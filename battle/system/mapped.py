"""Reading files of fixed-size records, also while they are written (see mapped_writer.py)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from battle.core.record_source import PIECE
from battle.core.records import RECORD_BYTES
from battle.errors import EvidenceError
from battle.system.mapped_writer import HEADER, HEADER_BYTES, MAGIC, MappedWriter

__all__ = ["MappedReader", "MappedWriter"]


class MappedReader:
    """A record file being read, also while it is written. Cheap to call often: only new pages are read."""

    def __init__(self, path: Path, layout: np.dtype[np.void]) -> None:
        self._path = path
        self._layout = layout

    def header(self) -> tuple[int, int]:
        """The key base, and the number of records that found no space. Raises EvidenceError."""
        with self._path.open("rb") as file:
            head = file.read(HEADER.size)
        if len(head) < HEADER.size or not head.startswith(MAGIC):
            raise EvidenceError(f"{self._path} is not a record file of this version")
        _, key_base, lost = HEADER.unpack(head)
        return key_base, lost

    def read(self, first: int = 0, count: int = -1) -> NDArray[np.void]:
        """Records from number `first`, `count` of them (all when −1), as allocated: unwritten ones are zeros."""
        if not self._path.exists():
            return np.zeros(0, self._layout)
        records: NDArray[np.void] = np.fromfile(
            self._path, self._layout, count, offset=HEADER_BYTES + first * RECORD_BYTES
        )
        return records

    def pieces(self, stamp: str, records: int = PIECE) -> Iterator[NDArray[np.void]]:
        """The records whose field `stamp` is not zero, as they were allocated at most so many at once."""
        first = 0
        while len(piece := self.read(first, records)):
            yield piece if np.all(piece[stamp]) else piece[piece[stamp] != 0]
            first += len(piece)

    def allocated(self) -> int:
        """For how many records there is space in the file."""
        return max(0, self._path.stat().st_size - HEADER_BYTES) // RECORD_BYTES if self._path.exists() else 0

    def written(self, stamp: str) -> NDArray[np.void]:
        """All records whose field `stamp` is not zero, copied: the rest of the last chunk is left out."""
        records = self.read()
        chosen: NDArray[np.void] = records[records[stamp] != 0]
        return chosen
