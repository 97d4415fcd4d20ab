"""Following a log file that another process writes."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio

_POLL_S = 0.02


class LogTail:
    """The lines of a growing file, from its beginning. It may not exist yet; a torn last line waits for its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def new_lines(self) -> list[str]:
        """The whole lines that were added since the last call."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                added = file.read()
        except OSError:
            return []
        whole = added[: added.rfind(b"\n") + 1]
        self._offset += len(whole)
        return whole.decode(errors="replace").splitlines()


async def follow(*tails: LogTail) -> AsyncIterator[str]:
    """The lines of all tails as they come, until cancelled."""
    while True:
        for tail in tails:
            for line in tail.new_lines():
                yield line
        await anyio.sleep(_POLL_S)
