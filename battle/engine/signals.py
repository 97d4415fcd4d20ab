"""Signals that ask a run to end, from its beginning until its results are saved.

The handler only takes note. Who runs the load looks at the list and ends it in order; analysis and saving are not cut
short. An event loop's own handlers would be gone between its end and the analysis, where a signal would lose the run.
"""

import signal
import threading
from types import FrameType
from typing import Any, Self

_ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """A context in which SIGINT, SIGTERM and SIGHUP are noted in `received`, by name, in order.

    Outside the main thread, where Python takes no signals, nothing is noted.
    """

    def __init__(self) -> None:
        self.received: list[str] = []
        self._before: dict[int, Any] = {}

    def _take(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.received.append(signal.Signals(number).name)

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._take) for number in _ASKING}
        return self

    def __exit__(self, *exc: object) -> None:
        """Put back what was there."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
