"""The closed model: users who send, wait for the answer, think, and send again."""

import asyncio
import time

from battle.core.ports.load import ClosedPattern
from battle.core.ports.wire import Call
from battle.core.shard import WHOLE, Shard
from battle.core.units import NS_PER_S
from battle.engine.dispatching import Dispatcher

_monotonic_ns = time.monotonic_ns
_LOOK_S = 0.05
"""How often the number of users is compared with the pattern's."""


class ClosedModel:
    """A share of the users of one phase of one stream; users are numbered from 1."""

    def __init__(
        self, dispatcher: Dispatcher, pattern: ClosedPattern, phase: int, offset_ns: int, shard: Shard = WHOLE
    ) -> None:
        self._dispatcher = dispatcher
        self._pattern = pattern
        self._phase = phase
        self._offset_ns = offset_ns
        self._shard = shard
        self._users = shard.part(pattern.peak_users())
        self._loop = asyncio.get_running_loop()
        self._start_ns = 0
        self._end_ns = 0
        self._think_ns: int = pattern.think_time
        self._wanted = 0
        self._active: set[int] = set()
        self._limited = pattern.iterations is not None
        self._left: dict[int, int] = {}
        self._dispatch = dispatcher.dispatch
        self._on_answer = self._think if self._think_ns else self._send_again
        self._over = False

    @property
    def done(self) -> bool:
        """Whether the phase is over."""
        return self._over

    def start(self, at_ns: int) -> None:
        """Begin when the phase begins; `at_ns` is the start of the load."""
        self._start_ns = at_ns + self._offset_ns
        self._end_ns = self._start_ns + self._pattern.duration
        self._loop.call_later(max(0, self._start_ns - _monotonic_ns()) / NS_PER_S, self._look)

    def _look(self) -> None:
        if self._over:
            return
        offset = _monotonic_ns() - self._start_ns
        if offset < 0:  # a loop's timers may fire up to a millisecond early, and nothing is due before the phase
            self._loop.call_later(-offset / NS_PER_S, self._look)
            return
        if offset >= self._pattern.duration or self._dispatcher.exhausted:
            self.stop()
            return
        self._wanted = self._pattern.users_at(offset)
        for user in range(self._shard.index + 1, self._wanted + 1, self._shard.of):
            if user not in self._active and self._left.setdefault(user, self._pattern.iterations or -1) != 0:
                self._active.add(user)
                now = _monotonic_ns()
                self._send(user, now, now)
        if not self._active and len(self._left) == self._users and not any(self._left.values()):
            self.stop()  # every user that there will be has used up its `iterations`
            return
        self._loop.call_later(_LOOK_S, self._look)

    def _send(self, user: int, scheduled_ns: int, now: int) -> None:
        if self._over or user > self._wanted or now >= self._end_ns:
            self._active.discard(user)
            return
        if self._limited:
            if self._left[user] == 0:
                self._active.discard(user)
                return
            self._left[user] -= 1
        dispatch = self._dispatch  # an attribute that is called where it stands is looked up anew each time
        if not dispatch(scheduled_ns, now, self._phase, None, user, self._on_answer):
            self._active.discard(user)  # dropped: the user tries again at the next look

    def _send_again(self, call: Call) -> None:
        self._send(call.user, call.ended_ns, call.ended_ns)

    def _think(self, call: Call) -> None:
        ready = call.ended_ns + self._think_ns
        self._loop.call_later(max(0, ready - _monotonic_ns()) / NS_PER_S, self._wake, call.user, ready)

    def _wake(self, user: int, ready_ns: int) -> None:
        self._send(user, ready_ns, _monotonic_ns())

    def stop(self) -> None:
        """Send nothing more."""
        self._over = True
