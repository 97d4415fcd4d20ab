"""Samples of what processes use: memory, CPU, open files, of a whole process tree."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import anyio
import psutil

from battle.core.journal import EventKind

EVERY_S = 0.5


def sample(pid: int) -> dict[str, float] | None:
    """Memory in bytes, CPU seconds so far, processes and open files of a tree; None when it is gone."""
    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.Error:
        return None
    memory = cpu = files = 0.0
    for process in tree:
        with suppress(psutil.Error):
            times = process.cpu_times()
            cpu += times.user + times.system
            memory += process.memory_info().rss
            files += process.num_fds()
    return {"rss_bytes": memory, "cpu_s": cpu, "processes": len(tree), "open_files": files}


def sample_all(pids: list[int]) -> dict[str, Any] | None:
    """The sum over several trees, and with more than one the CPU seconds of each, None for one that is gone."""
    each = [sample(pid) for pid in pids]
    alive = [found for found in each if found is not None]
    if not alive:
        return None
    total: dict[str, Any] = {name: sum(found[name] for found in alive) for name in alive[0]}
    if len(pids) > 1:
        total["cpu_s_each"] = [None if found is None else found["cpu_s"] for found in each]
    return total


async def watch(what: str, pids: list[int], note: Callable[..., None]) -> None:
    """Write a sample of these trees into the journal twice a second, until cancelled or all are gone."""
    while (found := await anyio.to_thread.run_sync(sample_all, pids)) is not None:
        note(EventKind.SAMPLE, of=what, **found)
        await anyio.sleep(EVERY_S)
