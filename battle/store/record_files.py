"""requests.npy and attempts.npy: arrays in numpy's own format, written and read a piece at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from battle.core.record_source import PIECE, Records, RecordSource, pieces_of
from battle.errors import EvidenceError
from battle.store.writing import reason, write_whole

_READ_HEADER = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class RecordFile:
    """A stored array of records, to be read a piece at a time. Raises EvidenceError when it is missing or damaged."""

    def __init__(self, path: Path, layout: np.dtype[np.void]) -> None:
        self._path = path
        self._layout = layout
        with path.open("rb") as file:
            self.room, self._offset = self._check(file)

    def pieces(self, records: int = PIECE) -> Iterator[Records]:
        """All records, at most so many at once."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                for first in range(0, self.room, records):
                    yield np.fromfile(file, self._layout, min(records, self.room - first))
        except OSError as error:
            raise EvidenceError(f"{self._path} cannot be read: {reason(error)}") from error

    def _check(self, file: IO[bytes]) -> tuple[int, int]:
        """How many records there are, and where they begin."""
        try:
            read_header = _READ_HEADER[np.lib.format.read_magic(file)]
            shape, in_columns, layout = read_header(file)
        except (ValueError, KeyError, EOFError) as error:
            raise damaged(self._path, f"it is truncated or no array of records ({error})") from error
        if layout != self._layout or len(shape) != 1 or in_columns:
            raise damaged(self._path, "its records have another layout; it was written by another version of battle")
        offset = file.tell()
        missing = offset + shape[0] * self._layout.itemsize - self._path.stat().st_size
        if missing > 0:
            raise damaged(self._path, f"it is truncated or no array of records ({missing:,} bytes are missing)")
        return shape[0], offset


def damaged(path: Path, why: str) -> EvidenceError:
    """The error for a file that is not what it was."""
    return EvidenceError(f"{path} is damaged: {why}")


def save_records(path: Path, records: Records | RecordSource, layout: np.dtype[np.void]) -> None:
    """Write records as an array. Raises SaveError."""

    def write(file: IO[bytes]) -> None:
        count = 0
        _write_header(file, layout, count)
        for piece in pieces_of(records):
            file.write(np.ascontiguousarray(piece).data)
            count += len(piece)
        file.seek(0)
        _write_header(file, layout, count)

    write_whole(path, write)


def _write_header(file: IO[bytes], layout: np.dtype[np.void], count: int) -> None:
    """The header of so many records. Its length does not depend on how many: numpy leaves room for the number."""
    shape: dict[str, Any] = {"descr": np.lib.format.dtype_to_descr(layout), "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(file, shape)
