"""Process groups: who is in one, whether it is gone, and how to end it.

"Gone" is judged by the state of each process: a zombie counts as gone, though signals still reach it.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import psutil

_PATIENCE_S = 5.0
MARK = "BATTLE_RUN"
"""The environment variable that every child carries; its value is the run id."""


def started_at(pid: int) -> float:
    """When a process started, as the system tells it; 0 when there is none."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0


def same_process(pid: int, started: float) -> bool:
    """Whether the process that started then still lives (a zombie does not)."""
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def members(group: int) -> list[int]:
    """The living processes of a group."""
    found = []
    for pid in psutil.pids():
        with suppress(OSError, psutil.Error):
            if os.getpgid(pid) == group and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
    return found


def marked(run_id: str) -> list[int]:
    """The living processes that carry the mark of a run, this one excepted."""
    found = []
    for process in psutil.process_iter():
        with suppress(OSError, psutil.Error):
            alive = process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE
            if alive and process.environ().get(MARK) == run_id:
                found.append(process.pid)
    return found


def end_group(group: int, started: float) -> bool:
    """SIGKILL a process group and wait until it is gone. False when there was nothing to end.

    Raises TimeoutError when something is left after five seconds. A leader that started at another time is a stranger
    with a recycled number and is left alone.
    """
    leader = started_at(group)
    if leader and abs(leader - started) >= 1:
        return False
    if not members(group):
        return False
    return _kill_until_gone(lambda: members(group), f"process group {group}")


def end_marked(run_id: str) -> list[int]:
    """SIGKILL every process that carries the run's mark: those that left their group. Gives their pids."""
    found = marked(run_id)
    if found:
        _kill_until_gone(lambda: marked(run_id), f"processes of {run_id}")
    return found


def _kill_until_gone(find: Callable[[], list[int]], what: str) -> bool:
    deadline = time.monotonic() + _PATIENCE_S
    while left := find():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: still running after {_PATIENCE_S:.0f} s: {left}")
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)
    return True
