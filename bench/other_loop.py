"""A load worker on other event loops than uvloop: python bench/other_loop.py LOOP SOCKET.

It stands in for `uvloop.run`, which is how the worker starts its loop, so that the worker itself needs no switch.
LOOP is rloop, aiofastnet (its transports on asyncio's own loop), or rloop+aiofastnet (its transports on rloop).
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Any

import uvloop

from battle.__main__ import main as run_battle

_Factory = Callable[[], asyncio.AbstractEventLoop]


def _factory(name: str) -> _Factory:
    base: _Factory = import_module("rloop" if "rloop" in name else "asyncio").new_event_loop
    if "aiofastnet" in name:
        with_transports: _Factory = import_module("aiofastnet").loop_factory(base)
        return with_transports
    return base


def main() -> None:
    name, socket = sys.argv[1:]
    factory = _factory(name)

    def run(entry: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(entry)

    vars(uvloop)["run"] = run
    sys.argv[1:] = ["_worker", socket]
    run_battle()


if __name__ == "__main__":
    main()
