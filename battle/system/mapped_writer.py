"""Writing files of fixed-size records through memory maps, so that they survive the SIGKILL of their writer.

Space is allocated ahead, a chunk at a time, with posix_fallocate: on a full disk that fails as an OSError, where a
sparse mapping would die of SIGBUS. The file is a page of header, then chunks of records; a record of zeros was never
written. Without numpy, since a provider process must start fast.
"""

import mmap
import os
import struct
from pathlib import Path

from battle.core.codes import RECORD_BYTES

MAGIC = b"battle-records-1"
HEADER = struct.Struct("<16sQQ")  # magic, key base, records that found no space
HEADER_BYTES = mmap.ALLOCATIONGRANULARITY
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
        _allocate(self._descriptor, 0, HEADER_BYTES)
        self._header = mmap.mmap(self._descriptor, HEADER_BYTES)
        HEADER.pack_into(self._header, 0, MAGIC, key_base, 0)
        self._grow()

    def _grow(self) -> None:
        offset = HEADER_BYTES + len(self._chunks) * _CHUNK_BYTES
        _allocate(self._descriptor, offset, _CHUNK_BYTES)
        self._chunks.append(mmap.mmap(self._descriptor, _CHUNK_BYTES, offset=offset))

    def chunk(self, number: int) -> mmap.mmap:
        """The map of this chunk of CHUNK_RECORDS records; the file grows when needed."""
        while number >= len(self._chunks):
            self._grow()
        return self._chunks[number]

    def place(self, index: int) -> tuple[mmap.mmap, int]:
        """The map and the byte offset of record number `index`; the file grows when needed."""
        number, inside = divmod(index, CHUNK_RECORDS)
        return self.chunk(number), inside * RECORD_BYTES

    def lose(self) -> None:
        """Count a record that found no space."""
        self.lost += 1
        HEADER.pack_into(self._header, 0, MAGIC, self._key_base, self.lost)

    def close(self) -> None:
        """Unmap and close; what was written stays."""
        for part in (*self._chunks, self._header):
            part.close()
        os.close(self._descriptor)
