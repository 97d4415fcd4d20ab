"""The open model: arrivals leave when they are due, whatever the answers do."""

import asyncio
import time
from collections.abc import Iterator

from battle.engine.dispatching import Dispatcher
from battle.system.timer import DueTimer

_AT_ONCE = 256
"""How many a single firing sends at most."""


class OpenModel:
    """Plays the arrivals of one stream on one timer, re-armed to each next due instant."""

    def __init__(self, dispatcher: Dispatcher, arrivals: Iterator[tuple[int, int]]) -> None:
        self._dispatcher = dispatcher
        self._arrivals = arrivals
        self._timer = DueTimer(asyncio.get_running_loop(), self._fire)
        self._next = next(arrivals, None)
        self._start_ns = 0
        self.precise = self._timer.precise

    @property
    def done(self) -> bool:
        """Whether every arrival was played."""
        return self._next is None

    def start(self, at_ns: int) -> None:
        """Play from this instant on."""
        self._start_ns = at_ns
        if self._next is not None:
            self._timer.arm(at_ns + self._next[0])

    def _fire(self) -> None:
        """Send what is due, then wait for the next; far behind, let the answers and the coordinator in between."""
        due = self._next
        left = _AT_ONCE
        while due is not None:
            scheduled = self._start_ns + due[0]
            now = time.monotonic_ns()
            left -= 1
            if scheduled > now or left < 0:
                self._timer.arm(scheduled)
                break
            self._dispatcher.dispatch(scheduled, now, due[1])
            due = None if self._dispatcher.exhausted else next(self._arrivals, None)
        self._next = due

    def stop(self) -> None:
        """Play nothing more."""
        self._next = None
        self._timer.close()
