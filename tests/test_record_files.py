"""Stored arrays of records, written and read a piece at a time, against numpy's own files."""

import io
from pathlib import Path

import numpy as np
import pytest

from battle.core.record_source import pieces_of, room_of, whole
from battle.core.records import ATTEMPT, REQUEST
from battle.engine.collecting import RawRecords, gather
from battle.errors import EvidenceError
from battle.store.record_files import RecordFile, save_records
from battle.system.mapped import MappedReader, MappedWriter
from battle.system.mapped_writer import CHUNK_RECORDS


def requests(count: int) -> np.ndarray:
    records = np.zeros(count, REQUEST)
    records["key"] = np.arange(count) + 5000
    return records


@pytest.mark.parametrize("count", [0, 1, 10, 1234])
def test_a_file_is_what_numpy_writes(tmp_path: Path, count: int) -> None:
    save_records(tmp_path / "r.npy", requests(count), REQUEST)
    expected = io.BytesIO()
    np.save(expected, requests(count))
    assert (tmp_path / "r.npy").read_bytes() == expected.getvalue()


@pytest.mark.parametrize("size", [1, 3, 10, 11])
def test_pieces_are_the_records(tmp_path: Path, size: int) -> None:
    save_records(tmp_path / "r.npy", requests(10), REQUEST)
    stored = RecordFile(tmp_path / "r.npy", REQUEST)
    for _ in range(2):  # as often as it is asked
        pieces = list(pieces_of(stored, size))
        assert max(len(piece) for piece in pieces) <= size
        assert np.concatenate(pieces)["key"].tolist() == list(range(5000, 5010))
    assert room_of(stored) == 10


def test_an_array_of_another_shape_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "r.npy", requests(4).reshape(2, 2))
    with pytest.raises(EvidenceError, match="another layout"):
        RecordFile(tmp_path / "r.npy", REQUEST)


def test_raw_files_are_stored_one_after_the_other_without_what_was_never_written(tmp_path: Path) -> None:
    for name, numbers in (("beta.1", [1, 2]), ("alpha.1", [7, CHUNK_RECORDS + 3]), ("alpha.2", [])):
        writer = MappedWriter(tmp_path / f"{name}.attempts")
        for number in numbers:
            chunk, offset = writer.place(number)
            record = np.zeros(1, ATTEMPT)
            record["arrived_ns"] = number
            chunk[offset : offset + 64] = record.tobytes()
        writer.close()
    _, attempts = gather(tmp_path, lambda _, **fields: None)
    save_records(tmp_path / "a.npy", attempts, ATTEMPT)
    assert np.load(tmp_path / "a.npy")["arrived_ns"].tolist() == [7, CHUNK_RECORDS + 3, 1, 2]
    assert room_of(attempts) == 4 * CHUNK_RECORDS
    small = RawRecords([MappedReader(tmp_path / "beta.1.attempts", ATTEMPT)], "arrived_ns")
    assert [piece["arrived_ns"].tolist() for piece in small.pieces(2) if len(piece)] == [[1], [2]]
    assert len(whole(small, ATTEMPT)) == 2
