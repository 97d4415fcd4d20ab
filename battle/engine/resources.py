"""Samples of what processes use: memory, CPU, open files, of a whole process tree."""

from collections.abc import Callable
from contextlib import suppress

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


async def watch(what: str, pid: int, note: Callable[..., None]) -> None:
    """Write a sample into the journal twice a second, until cancelled or gone."""
    while (found := await anyio.to_thread.run_sync(sample, pid)) is not None:
        note(EventKind.SAMPLE, of=what, **found)
        await anyio.sleep(EVERY_S)
