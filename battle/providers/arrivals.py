"""A provider's record of every arrival, written in place: at the arrival, and again before the answer is sent."""

import struct
from mmap import mmap
from pathlib import Path
from time import monotonic_ns

from battle.core.codes import ATTEMPT_FORMAT, NO_HEIGHT
from battle.system.mapped_writer import MappedWriter

_write_arrival = struct.Struct(ATTEMPT_FORMAT).pack_into
_write_result = struct.Struct("<qi").pack_into  # height, rpc_code
_write_status = struct.Struct("<H").pack_into
_write_instant = struct.Struct("<q").pack_into
_ANSWERED_AT, _CLOSED_AT, _RESULT_AT, _STATUS_AT, _EXECUTED_AT = 16, 24, 32, 52, 57
_MOST_INCARNATION = 255
_CODES = range(-(1 << 31), 1 << 31)
Place = tuple[mmap, int] | None
"""Where a record is; None when it found no space, or nothing is recorded."""


class ArrivalRecords:
    """The record file of one provider process. A full disk does not stop the provider: what is lost is counted."""

    def __init__(self, path: Path, key_base: int, provider: int, incarnation: int) -> None:
        self._writer = MappedWriter(path, key_base)
        self._place = self._writer.place
        self._provider = provider
        self._incarnation = min(incarnation, _MOST_INCARNATION)
        self._count = 0

    def arrived(self, key: int, source: int, faults: int, connection: int, batch_index: int = 0) -> Place:
        """Write an arrival; gives its place."""
        try:
            place = chunk, offset = self._place(self._count)
        except OSError:
            self._writer.lose()
            return None
        self._count += 1
        fixed = (self._provider, self._incarnation, source, 0, batch_index)
        _write_arrival(chunk, offset, key, monotonic_ns(), 0, 0, NO_HEIGHT, 0, faults, connection, 0, *fixed)
        return place

    def answered(
        self, place: Place, status: int, height: int = NO_HEIGHT, rpc_code: int = 0, *, executed: bool = False
    ) -> None:
        """Write what is about to be answered; the instant comes last, since it is the mark that all is there."""
        if place is None:
            return
        chunk, offset = place
        _write_result(chunk, offset + _RESULT_AT, height, rpc_code if rpc_code in _CODES else 0)
        _write_status(chunk, offset + _STATUS_AT, status)
        chunk[offset + _EXECUTED_AT] = executed
        _write_instant(chunk, offset + _ANSWERED_AT, monotonic_ns())

    def closed(self, place: Place) -> None:
        """The peer went away before the answer."""
        if place is not None:
            chunk, offset = place
            _write_instant(chunk, offset + _CLOSED_AT, monotonic_ns())
