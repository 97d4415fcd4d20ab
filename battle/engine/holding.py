"""Context managers held open by tasks of their own, so that several can be entered at once.

An async context must be left by the task that entered it; a task for each makes that so.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

import anyio
from anyio.abc import TaskStatus

Handle = TypeVar("Handle")


@asynccontextmanager
async def hold(contexts: dict[str, AbstractAsyncContextManager[Handle]]) -> AsyncIterator[dict[str, Handle]]:
    """Enter all contexts at once, give what they gave, and leave them all at the end.

    When one cannot be entered, the others are left and its error is raised.
    """
    release = anyio.Event()
    handles: dict[str, Handle] = {}

    async def keep(context: AbstractAsyncContextManager[Handle], *, task_status: TaskStatus[Handle]) -> None:
        async with context as handle:
            task_status.started(handle)
            await release.wait()

    async with anyio.create_task_group() as holders:

        async def enter(name: str) -> None:
            handles[name] = await holders.start(keep, contexts[name])

        async with anyio.create_task_group() as entering:
            for name in contexts:
                entering.start_soon(enter, name)
        try:
            yield {name: handles[name] for name in contexts}
        finally:
            release.set()
