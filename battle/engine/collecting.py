"""Gathers what workers and providers wrote into the two tables of evidence."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from battle.core.journal import EventKind
from battle.core.record_source import PIECE, Records, RecordSource, pieces_of
from battle.core.records import ATTEMPT, REQUEST
from battle.errors import EvidenceError
from battle.system.mapped import MappedReader

ATTEMPTS_SUFFIX = ".attempts"


def requests_file(worker: int) -> str:
    """The name of a worker's record file; workers are numbered from 0."""
    return f"worker-{worker}.requests"


class RawRecords:
    """The records in raw files, one file after the other, without those that were never written."""

    def __init__(self, readers: list[MappedReader], stamp: str) -> None:
        self._readers = readers
        self._stamp = stamp

    @property
    def room(self) -> int:
        """For how many records the files have space."""
        return sum(reader.allocated() for reader in self._readers)

    def pieces(self, records: int = PIECE) -> Iterator[Records]:
        """All records, at most so many at once."""
        for reader in self._readers:
            yield from reader.pieces(self._stamp, records)


class RequestsInTurn:
    """The requests of several workers, one slot of each file after the other: the order of keys."""

    def __init__(self, readers: list[MappedReader]) -> None:
        self._readers = readers

    @property
    def room(self) -> int:
        """For how many records the files have space."""
        return sum(reader.allocated() for reader in self._readers)

    def pieces(self, records: int = PIECE) -> Iterator[Records]:
        """All requests, at most so many at once."""
        first, turns = 0, max(1, records // len(self._readers))
        while any(map(len, shares := [reader.read(first, turns) for reader in self._readers])):
            table = np.zeros((turns, len(shares)), REQUEST)
            for worker, share in enumerate(shares):
                table[: len(share), worker] = share
            in_turn = table.ravel()
            yield from pieces_of(in_turn[in_turn["key"] != 0], records)
            first += turns


def gather(raw_dir: Path, note: Callable[..., None], workers: int = 1) -> tuple[RecordSource, RecordSource]:
    """All requests, in the order of keys, and all attempts. Records that found no space are warned of."""
    requests = _readable([raw_dir / requests_file(index) for index in range(workers)], REQUEST, note)
    attempts = _readable(sorted(raw_dir.glob(f"*{ATTEMPTS_SUFFIX}")), ATTEMPT, note)
    by_key = RequestsInTurn(requests) if len(requests) > 1 else RawRecords(requests, "key")
    return by_key, RawRecords(attempts, "arrived_ns")


def _readable(paths: list[Path], layout: "np.dtype[np.void]", note: Callable[..., None]) -> list[MappedReader]:
    readers = []
    for path in paths:
        reader = MappedReader(path, layout)
        try:
            _, lost = reader.header()
        except (OSError, EvidenceError) as error:
            note(EventKind.WARNING, text=f"no records from {path.name}: {error}")
            continue
        if lost:
            note(EventKind.WARNING, text=f"no space left on the disk: {lost:,} records of {path.name} are missing")
        readers.append(reader)
    return readers
