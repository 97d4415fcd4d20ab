"""One mock provider, started as `battle run` does it, on the server's core, recording every arrival."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from battle.core.journal import EventKind
from battle.core.ports.processes import Context
from battle.providers.mock import Mock
from battle.system.launching import ProcessLauncher
from battle.system.undo import UndoJournal
from bench.machine import SERVER, pinned

_NAME = "alpha"


@dataclass(frozen=True)
class Provider:
    """A provider that runs: where, its process, and its record file."""

    port: int
    url: str
    pid: int
    records: Path


@asynccontextmanager
async def mock_provider(directory: Path, key_base: int) -> AsyncIterator[Provider]:
    """It serves inside the block; its records are below `directory` afterwards too."""
    journal = UndoJournal(directory / "provider-undo.jsonl", "bench")
    pids: list[int] = []

    def note(kind: EventKind, **fields: Any) -> None:
        if kind is EventKind.PROVIDER_STARTED:
            pids.append(fields["pid"])

    context = Context(
        run_dir=directory,
        launcher=ProcessLauncher(journal, "bench"),
        seed=1,
        key_base=key_base,
        genesis_ns=time.monotonic_ns(),
        socket_dir=directory,
        note=note,
        provider_names=(_NAME,),
    )
    (directory / "logs").mkdir()
    async with AsyncExitStack() as stack:
        with pinned(SERVER):
            handle = await stack.enter_async_context(Mock().start(_NAME, context))
        yield Provider(handle.endpoint.port, f"{handle.endpoint.url}/", pids[-1], handle.records[-1])
    journal.close(all_undone=True)
