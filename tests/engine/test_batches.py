"""Batches from the load worker: the keys they take, the records they leave, what limits count."""

import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine.test_worker import BASE, CountingServer
from engine.test_worker import run as run_worker

from battle.core.ports.wire import BatchCall, Call
from battle.core.records import (
    REQUEST,
    REQUEST_MEMBER,
    REQUEST_PARTLY,
    REQUEST_REUSED,
    ErrorClass,
    Outcome,
    Requests,
)
from battle.core.scenario import Scenario
from battle.core.shard import Shard
from battle.engine.conductor import Conductor
from battle.engine.dispatching import Dispatcher, KeyCounter
from battle.engine.recorder import Recorder
from battle.engine.watching import Watcher
from battle.system.mapped import MappedReader, MappedWriter

BATCH = {"batch": [{"method": "a"}, {"method": "bad"}, {"method": "c"}], "weight": 2}
USERS = {"kind": "users", "users": 2, "iterations": 10, "duration": "10s"}


class BatchServer(CountingServer):
    """Answers batches backwards, and the method `bad` with an error."""

    def __init__(self, delay_s: float) -> None:
        super().__init__(delay_s)
        self.sizes: list[int] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(re.search(rb"content-length: (\d+)", head)[1])  # type: ignore[index]
                asked = json.loads(await reader.readexactly(length))
                calls = asked if isinstance(asked, list) else [asked]
                self.seen += [(call["id"], call["method"]) for call in calls]
                self.sizes.append(len(calls))
                await asyncio.sleep(self.delay_s)
                answers = [self._answer(call) for call in calls[::-1]]
                body = json.dumps(answers if isinstance(asked, list) else answers[0])
                writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @staticmethod
    def _answer(call: dict[str, Any]) -> dict[str, Any]:
        said = {"error": {"code": -32000, "message": "no"}} if call["method"] == "bad" else {"result": "0x1"}
        return {"jsonrpc": "2.0", "id": call["id"], **said}


def run(tmp_path: Path, load: Any, **more: Any) -> tuple[Requests, Any, dict[str, Any]]:
    return run_worker(tmp_path, load, serving=BatchServer, **more)


def leads(records: Requests) -> Requests:
    return records[(records["flags"] & REQUEST_MEMBER) == 0]


def test_each_call_has_a_record_and_the_first_stands_for_the_request(tmp_path: Path) -> None:
    requests = [{"method": "single"}, BATCH, {"method": "never", "weight": 0}, {"method": "last"}]
    load = {"kind": "constant", "rate": "300/s", "duration": "1s"}
    records, server, counts = run(tmp_path, load, requests=requests)
    assert records["key"].tolist() == list(range(BASE, BASE + len(records))), "keys are dense"
    assert sorted(server.seen) == [
        (key, ["single", "a", "bad", "c", "never", "last"][template])
        for key, template in zip(records["key"].tolist(), records["template"].tolist(), strict=True)
    ]
    assert len(leads(records)) == 300, "the rate counts requests"
    assert counts["sent"] == len(records)
    assert set(records["template"]) == {0, 1, 2, 3, 5}
    batches = records[np.isin(records["template"], (1, 2, 3))].reshape(-1, 3)
    assert abs(len(batches) - 150) < 5 * (300 / 4) ** 0.5
    assert (batches["template"] == [1, 2, 3]).all()
    assert (batches["outcome"] == [Outcome.OK, Outcome.FAILED, Outcome.OK]).all()
    assert (batches["error"] == [ErrorClass.NONE, ErrorClass.RPC_ERROR, ErrorClass.NONE]).all()
    assert ((batches["flags"] & REQUEST_MEMBER) == [0, REQUEST_MEMBER, REQUEST_MEMBER]).all()
    assert (batches["flags"] & REQUEST_PARTLY == REQUEST_PARTLY).all()
    assert not (records["flags"][np.isin(records["template"], (0, 5))] & (REQUEST_MEMBER | REQUEST_PARTLY)).any()
    for shared in ("scheduled_ns", "started_ns", "ended_ns", "connection", "status", "phase"):
        assert (batches[shared] == batches[shared][:, :1]).all(), shared
    reused = batches["flags"] & REQUEST_REUSED
    assert (reused == reused[:, :1]).all()
    assert (batches["started_ns"] > 0).all()


def test_a_batch_that_is_ok_is_not_marked(tmp_path: Path) -> None:
    requests = [{"batch": [{"method": "a"}, {"method": "c"}]}]
    records, _, _ = run(tmp_path, {"kind": "constant", "rate": "50/s", "duration": "200ms"}, requests=requests)
    assert set(records["outcome"]) == {Outcome.OK}
    assert not (records["flags"] & REQUEST_PARTLY).any()


def test_limits_count_requests(tmp_path: Path) -> None:
    load = {"kind": "constant", "rate": "100/s", "duration": "1s"}
    records, server, counts = run(tmp_path, load, delay_s=0.5, max_in_flight=10, max_requests=60, requests=[BATCH])
    batches = records.reshape(-1, 3)
    dropped = batches[batches["outcome"][:, 0] == Outcome.DROPPED]
    assert len(batches) == 60
    assert 10 <= len(server.sizes) == 60 - len(dropped) <= 30, "10 at once, each for half a second"
    assert (dropped["outcome"] == Outcome.DROPPED).all()
    assert (dropped["started_ns"] == 0).all()
    assert counts["dropped"] == dropped.size
    assert counts["sent"] == 3 * len(server.sizes)


def test_a_user_hears_of_a_batch_once(tmp_path: Path) -> None:
    records, server, _ = run(tmp_path, USERS, requests=[BATCH])
    assert server.sizes == [3] * 20
    assert np.bincount(leads(records)["user"]).tolist() == [0, 10, 10]
    assert np.bincount(records["user"]).tolist() == [0, 30, 30]


def test_what_ends_a_request_ends_all_of_its_calls(tmp_path: Path) -> None:
    load = {"kind": "constant", "rate": "50/s", "duration": "400ms"}
    records, _, _ = run(tmp_path, load, delay_s=1, timeout="100ms", requests=[BATCH])
    assert set(records["outcome"]) == {Outcome.FAILED}
    assert set(records["error"]) == {ErrorClass.TIMEOUT}
    records, _, _ = run(tmp_path, load, delay_s=3, stop_after=0.2, requests=[BATCH])
    assert set(records["outcome"]) == {Outcome.CANCELLED}
    assert len(records) % 3 == 0


class _Sent:
    """A session that keeps what it is given."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def send(self, call: Call) -> None:
        self.calls.append(call)


@pytest.mark.parametrize("step", [1, 2, 5])
def test_keys_of_a_batch_are_as_far_apart_as_all_of_a_worker_s(tmp_path: Path, step: int) -> None:
    stream = {"requests": [BATCH], "load": {"kind": "constant", "rate": "1/s", "duration": "1s"}}
    scenario = Scenario.model_validate({"name": "t", "workload": {"reads": stream}})
    keys = KeyCounter(BASE, Shard(0, step))
    recorder = Recorder(MappedWriter(tmp_path / "r", BASE), BASE)
    dispatcher = Dispatcher(scenario, "reads", keys, recorder, lambda: None)
    dispatcher.session = sent = _Sent()  # type: ignore[assignment]
    for _ in range(2):
        dispatcher.dispatch(1, 1, 0)
    found = [[call.key, *(other.key for other in call.others)] for call in sent.calls if isinstance(call, BatchCall)]
    assert found == [[BASE + (3 * first + place) * step for place in range(3)] for first in range(2)]
    assert keys.taken == 6
    for call in sent.calls:
        call.outcome, call.ended_ns = Outcome.OK, 5
        dispatcher.report(call)
    assert dispatcher.in_flight == 0
    assert len(MappedReader(tmp_path / "r", REQUEST).written("key")) == 6


def test_the_live_view_times_requests_and_counts_calls(tmp_path: Path) -> None:
    stream = {"requests": [BATCH, {"method": "m"}], "load": {"kind": "constant", "rate": "1/s", "duration": "1s"}}
    scenario = Scenario.model_validate({"name": "t", "workload": {"reads": stream}})
    recorder = Recorder(MappedWriter(tmp_path / "r", BASE), BASE)
    dispatcher = Dispatcher(scenario, "reads", KeyCounter(BASE), recorder, lambda: None)
    dispatcher.session = sent = _Sent()  # type: ignore[assignment]
    now = time.monotonic_ns()
    for template in (0, 3, 3):
        dispatcher.dispatch(now, now, 0, template)
    for call, took in zip(sent.calls, (900_000, 100_000, 100_000), strict=True):
        call.started_ns, call.ended_ns, call.outcome = now, now + took, Outcome.OK
        dispatcher.report(call)
    watcher = Watcher(scenario)
    watcher.follow(now, [tmp_path / "r"], {}, Conductor(scenario, {}, lambda *_, **__: None))
    snapshot = watcher.look(lambda _: None)
    assert (snapshot.ok, snapshot.done_per_s, snapshot.p50_ns) == (5, 3, 100_000)


def test_two_workers_send_the_batches_that_one_would(tmp_path: Path) -> None:
    requests = [{"method": "single"}, BATCH]
    load = {"kind": "constant", "rate": "200/s", "duration": "500ms"}
    found = []
    for workers in (1, 2):
        (tmp_path / str(workers)).mkdir()
        records, server, _ = run(tmp_path / str(workers), load, requests=requests, workers=workers)
        assert sorted(server.seen) == [
            (int(one["key"]), ["single", "a", "bad", "c"][one["template"]]) for one in records
        ], "a record has the key and the method of the call that was sent"
        due = np.sort(leads(records), order="scheduled_ns")
        found.append([(int(one["scheduled_ns"] - due["scheduled_ns"][0]), int(one["template"])) for one in due])
    assert found[0] == found[1]
    assert len(found[0]) == 100
