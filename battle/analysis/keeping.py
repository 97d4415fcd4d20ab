"""Which records are kept of a run whose evidence is larger than it may be.

Everything that tells of trouble is kept: requests that were not ok (a batch as a whole), failovers, hedges and
ambiguous second attempts, and those that met a fault. Of the others, which are all alike, a uniform sample is kept, as
many as there is room for. The analysis comes first and is of all records, so no number depends on the sample.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from battle.analysis.key_index import NOBODY, KeyIndex
from battle.analysis.pieces import slices
from battle.analysis.reading import Reading
from battle.analysis.statistics import Mask
from battle.core.record_source import PIECE, Records, RecordSource, pieces_of, room_of
from battle.core.records import RECORD_BYTES
from battle.core.seeds import generator


@dataclass(frozen=True)
class Kept:
    """The choice: `telling` requests that are kept for what they tell, and `sampled` ones of `plain`. `mask`: (n,)."""

    keys: KeyIndex
    mask: Mask
    telling: int
    plain: int
    sampled: int

    def of(self, records: Records | RecordSource) -> "KeptRecords":
        """The records, of requests or of attempts, that belong to requests that are kept."""
        return KeptRecords(self, records)


class KeptRecords:
    """The kept ones of some records, told piece by piece (a RecordSource)."""

    def __init__(self, kept: Kept, records: Records | RecordSource) -> None:
        self._kept = kept
        self._records = records

    @property
    def room(self) -> int:
        """How many there are at the most."""
        return room_of(self._records)

    def pieces(self, records: int = PIECE) -> Iterator[Records]:
        """Those that are kept, at most so many at once."""
        for piece in pieces_of(self._records, records):
            place = self._kept.keys.places_of(piece["key"].astype(np.int64))
            known = place != NOBODY
            known[known] = self._kept.mask[place[known]]
            yield piece[known]


def choose_kept(reading: Reading, limit_bytes: int) -> Kept:
    """Choose what is kept so that the sample fits under the limit; what tells of trouble is kept also beyond it."""
    columns, failovers, received = reading.columns, reading.failovers, reading.received
    mask = ~columns.wholly_ok
    for telling in (failovers.failed_over, failovers.hedged, failovers.ambiguous):
        mask |= telling
    if len(received.faults):
        mask |= received.faults > 0
    records = np.add(received.keyed, 1, dtype=np.uint32)  # each request's own, and one for each arrival
    plain_bytes = int(records.sum(where=~mask)) * RECORD_BYTES
    left_bytes = max(0, limit_bytes - int(records.sum(where=mask)) * RECORD_BYTES)
    share = min(1.0, left_bytes / plain_bytes) if plain_bytes else 0.0
    count = int(np.count_nonzero(mask))
    rng = generator(reading.scenario.seed, "evidence")
    for place in slices(len(columns), columns.piece):
        part = mask[place]
        part |= rng.random(len(part)) < share
    return Kept(columns.keys, mask, count, len(columns) - count, int(np.count_nonzero(mask)) - count)


def size_over(limit_bytes: int, *tables: Records | RecordSource) -> int | None:
    """How many bytes the records of these tables take when that is over the limit, else None.

    They are only read when their room, which may be partly unused, is over it.
    """
    if sum(map(room_of, tables)) * RECORD_BYTES <= limit_bytes:
        return None
    size = sum(len(piece) for table in tables for piece in pieces_of(table)) * RECORD_BYTES
    return size if size > limit_bytes else None
