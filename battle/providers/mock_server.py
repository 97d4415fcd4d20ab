"""The process of one mock provider: a raw HTTP protocol that answers JSON-RPC, records every arrival, and takes faults.

    python -m battle.providers.mock_server     (its settings are one line of JSON on standard input)

Nothing heavy is imported: a provider that was killed must be back soon. When its standard input ends, whoever started
it is gone, and it ends as well.
"""

import asyncio
import json
import os
import random
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from battle.core.effects import Effect
from battle.providers.answers import AnswerPlanner
from battle.providers.arrivals import ArrivalRecords
from battle.providers.chain import Chain
from battle.providers.exchange import Exchange
from battle.providers.rpc import Rpc
from battle.system import event_loop
from battle.system.serving import serve


class MockServer:
    """Everything that the connections of one provider share."""

    def __init__(self, settings: dict[str, Any]) -> None:
        rng = random.Random(f"{settings['seed']}:{settings['name']}:{settings['incarnation']}")  # noqa: S311
        self.planner = AnswerPlanner(
            rng,
            latency_ns=settings["latency_ns"],
            jitter_ns=settings["jitter_ns"],
            error_rate=settings["error_rate"],
        )
        chain = Chain(settings["chain_id"], settings["genesis_ns"], settings["block_time_ns"], settings["skew"])
        self.rpc = Rpc(chain, settings["methods"], settings["key_base"])
        self.records: ArrivalRecords | None = None
        if settings["records"]:
            self.records = _open_records(settings)
        self.connections = 0
        self.put(settings["effects"])

    def put(self, effects: dict[str, list[dict[str, Any]]]) -> None:
        """The effects that are in force from now on, by fault number."""
        made = {int(number): [Effect.from_message(each) for each in found] for number, found in effects.items()}
        self.planner.put(made)

    async def handle(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer the control channel."""
        match request["do"]:
            case "put":
                self.put(request["effects"])
                return {"in_force": sorted(request["effects"])}
            case "stats":
                return {"connections": self.connections, "now_ns": time.monotonic_ns()}
            case other:
                return {"error": f"unknown request {other!r}"}

    def connected(self) -> Exchange:
        """A new connection."""
        self.connections += 1
        return Exchange(self.planner, self.rpc, self.records, self.connections)


def _open_records(settings: dict[str, Any]) -> ArrivalRecords | None:
    """The record file; None on a full disk: a provider must come back all the same, and the reader misses the file."""
    path = Path(settings["records"])
    try:
        return ArrivalRecords(path, settings["key_base"], settings["index"], settings["incarnation"])
    except OSError as error:
        with suppress(OSError):  # the log may be on the same disk
            sys.stderr.write(f"nothing is recorded: {path}: {error.strerror}\n")
        return None


async def run(settings: dict[str, Any]) -> None:
    """Serve until the standard input ends. Raises OSError when the port is taken."""
    loop = asyncio.get_running_loop()
    server = MockServer(settings)
    ended = asyncio.Event()

    def on_input() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            ended.set()

    loop.add_reader(sys.stdin.fileno(), on_input)
    control = await serve(Path(settings["socket"]), server.handle)
    listener = await loop.create_server(server.connected, settings["host"], settings["port"], backlog=1024)
    await ended.wait()
    listener.close()
    control.close()


def main() -> None:
    """Read the settings and serve."""
    settings = json.loads(sys.stdin.readline())
    event_loop.run(run(settings))


if __name__ == "__main__":
    main()
