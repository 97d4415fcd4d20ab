"""The open model: arrivals leave when they are due, whatever the answers do."""

import asyncio
import time
from collections.abc import Iterator

from battle.engine.dispatching import Dispatcher
from battle.engine.schedule import Arrival
from battle.system.timer import DueTimer

_AT_ONCE = 256
"""How many a single firing sends at most."""


class OpenModel:
    """Plays the arrivals of one stream on one timer, re-armed to each next due instant.

    It lasts until `end_ns` after the start, also when nothing is due any more: faults and windows end with the load.
    """

    def __init__(self, dispatcher: Dispatcher, arrivals: Iterator[Arrival], end_ns: int) -> None:
        self._dispatcher = dispatcher
        self._arrivals = arrivals
        self._timer = DueTimer(asyncio.get_running_loop(), self._fire)
        self._next = next(arrivals, None)
        self._start_ns = 0
        self._end_ns = end_ns
        self._over = end_ns == 0

    @property
    def done(self) -> bool:
        """Whether nothing is to come: the end has passed, or `max_requests` is used up."""
        return self._over or self._dispatcher.exhausted

    def start(self, at_ns: int) -> None:
        """Play from this instant on."""
        self._start_ns = at_ns
        if not self._over:
            self._timer.arm(at_ns + (self._next[0] if self._next else self._end_ns))

    def _fire(self) -> None:
        """Send what is due, then wait for the next, and at last for the end.

        Far behind, it lets the answers and the coordinator in between.
        """
        due = self._next
        left = _AT_ONCE
        while due is not None:
            scheduled = self._start_ns + due[0]
            now = time.monotonic_ns()
            left -= 1
            if scheduled > now or left < 0:
                self._timer.arm(scheduled)
                break
            self._dispatcher.dispatch(scheduled, now, due[1], due[2])
            due = None if self._dispatcher.exhausted else next(self._arrivals, None)
        self._next = due
        if due is None:
            end = self._start_ns + self._end_ns
            self._over = time.monotonic_ns() >= end
            if not self.done:
                self._timer.arm(end)

    def stop(self) -> None:
        """Play nothing more."""
        self._next = None
        self._over = True
        self._timer.close()
