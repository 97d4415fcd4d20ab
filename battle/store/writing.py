"""Writing a file so that it is either there as a whole or not at all."""

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from battle.errors import BattleError

_SPACE = {errno.ENOSPC, errno.EDQUOT}


class SaveError(BattleError):
    """A file of a run could not be written. The run itself goes on: what was measured can still be shown.

    `path` is the file that is missing now.
    """

    def __init__(self, path: Path, error: OSError) -> None:
        hint = "free some space, or choose another place with --out" if error.errno in _SPACE else None
        super().__init__(f"{path} could not be written: {reason(error)}", hint=hint)
        self.path = path


def reason(error: OSError) -> str:
    """Why the system refused, in words: "no space left" and the like."""
    if error.errno in _SPACE:
        return "no space left"
    return (error.strerror or str(error)).lower()


def write_whole(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Let `write` fill a file beside `path`, sync it, and move it into place. Raises SaveError, and leaves no rest."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise SaveError(path, error) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file from bytes. Raises SaveError."""

    def write(file: IO[bytes]) -> None:
        file.write(content)

    write_whole(path, write)
