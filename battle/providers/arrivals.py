"""A provider's record of every arrival, written in place: at the arrival, and again before the answer is sent."""

import struct
import time
from pathlib import Path

from battle.core.codes import ATTEMPT_FORMAT, NO_HEIGHT
from battle.system.mapped_writer import MappedWriter

_ARRIVAL = struct.Struct(ATTEMPT_FORMAT)
_RESULT = struct.Struct("<qi")  # height, rpc_code
_STATUS = struct.Struct("<H")
_INSTANT = struct.Struct("<q")
_ANSWERED_AT, _CLOSED_AT, _RESULT_AT, _STATUS_AT, _EXECUTED_AT = 16, 24, 32, 52, 57
_MOST_INCARNATION = 255
_CODES = range(-(1 << 31), 1 << 31)
LOST = -1
"""The place of a record that found no space."""


class ArrivalRecords:
    """The record file of one provider process. A full disk does not stop the provider: what is lost is counted."""

    def __init__(self, path: Path, key_base: int, provider: int, incarnation: int) -> None:
        self._writer = MappedWriter(path, key_base)
        self._place = self._writer.place
        self._provider = provider
        self._incarnation = min(incarnation, _MOST_INCARNATION)
        self._count = 0

    def arrived(self, key: int, source: int, faults: int, connection: int, batch_index: int = 0) -> int:
        """Write an arrival; gives its place."""
        number = self._count
        try:
            chunk, offset = self._place(number)
        except OSError:
            self._writer.lose()
            return LOST
        self._count = number + 1
        now, provider, incarnation = time.monotonic_ns(), self._provider, self._incarnation
        fields = (key, now, 0, 0, NO_HEIGHT, 0, faults, connection, 0, provider, incarnation, source, 0, batch_index)
        _ARRIVAL.pack_into(chunk, offset, *fields)
        return number

    def answered(
        self, number: int, status: int, height: int = NO_HEIGHT, rpc_code: int = 0, *, executed: bool = False
    ) -> None:
        """Write what is about to be answered; the instant comes last, since it is the mark that all is there."""
        if number == LOST:
            return
        chunk, offset = self._place(number)
        _RESULT.pack_into(chunk, offset + _RESULT_AT, height, rpc_code if rpc_code in _CODES else 0)
        _STATUS.pack_into(chunk, offset + _STATUS_AT, status)
        chunk[offset + _EXECUTED_AT] = executed
        _INSTANT.pack_into(chunk, offset + _ANSWERED_AT, time.monotonic_ns())

    def closed(self, number: int) -> None:
        """The peer went away before the answer."""
        if number != LOST:
            chunk, offset = self._place(number)
            _INSTANT.pack_into(chunk, offset + _CLOSED_AT, time.monotonic_ns())
