"""The load worker watches itself, so that what it could have spoiled is known: see docs/evidence.md.

A probe of its own is due every 10 ms on the event loop that sends the load. By how much it comes too late is the lag
of that loop: whatever else kept the loop busy, or the machine from running it, kept requests waiting for as long.
"""

import asyncio
import gc
import sys
import time
from array import array
from typing import Any

from battle.core.units import NS_PER_MS
from battle.system.timer import DueTimer

EVERY_NS = 10 * NS_PER_MS
LIMIT_NS = 5 * NS_PER_MS
"""The lag above which probes are counted: that of SCENARIO.md for sends."""


class SelfWatch:
    """Watches the process it lives in, from `start` to `stop`. 8 bytes a probe, 100 probes a second."""

    def __init__(self) -> None:
        self._timer = DueTimer(asyncio.get_running_loop(), self._look)
        self._lags = array("q")
        self._due_ns = 0
        self._before: dict[str, float] = {}
        self._seen: dict[str, Any] | None = None

    def start(self, at_ns: int) -> None:
        """Watch from this instant on."""
        self._before = _usage()
        self._due_ns = at_ns + EVERY_NS
        self._timer.arm(self._due_ns)

    def _look(self) -> None:
        now = time.monotonic_ns()
        if now < self._due_ns:  # coarse timers come early at times
            self._timer.arm(self._due_ns)
            return
        for due in range(self._due_ns, now + 1, EVERY_NS):  # a stall keeps all probes that fall into it
            self._lags.append(now - due)
        self._due_ns += EVERY_NS * ((now - self._due_ns) // EVERY_NS + 1)
        self._timer.arm(self._due_ns)

    def stop(self) -> dict[str, Any]:
        """Watch no more; gives what was seen, the same each time."""
        if self._seen is None:
            self._timer.close()
            self._seen = self._sum_up()
        return self._seen

    def _sum_up(self) -> dict[str, Any]:
        lags, after = sorted(self._lags), _usage()
        used = {name: after[name] - before for name, before in self._before.items()}
        return {
            "probes": len(lags),
            "loop_lag_p99_ns": lags[-(-99 * len(lags) // 100) - 1] if lags else None,
            "loop_lag_max_ns": lags[-1] if lags else None,
            "loop_lags_over_limit": sum(lag > LIMIT_NS for lag in lags),
            "gc_off": not gc.isenabled() and gc.get_freeze_count() > 0,
            "gc_collections": int(used.pop("gc_collections", 0)),
            "cpu_share": round(used.pop("cpu_ns") / used.pop("at_ns"), 4) if used.get("at_ns") else None,
            "preempted": _whole(used.get("preempted")),
            "major_faults": _whole(used.get("major_faults")),
        }


def _usage() -> dict[str, float]:
    """What this process has used so far, as far as the system tells."""
    used: dict[str, float] = {
        "at_ns": time.monotonic_ns(),
        "cpu_ns": time.process_time_ns(),
        "gc_collections": sum(generation["collections"] for generation in gc.get_stats()),
    }
    if sys.platform != "win32":
        import resource  # noqa: PLC0415  (not on Windows)

        usage = resource.getrusage(resource.RUSAGE_SELF)
        used |= {"preempted": usage.ru_nivcsw, "major_faults": usage.ru_majflt}
    return used


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
