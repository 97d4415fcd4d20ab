"""A load worker on another event loop than uvloop: python bench/other_loop.py LOOP SOCKET.

It stands in for `uvloop.run`, which is how the worker starts its loop, so that the worker itself needs no switch.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Any

import uvloop

from battle.app import worker_main


def _factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    module: Any = import_module(name)
    if name == "aiofastnet":
        return module.loop_factory()  # it replaces the transports of asyncio's own loop
    return module.new_event_loop


def main() -> None:
    name, socket = sys.argv[1:]
    factory = _factory(name)

    def run(entry: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(entry)

    uvloop.run = run
    worker_main(socket)


if __name__ == "__main__":
    main()
