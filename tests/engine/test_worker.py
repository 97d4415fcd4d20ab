"""The load worker inside one process: what it sends, drops and writes down, against a server that keeps count."""

import asyncio
import gc
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from battle.core.keys import key_base
from battle.core.record_source import whole
from battle.core.recording import ARRIVAL, DRAWN
from battle.core.records import REQUEST, Outcome, Requests
from battle.core.scenario import Scenario
from battle.engine.collecting import gather, requests_file
from battle.engine.worker import LoadWorker

BASE = key_base(11)


@pytest.fixture(autouse=True)
def _collect() -> Iterator[None]:
    """A worker switches garbage collection off for its process; here that is the process of the tests."""
    yield
    gc.enable()
    gc.unfreeze()


class CountingServer:
    """Answers after a delay, and keeps the ids and methods it saw."""

    def __init__(self, delay_s: float) -> None:
        self.delay_s = delay_s
        self.seen: list[tuple[int, str]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(re.search(rb"content-length: (\d+)", head)[1])  # type: ignore[index]
                call = json.loads(await reader.readexactly(length))
                self.seen.append((call["id"], call["method"]))
                await asyncio.sleep(self.delay_s)
                body = json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": "0x1"})
                writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def run(
    tmp_path: Path,
    load: Any,
    *,
    delay_s: float = 0.0,
    stop_after: float | None = None,
    serving: type[CountingServer] = CountingServer,
    workers: int = 1,
    **stream: Any,
) -> tuple[Requests, CountingServer, dict[str, Any]]:
    """Send a stream's load; gives the records, the server, and the counts of the workers, added up."""
    settings = {"load": load, "requests": [{"method": "eth_blockNumber"}], **stream}
    scenario = Scenario.model_validate({"name": "t", "seed": 3, "workload": {"reads": settings}})
    counting = serving(delay_s)

    async def play() -> list[dict[str, Any]]:
        server = await asyncio.start_server(counting.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        order = {
            "key_base": BASE,
            "endpoint": {"host": "127.0.0.1", "port": port, "path": ""},
            "witness": None,
            "chain_id": None,
        }
        crew = []
        for index in range(workers):
            own = {"records": str(tmp_path / requests_file(index)), "shard": [index, workers]}
            crew.append(LoadWorker(scenario, order | own))
        start = time.monotonic_ns()
        for worker in crew:
            worker.start(start)
        if stop_after is not None:
            await asyncio.sleep(stop_after)
            for worker in crew:
                worker.stop("interrupted", cancel=True)
        counts = [await asyncio.wait_for(worker.wait(), 20) for worker in crew]
        for worker in crew:
            await worker.close()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=5)
        return counts

    counts = asyncio.run(play())
    total: dict[str, Any] = {name: sum(one[name] for one in counts) for name in ("sent", "dropped", "taken")}
    total["itself"] = [one["itself"] for one in counts]
    requests, _ = gather(tmp_path, lambda *_, **fields: pytest.fail(fields["text"]), workers)
    return whole(requests, REQUEST), counting, total | {"reason": counts[0]["reason"]}


def test_every_arrival_is_sent_once_and_written_down(tmp_path: Path) -> None:
    load = [
        {"kind": "constant", "rate": "200/s", "duration": "500ms"},
        {"kind": "poisson", "rate": "200/s", "duration": "500ms"},
    ]
    records, server, counts = run(tmp_path, load)
    assert records["key"].tolist() == list(range(BASE, BASE + len(records)))
    assert sorted(key for key, _ in server.seen) == records["key"].tolist()
    assert set(records["outcome"]) == {Outcome.OK}
    assert Counter(records["phase"].tolist())[0] == 100
    assert counts["sent"] == len(records)
    assert (records["started_ns"] >= records["scheduled_ns"]).all(), "sent before it was due"
    assert (records["ended_ns"] > records["started_ns"]).all()


def test_no_garbage_is_collected_during_the_load_and_the_worker_says_so(tmp_path: Path) -> None:
    _, _, counts = run(tmp_path, {"kind": "constant", "rate": "500/s", "duration": "500ms"})
    (itself,) = counts["itself"]
    assert (itself["gc_off"], itself["gc_collections"]) == (True, 0)
    assert itself["probes"] >= 48
    assert 0 < itself["cpu_share"] <= 1.2


def test_what_is_due_beyond_the_limit_is_dropped_and_counted(tmp_path: Path) -> None:
    load = {"kind": "constant", "rate": "100/s", "duration": "1s"}
    records, server, counts = run(tmp_path, load, delay_s=0.5, max_in_flight=10)
    dropped = records[records["outcome"] == Outcome.DROPPED]
    assert len(records) == 100
    assert len(dropped) == counts["dropped"] == 100 - len(server.seen)
    assert len(dropped) >= 70  # 10 in flight for half a second each: some 20 of 100 are sent
    assert (dropped["started_ns"] == 0).all()
    assert (dropped["ended_ns"] == 0).all()


def test_max_requests_ends_the_load(tmp_path: Path) -> None:
    records, _, _ = run(tmp_path, {"kind": "constant", "rate": "500/s", "duration": "10s"}, max_requests=25)
    assert len(records) == 25


def test_weights_are_followed_and_the_seed_decides(tmp_path: Path) -> None:
    requests = [{"method": "a", "weight": 3}, {"method": "b", "weight": 1}]
    load = {"kind": "constant", "rate": "1000/s", "duration": "800ms"}
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    first, server, _ = run(tmp_path / "1", load, requests=requests)
    second, _, _ = run(tmp_path / "2", load, requests=requests)
    share = Counter(method for _, method in server.seen)["a"] / len(first)
    assert abs(share - 0.75) < 5 * (0.75 * 0.25 / len(first)) ** 0.5
    assert np.array_equal(first["template"], second["template"])


def test_stopped_it_sends_no_more_and_cancels_what_is_in_flight(tmp_path: Path) -> None:
    load = {"kind": "constant", "rate": "50/s", "duration": "20s"}
    records, _, counts = run(tmp_path, load, delay_s=3.0, stop_after=0.4)
    assert counts["reason"] == "interrupted"
    assert set(records["outcome"]) == {Outcome.CANCELLED}
    assert 5 <= len(records) <= 60  # 20 in 0.4 s; wide, since the machine may be busy


def test_users_wait_think_and_stop_after_their_iterations(tmp_path: Path) -> None:
    load = {"kind": "users", "users": 4, "think_time": "20ms", "iterations": 5, "duration": "10s"}
    records, _, _ = run(tmp_path, load, delay_s=0.03)
    assert Counter(records["user"].tolist()) == {1: 5, 2: 5, 3: 5, 4: 5}
    for user in range(1, 5):
        own = records[records["user"] == user]
        gaps = own["scheduled_ns"][1:] - own["ended_ns"][:-1]
        assert (gaps == 20_000_000).all(), "the next turn is due when the thinking is over, however late the loop is"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_replay_sends_each_arrival_s_own_request_at_its_own_time(tmp_path: Path, workers: int) -> None:
    """Requests with weight 0 are sent by the replay only; phases around it draw, and a pause moves them."""
    offsets, positions = [0, 5_000_000, 5_000_000, 250_000_000], [1, 2, DRAWN, 1]
    np.save(tmp_path / "s.npy", np.array(list(zip(offsets, positions, strict=True)), ARRIVAL))
    recorded = {"first": 1, "parts": "4", "requests": "2 1", "drawn": 1, "schedule": str(tmp_path / "s.npy")}
    load = [
        {"kind": "constant", "rate": "50/s", "duration": "100ms"},
        {"kind": "pause", "duration": "100ms"},
        {"kind": "replay", "file": "x", "duration": "300ms", "recorded": recorded},
        {"kind": "constant", "rate": "50/s", "duration": "100ms"},
    ]
    requests = [{"method": "own"}, {"method": "one", "weight": 0}, {"method": "two", "weight": 0}]
    records, server, _ = run(tmp_path, load, requests=requests, workers=workers)
    assert records["template"].tolist() == [0] * 5 + [1, 2, 0, 1] + [0] * 5
    assert Counter(method for _, method in server.seen) == {"own": 11, "one": 2, "two": 1}
    after = records["scheduled_ns"] - records["scheduled_ns"][0]
    assert after[5:9].tolist() == [200_000_000 + offset for offset in offsets]
    assert after[9] == 500_000_000


@pytest.mark.parametrize(
    ("load", "stream", "at_least_s", "at_most_s"),
    [
        # what is planned is waited for: faults and windows end with the load
        (
            [{"kind": "constant", "rate": "10/s", "duration": "100ms"}, {"kind": "pause", "duration": "600ms"}],
            {},
            0.7,
            9,
        ),
        ({"kind": "constant", "rate": "1/s", "duration": "700ms"}, {}, 0.7, 9),
        # users who are done, and `max_requests`, end it early
        ({"kind": "users", "users": 1, "iterations": 2, "duration": "10s"}, {}, 0, 9),
        (
            [{"kind": "users", "users": 1, "duration": "1s"}, {"kind": "pause", "duration": "9s"}],
            {"max_requests": 3},
            0,
            9,
        ),
    ],
)
def test_the_load_lasts_as_long_as_its_open_phases(
    tmp_path: Path, load: Any, stream: dict[str, Any], at_least_s: float, at_most_s: float
) -> None:
    began = time.monotonic()
    records, _, _ = run(tmp_path, load, **stream)
    assert at_least_s <= time.monotonic() - began < at_most_s
    assert len(records)


def test_users_come_one_after_the_other_and_go_again(tmp_path: Path) -> None:
    load = [
        {"kind": "ramp_users", "from": 0, "to": 8, "think_time": "5ms", "duration": "800ms"},
        {"kind": "pause", "duration": "300ms"},
        {"kind": "ramp_users", "from": 8, "to": 0, "think_time": "5ms", "duration": "800ms"},
    ]
    records, _, _ = run(tmp_path, load)
    after_ms = (records["scheduled_ns"] - records["scheduled_ns"].min()) // 1_000_000
    up, down = records["phase"] == 0, records["phase"] == 2
    first_seen = [after_ms[up & (records["user"] == user)].min() for user in range(1, 9)]
    last_seen = [after_ms[down & (records["user"] == user)].max() for user in range(1, 9)]
    assert first_seen == sorted(first_seen)
    assert last_seen == sorted(last_seen, reverse=True)
    assert first_seen[-1] - first_seen[0] > 400
    assert last_seen[0] - last_seen[-1] > 400
    assert not (records["phase"] == 1).any()
    assert after_ms[down].min() - after_ms[up].max() >= 250


@pytest.mark.parametrize("workers", [1, 3])
def test_users_of_a_ramp_that_are_done_do_not_end_it_for_those_to_come(tmp_path: Path, workers: int) -> None:
    load = {"kind": "ramp_users", "from": 0, "to": 4, "iterations": 2, "duration": "800ms"}
    records, _, _ = run(tmp_path, load, workers=workers)
    assert Counter(records["user"].tolist()) == {1: 2, 2: 2, 3: 2, 4: 2}


MIXED = [{"method": "a", "weight": 3}, {"method": "b"}, {"method": "c", "weight": 2}]


def sequence(records: Requests) -> list[tuple[int, int, int]]:
    """What was due when, from the first: offset, phase and template, in the order of keys."""
    first = int(records["scheduled_ns"].min())
    return [(int(one["scheduled_ns"]) - first, int(one["phase"]), int(one["template"])) for one in records]


@pytest.mark.parametrize("workers", [2, 3])
def test_several_workers_send_what_one_would(workers: int, tmp_path: Path) -> None:
    load = [
        {"kind": "poisson", "rate": "300/s", "duration": "400ms"},
        {"kind": "constant", "rate": "200/s", "duration": "400ms"},
    ]
    (tmp_path / "one").mkdir()
    alone, _, _ = run(tmp_path / "one", load, requests=MIXED)
    (tmp_path / "many").mkdir()
    shared, server, counts = run(tmp_path / "many", load, requests=MIXED, workers=workers)
    assert sequence(shared) == sequence(alone)
    assert shared["key"].tolist() == list(range(BASE, BASE + len(alone))), "keys are as dense as those of one worker"
    assert sorted(key for key, _ in server.seen) == shared["key"].tolist()
    assert counts["sent"] == counts["taken"] == len(alone)


def test_each_user_belongs_to_one_worker(tmp_path: Path) -> None:
    load = {"kind": "users", "users": 5, "iterations": 4, "think_time": "10ms", "duration": "10s"}
    records, server, _ = run(tmp_path, load, workers=2)
    assert Counter(records["user"].tolist()) == dict.fromkeys(range(1, 6), 4)
    owner = (records["key"] - BASE) % 2
    assert np.array_equal(owner, (records["user"] - 1) % 2)
    assert len(server.seen) == 20


def test_a_worker_without_users_is_done_at_once(tmp_path: Path) -> None:
    load = {"kind": "users", "users": 1, "iterations": 3, "duration": "1h"}
    records, _, counts = run(tmp_path, load, workers=3)
    assert Counter(records["user"].tolist()) == {1: 3}
    assert counts["reason"] == "completed"


def test_max_requests_holds_over_all_workers(tmp_path: Path) -> None:
    load = {"kind": "constant", "rate": "500/s", "duration": "10s"}
    (tmp_path / "one").mkdir()
    alone, _, _ = run(tmp_path / "one", load, requests=MIXED, max_requests=25)
    (tmp_path / "many").mkdir()
    shared, _, _ = run(tmp_path / "many", load, requests=MIXED, max_requests=25, workers=3)
    assert len(shared) == 25
    assert sequence(shared) == sequence(alone)


def test_max_in_flight_holds_over_all_workers(tmp_path: Path) -> None:
    load = {"kind": "constant", "rate": "200/s", "duration": "500ms"}
    records, server, _ = run(tmp_path, load, delay_s=2.0, max_in_flight=7, workers=2)
    assert len(records) == 100
    assert len(server.seen) == 7, "nothing is answered before the load is over"
