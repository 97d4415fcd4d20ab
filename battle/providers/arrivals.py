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
LOST = -1
"""The place of a record that found no space."""


class ArrivalRecords:
    """The record file of one provider process. A full disk does not stop the provider: what is lost is counted."""

    def __init__(self, path: Path, key_base: int, provider: int, incarnation: int) -> None:
        self._writer = MappedWriter(path, key_base)
        self._provider = provider
        self._incarnation = incarnation
        self._count = 0

    def arrived(self, key: int, source: int, *, faults: int, connection: int, batch_index: int = 0) -> int:
        """Write an arrival; gives its place."""
        number = self._count
        try:
            chunk, offset = self._writer.place(number)
        except OSError:
            self._writer.lose()
            return LOST
        self._count += 1
        fields = (key, time.monotonic_ns(), 0, 0, NO_HEIGHT, 0, faults, connection, 0, self._provider)
        _ARRIVAL.pack_into(chunk, offset, *fields, self._incarnation, source, 0, batch_index)
        return number

    def answered(self, number: int, *, status: int, height: int, rpc_code: int, executed: bool) -> None:
        """Write what is about to be answered; the instant comes last, since it is the mark that all is there."""
        if number == LOST:
            return
        chunk, offset = self._writer.place(number)
        _RESULT.pack_into(chunk, offset + _RESULT_AT, height, rpc_code)
        _STATUS.pack_into(chunk, offset + _STATUS_AT, status)
        chunk[offset + _EXECUTED_AT] = executed
        _INSTANT.pack_into(chunk, offset + _ANSWERED_AT, time.monotonic_ns())

    def closed(self, number: int) -> None:
        """The peer went away before the answer."""
        if number != LOST:
            chunk, offset = self._writer.place(number)
            _INSTANT.pack_into(chunk, offset + _CLOSED_AT, time.monotonic_ns())
