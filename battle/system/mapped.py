"""Files of fixed-size records, written through memory maps so that they survive the SIGKILL of their writer.

Space is allocated ahead, a chunk at a time, with posix_fallocate: on a full disk that fails as an OSError, where a
sparse mapping would die of SIGBUS. The file is a page of header, then chunks of records; a record of zeros was never
written.
"""

import mmap
import os
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from battle.core.records import RECORD_BYTES
from battle.errors import EvidenceError

_MAGIC = b"battle-records-1"
_HEADER = struct.Struct("<16sQQ")  # magic, key base, records that found no space
_HEADER_BYTES = mmap.ALLOCATIONGRANULARITY
CHUNK_RECORDS = 1 << 14
_CHUNK_BYTES = CHUNK_RECORDS * RECORD_BYTES


def _allocate(descriptor: int, offset: int, length: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, offset, length)
        return
    block = bytes(1 << 16)  # macOS has no posix_fallocate: real zeros take the space as surely
    for position in range(offset, offset + length, len(block)):
        os.pwrite(descriptor, block[: offset + length - position], position)


class MappedWriter:
    """A record file being written. One writer a file.

    `place(index)` gives the chunk and the offset at which a record of RECORD_BYTES may be packed. Raises OSError when
    there is no space for it; `lose()` counts such records in the header, so that the reader knows of them.
    """

    def __init__(self, path: Path, key_base: int = 0) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        self._chunks: list[mmap.mmap] = []
        self._key_base = key_base
        self.lost = 0
        _allocate(self._descriptor, 0, _HEADER_BYTES)
        self._header = mmap.mmap(self._descriptor, _HEADER_BYTES)
        _HEADER.pack_into(self._header, 0, _MAGIC, key_base, 0)
        self._grow()

    def _grow(self) -> None:
        offset = _HEADER_BYTES + len(self._chunks) * _CHUNK_BYTES
        _allocate(self._descriptor, offset, _CHUNK_BYTES)
        self._chunks.append(mmap.mmap(self._descriptor, _CHUNK_BYTES, offset=offset))

    def place(self, index: int) -> tuple[mmap.mmap, int]:
        """The map and the byte offset of record number `index`; the file grows when needed."""
        chunk, inside = divmod(index, CHUNK_RECORDS)
        while chunk >= len(self._chunks):
            self._grow()
        return self._chunks[chunk], inside * RECORD_BYTES

    def lose(self) -> None:
        """Count a record that found no space."""
        self.lost += 1
        _HEADER.pack_into(self._header, 0, _MAGIC, self._key_base, self.lost)

    def close(self) -> None:
        """Unmap and close; what was written stays."""
        for part in (*self._chunks, self._header):
            part.close()
        os.close(self._descriptor)


class MappedReader:
    """A record file being read, also while it is written. Cheap to call often: only new pages are read."""

    def __init__(self, path: Path, layout: np.dtype[np.void]) -> None:
        self._path = path
        self._layout = layout

    def header(self) -> tuple[int, int]:
        """The key base, and the number of records that found no space. Raises EvidenceError."""
        with self._path.open("rb") as file:
            head = file.read(_HEADER.size)
        if len(head) < _HEADER.size or not head.startswith(_MAGIC):
            raise EvidenceError(f"{self._path} is not a record file of this version")
        _, key_base, lost = _HEADER.unpack(head)
        return key_base, lost

    def read(self, first: int = 0, count: int = -1) -> NDArray[np.void]:
        """Records from number `first`, `count` of them (all when −1), as allocated: unwritten ones are zeros."""
        if not self._path.exists():
            return np.zeros(0, self._layout)
        records: NDArray[np.void] = np.fromfile(
            self._path, self._layout, count, offset=_HEADER_BYTES + first * RECORD_BYTES
        )
        return records

    def written(self, stamp: str) -> NDArray[np.void]:
        """All records whose field `stamp` is not zero, copied: the rest of the last chunk is left out."""
        records = self.read()
        return records[records[stamp] != 0]
