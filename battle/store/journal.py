"""The journal on disk: one JSON line per event, there as soon as it is written."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from battle.core.journal import Event
from battle.store.writing import reason


class JournalWriter:
    """Appends events to events.jsonl. A full disk does not stop it: events wait in memory, and are tried again.

    `events` holds all of them, on disk or not. `failure` says why some are not on disk; None when all are.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[Event] = []
        self.failure: str | None = None
        self._waiting: list[bytes] = []
        self._file: int | None = None
        self._saved_bytes = 0

    def write(self, event: Event) -> None:
        """Append one event. Never raises because of the disk."""
        self.events.append(event)
        self._waiting.append(orjson.dumps(event.to_json(), default=str, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n")
        self._save()

    def close(self) -> None:
        """Try once more to write what waits, and close the file. Writing afterwards opens it again."""
        if self._waiting:
            self._save()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _save(self) -> None:
        try:
            if self._file is None:
                self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
                self._saved_bytes = os.fstat(self._file).st_size
            while self._waiting:
                self._append(self._file, self._waiting[0])
                self._waiting.pop(0)
            self.failure = None
        except OSError as error:
            self.failure = f"{self.path} could not be written: {reason(error)}"

    def _append(self, file: int, line: bytes) -> None:
        """Write one line whole, or nothing of it: half a line would make the file unreadable."""
        written = 0
        try:
            while written < len(line):
                written += os.write(file, line[written:])
        except OSError:
            if written:
                os.ftruncate(file, self._saved_bytes)
            raise
        self._saved_bytes += len(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
