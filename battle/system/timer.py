"""A timer that fires when the next arrival is due.

On Linux one timerfd, re-armed to each next due instant, watched by the event loop: sends are late by some 50 µs. Where
there is none, or BATTLE_TIMER=loop asks for it, the loop's own timers are used, whose steps are about 1 ms; `precise`
says which it is.
"""

import asyncio
import ctypes
import os
import struct
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any

CHOICE = "BATTLE_TIMER"
_NS_PER_S = 1_000_000_000
_TFD_TIMER_ABSTIME = 1
_TFD_FLAGS = 0o2000000 | 0o4000  # TFD_CLOEXEC | TFD_NONBLOCK
_CLOCK_MONOTONIC = 1
_pack = struct.Struct("@llll").pack  # struct itimerspec: interval, instant


@cache
def _system_calls() -> tuple[Any, Any]:
    """timerfd_create and timerfd_settime. Neither blocks, so they are called with the interpreter's lock kept.

    A re-arm takes 1.15 µs that way, mostly the system call; 1.45 µs with the lock given up and errno kept. Declared
    argument types make it slower.
    """
    libc = ctypes.PyDLL(None)
    return libc.timerfd_create, libc.timerfd_settime


def _open_timer() -> int:
    """A timerfd, or -1 where there is none or none is wanted."""
    if sys.platform != "linux" or os.environ.get(CHOICE) == "loop":
        return -1
    descriptor: int = _system_calls()[0](_CLOCK_MONOTONIC, _TFD_FLAGS)
    return descriptor


def timer_is_precise() -> bool:
    """Whether timers made now are the precise ones."""
    descriptor = _open_timer()
    if descriptor >= 0:
        os.close(descriptor)
    return descriptor >= 0


class DueTimer:
    """Calls `fire` at or soon after an instant of CLOCK_MONOTONIC."""

    def __init__(self, loop: asyncio.AbstractEventLoop, fire: Callable[[], None]) -> None:
        self._loop = loop
        self._fire = fire
        self._handle: asyncio.TimerHandle | None = None
        self._descriptor = _open_timer()
        self.precise = self._descriptor >= 0
        if self.precise:
            self._settime = _system_calls()[1]
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
            due = at_ns if at_ns > 0 else 1  # 0 would disarm it
            self._settime(self._descriptor, _TFD_TIMER_ABSTIME, _pack(0, 0, due // _NS_PER_S, due % _NS_PER_S), None)
            return
        if self._handle:
            self._handle.cancel()
        delay = max(0.0, (at_ns - time.monotonic_ns()) / _NS_PER_S)
        self._handle = self._loop.call_later(delay, self._fire)

    def close(self) -> None:
        """Disarm and close."""
        if self._handle:
            self._handle.cancel()
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1
