"""A timer that fires when the next arrival is due.

On Linux one timerfd, re-armed to each next due instant, watched by the event loop: sends are late by some 50 µs. Where
there is none, the loop's own timers are used, whose steps are about 1 ms; `precise` says which it is.
"""

import asyncio
import ctypes
import os
import struct
import sys
import time
from collections.abc import Callable

_TFD_TIMER_ABSTIME = 1
_TFD_FLAGS = 0o2000000 | 0o4000  # TFD_CLOEXEC | TFD_NONBLOCK
_CLOCK_MONOTONIC = 1
_SPEC = struct.Struct("@llll")


class DueTimer:
    """Calls `fire` at or soon after an instant of CLOCK_MONOTONIC."""

    def __init__(self, loop: asyncio.AbstractEventLoop, fire: Callable[[], None]) -> None:
        self._loop = loop
        self._fire = fire
        self._handle: asyncio.TimerHandle | None = None
        self._descriptor = -1
        self.precise = sys.platform == "linux"
        if self.precise:
            self._libc = ctypes.CDLL(None, use_errno=True)
            self._descriptor = self._libc.timerfd_create(_CLOCK_MONOTONIC, _TFD_FLAGS)
            self.precise = self._descriptor >= 0
        if self.precise:
            loop.add_reader(self._descriptor, self._on_readable)

    def _on_readable(self) -> None:
        try:
            os.read(self._descriptor, 8)
        except BlockingIOError:
            return
        self._fire()

    def arm(self, at_ns: int) -> None:
        """Fire at this instant, at once when it has passed; replaces what was armed before."""
        if self.precise:
            seconds, nanoseconds = divmod(max(at_ns, 1), 1_000_000_000)
            spec = _SPEC.pack(0, 0, seconds, nanoseconds)
            self._libc.timerfd_settime(self._descriptor, _TFD_TIMER_ABSTIME, spec, None)
            return
        if self._handle:
            self._handle.cancel()
        delay = max(0.0, (at_ns - time.monotonic_ns()) / 1e9)
        self._handle = self._loop.call_later(delay, self._fire)

    def close(self) -> None:
        """Disarm and close."""
        if self._handle:
            self._handle.cancel()
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1
