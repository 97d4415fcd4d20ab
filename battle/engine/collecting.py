"""Gathers what workers and providers wrote into the two tables of evidence."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from battle.core.journal import EventKind
from battle.core.record_source import PIECE, Records, RecordSource
from battle.core.records import ATTEMPT, REQUEST
from battle.errors import EvidenceError
from battle.system.mapped import MappedReader

REQUESTS_FILE = "worker-0.requests"
ATTEMPTS_SUFFIX = ".attempts"


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


def gather(raw_dir: Path, note: Callable[..., None]) -> tuple[RecordSource, RecordSource]:
    """All requests, in the order of keys, and all attempts. Records that found no space are warned of."""
    requests = _readable([raw_dir / REQUESTS_FILE], REQUEST, note)
    attempts = _readable(sorted(raw_dir.glob(f"*{ATTEMPTS_SUFFIX}")), ATTEMPT, note)
    return RawRecords(requests, "key"), RawRecords(attempts, "arrived_ns")


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
