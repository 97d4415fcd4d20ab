"""A long closed run: what the worker holds in memory, and what it writes to disk for each request."""

import time
from pathlib import Path
from typing import Any

import anyio

from battle.core.records import RECORD_BYTES, REQUEST
from battle.engine.load_process import LoadProcess
from battle.system.mapped import MappedReader
from battle.system.mapped_writer import CHUNK_RECORDS
from bench.figures import Measured, Row, Target
from bench.machine import anonymous_bytes, file_bytes
from bench.options import Options
from bench.peers import CONNECTIONS
from bench.server import nginx
from bench.worker import CHECKED, Load, prepared, refuse_failures

_MOST_S = 240
_LOOK_S = 0.5
_SETTLED_S = 10.0
"""Twice the timeout."""
_MB = 1e6
_BLOCK_BYTES = 512


def measure(options: Options) -> Measured:
    """Once, however many rounds."""
    wanted = options.requests
    with nginx() as server:
        looks, sent = anyio.run(_run, server.port, wanted)
    note = f"{sent:,} requests" + ("" if sent >= wanted else f" of {wanted:,}: ended after {_MOST_S} s")
    last = looks[-1]
    return Measured(
        [
            Row(
                "worker's RssAnon, highest",
                "MB",
                [max(look["anonymous"] for look in looks) / _MB],
                Target("<=", 150),
                note=note,
            ),
            _growth(looks),
            Row("RssFile at the end (the mapped records)", "MB", [last["file"] / _MB]),
            Row("disk per request", "bytes", [_disk_per_request(last["disk"], sent)], Target("<=", 64)),
        ],
        looks,
    )


def _growth(looks: list[dict[str, Any]]) -> Row:
    """How much RssAnon grew once what is kept until a timeout has reached its size."""
    name = f"its growth after the first {_SETTLED_S:.0f} s"
    settled = [look for look in looks if look["at_s"] >= _SETTLED_S]
    if looks[-1]["at_s"] < 2 * _SETTLED_S:
        return Row(name, "MB", skipped=f"the run took {looks[-1]['at_s']:.0f} s only")
    return Row(name, "MB", [(settled[-1]["anonymous"] - settled[0]["anonymous"]) / _MB], Target("<=", 4))


def _disk_per_request(disk_bytes: int, sent: int) -> float:
    """To a tenth of a byte, without the part of the last chunk that is allocated and still empty."""
    empty = -sent % CHUNK_RECORDS * RECORD_BYTES
    return round((disk_bytes - empty) / sent, 1)


async def _run(port: int, wanted: int) -> tuple[list[dict[str, Any]], int]:
    pattern = {"kind": "users", "users": CONNECTIONS}
    load = Load(port, CHECKED, pattern, _MOST_S, warmup_s=0, stream={"max_requests": wanted})
    looks: list[dict[str, Any]] = []
    async with prepared(load) as (worker, records):
        began_ns = time.monotonic_ns()
        await worker.start(began_ns + 50_000_000)
        async with anyio.create_task_group() as group:
            group.start_soon(_watch, worker, records, looks, began_ns)
            with anyio.fail_after(_MOST_S + 30):
                counts = await worker.wait()
            group.cancel_scope.cancel()
        looks.append(_look(worker, records, began_ns))
        reader = MappedReader(records, REQUEST)
        for first in range(0, counts["sent"], CHUNK_RECORDS):
            refuse_failures(reader.read(first, CHUNK_RECORDS))
    return looks, counts["sent"]


async def _watch(worker: LoadProcess, records: Path, looks: list[dict[str, Any]], began_ns: int) -> None:
    while True:
        looks.append(_look(worker, records, began_ns))
        await anyio.sleep(_LOOK_S)


def _look(worker: LoadProcess, records: Path, began_ns: int) -> dict[str, Any]:
    blocks = sum(path.stat().st_blocks for path in records.parent.glob("requests*"))
    return {
        "at_s": (time.monotonic_ns() - began_ns) / 1e9,
        "anonymous": anonymous_bytes(worker.pid),
        "file": file_bytes(worker.pid),
        "disk": blocks * _BLOCK_BYTES,
    }
