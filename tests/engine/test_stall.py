"""A real worker under 1,000/s against a real server that answers nothing for one second.

The exact percentiles stand in tests/analysis/test_coordinated_omission.py. Here 3,000 requests are due in 3 s, and
those of the middle second wait 1 … 1,000 ms: by arithmetic p50 = 0, p90 = 700 ms, p99 = 970 ms. The machine adds its
own lateness, and the server needs time to answer what has piled up; both make it longer and never shorter. Hence lower
bounds that are tight but for the granularity of instants, and no upper ones, except where waiting must not be seen.
"""

import asyncio
import gc
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from battle.analysis.statistics import percentiles
from battle.core.keys import key_base
from battle.core.records import REQUEST, REQUEST_WAITED, Outcome, Requests
from battle.core.scenario import Scenario
from battle.engine.null_target import NullTarget
from battle.engine.worker import LoadWorker
from battle.system.mapped import MappedReader

TOLERANCE_MS = 20


@pytest.fixture(autouse=True)
def _collect() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


class Stalling(NullTarget):
    """Answers at once, but between two instants of the loop's clock only at the second one."""

    def __init__(self, window: list[float]) -> None:
        self._window = window

    def data_received(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        start, end = self._window
        if start <= loop.time() < end:
            loop.call_at(end, super().data_received, data)
        else:
            super().data_received(data)


def send(tmp_path: Path, **stream: Any) -> Requests:
    load = {"kind": "constant", "rate": "1000/s", "duration": "3s"}
    settings = {"load": load, "requests": [{"method": "eth_blockNumber"}], **stream}
    scenario = Scenario.model_validate({"name": "t", "seed": 3, "workload": {"reads": settings}})

    async def play() -> None:
        loop = asyncio.get_running_loop()
        window = [0.0, 0.0]
        server = await loop.create_server(lambda: Stalling(window), "127.0.0.1", 0, backlog=2000)
        endpoint = {"host": "127.0.0.1", "port": server.sockets[0].getsockname()[1], "path": ""}
        order = {"key_base": key_base(1), "records": str(tmp_path / "r"), "endpoint": endpoint}
        worker = LoadWorker(scenario, {**order, "witness": None, "chain_id": None, "shard": [0, 1]})
        window[:] = loop.time() + 1.1, loop.time() + 2.1
        worker.start(time.monotonic_ns() + 100_000_000)
        await asyncio.wait_for(worker.wait(), 30)
        await worker.close()
        server.close()

    asyncio.run(play())
    return MappedReader(tmp_path / "r", REQUEST).written("key")


def in_ms(values: "np.ndarray[Any, np.dtype[np.int64]]") -> list[float]:
    return [float(value or 0) / 1e6 for value in percentiles(values, (90, 99, 100))]


def test_the_response_time_shows_the_stall_and_the_service_time_of_few_connections_hides_it(tmp_path: Path) -> None:
    records = send(tmp_path, connections=20)
    assert len(records) == 3000
    assert set(records["outcome"]) == {Outcome.OK}
    assert set(np.diff(records["scheduled_ns"])) == {1_000_000}, "due by the plan, whatever was sent when"
    p90, p99, longest = in_ms(records["ended_ns"] - records["scheduled_ns"])
    assert p90 >= 700 - TOLERANCE_MS
    assert p99 >= 970 - TOLERANCE_MS
    assert longest >= 1000 - TOLERANCE_MS
    stalled = np.count_nonzero(records["ended_ns"] - records["started_ns"] > 500_000_000)
    assert stalled <= 20, "only what was on a connection when the stall began took long from its send on"
    assert np.count_nonzero(records["flags"] & REQUEST_WAITED) >= 900


def test_with_connections_enough_the_service_time_shows_it_as_well(tmp_path: Path) -> None:
    records = send(tmp_path, connections=2000)
    p90, p99, _ = in_ms(records["ended_ns"] - records["started_ns"])
    response = in_ms(records["ended_ns"] - records["scheduled_ns"])
    assert response[0] >= 700 - TOLERANCE_MS
    assert response[1] >= 970 - TOLERANCE_MS
    lag = float(np.max(records["started_ns"] - records["scheduled_ns"])) / 1e6
    assert p90 >= 700 - TOLERANCE_MS - lag
    assert p99 >= 970 - TOLERANCE_MS - lag
