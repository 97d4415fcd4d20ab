"""The two cores that are measured on, and what a process used of them."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

CORES = sorted(os.sched_getaffinity(0))
GENERATOR = CORES[0]
"""The core of whatever sends; the only core it has."""
SERVER = CORES[-1]
"""The core of whatever answers."""


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Processes started inside run on this core only, with all that they start."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_ns(pid: int) -> int:
    """CPU time, user and system, that all threads of a process have used so far: its own clock, exact to the ns."""
    return time.clock_gettime_ns((~pid << 3) | 2)  # the clock id of a process, as clock_getcpuclockid(3) makes it


def anonymous_bytes(pid: int) -> int:
    """RssAnon: resident memory that is no mapped file."""
    return _status_bytes(pid, "RssAnon")


def file_bytes(pid: int) -> int:
    """RssFile: resident pages of mapped files, the record file among them."""
    return _status_bytes(pid, "RssFile")


def _status_bytes(pid: int, field: str) -> int:
    with open(f"/proc/{pid}/status", encoding="ascii") as lines:  # noqa: PTH123  (a file of the kernel)
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith(field))


def busy_share(seconds: float = 1.0) -> float:
    """The share of all cores that others use now: what disturbs every figure."""
    return psutil.cpu_percent(interval=seconds) / 100
