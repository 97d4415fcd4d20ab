"""Which event loop a process runs on: uvloop, or asyncio's own where uvloop is missing or BATTLE_LOOP=asyncio asks."""

import asyncio
import importlib.util
import os
from collections.abc import Coroutine
from typing import Any, Literal

CHOICE = "BATTLE_LOOP"


def why_not_uvloop() -> str | None:
    """Why `run` takes asyncio's own event loop; None when it takes uvloop."""
    if os.environ.get(CHOICE) == "asyncio":
        return f"uvloop is not used, since {CHOICE} says so"
    return "uvloop is not installed" if importlib.util.find_spec("uvloop") is None else None


def loop_kind() -> Literal["uvloop", "asyncio"]:
    """The event loop that `run` takes."""
    return "asyncio" if why_not_uvloop() else "uvloop"


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end on the fastest event loop there is."""
    if loop_kind() == "asyncio":
        asyncio.run(main)
        return
    import uvloop  # noqa: PLC0415  (not on Windows)

    uvloop.run(main)
