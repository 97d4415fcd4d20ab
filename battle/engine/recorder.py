"""Writes each finished call as one record, at the place that its key gives it."""

import struct

from battle.core.ports.wire import Call
from battle.core.records import RECORD_BYTES, REQUEST_FORMAT
from battle.system.mapped_writer import CHUNK_RECORDS, MappedWriter

_pack_into = struct.Struct(REQUEST_FORMAT).pack_into


class Recorder:
    """The record file of one worker, whose keys count up from a base in equal steps.

    When the disk is full it counts what it cannot write, and says so once.
    """

    def __init__(self, writer: MappedWriter, key_base: int, key_step: int = 1) -> None:
        self._writer = writer
        self._key_base = key_base
        self._step = key_step
        self._dense = key_step == 1
        self._chunk = writer.chunk(0)
        self._first = key_base
        self.disk_full = False

    def _turn(self, key: int) -> bool:
        """Turn to the chunk that holds this key's record; False when there is no space for it."""
        number = (key - self._key_base) // self._step // CHUNK_RECORDS
        try:
            self._chunk = self._writer.chunk(number)
        except OSError:
            self.disk_full = True
            self._writer.lose()
            return False
        self._first = self._key_base + number * CHUNK_RECORDS * self._step
        return True

    def write(self, call: Call, stream: int) -> None:
        """Write a call down."""
        key = call.key
        inside = key - self._first if self._dense else (key - self._first) // self._step
        if not 0 <= inside < CHUNK_RECORDS:
            if not self._turn(key):
                return
            inside = (key - self._first) // self._step
        said = call.testimony
        _pack_into(
            self._chunk,
            inside * RECORD_BYTES,
            key,
            call.scheduled_ns,
            call.started_ns,
            call.ended_ns,
            call.height,
            call.rpc_code,
            call.connection,
            call.user,
            call.template,
            call.status,
            stream,
            call.phase,
            call.outcome,
            call.error,
            said.provider,
            said.attempts,
            said.first,
            call.flags,
        )

    @property
    def lost(self) -> int:
        """Records that found no space."""
        return self._writer.lost

    def close(self) -> None:
        """Close the file."""
        self._writer.close()
