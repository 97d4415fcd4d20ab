"""One connection, with a transport that only listens: order, keys, ends. Delays run on a loop of their own."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from providers.stage import BASE, raw, request
from providers.test_answers import planner

from battle.core.effects import Effect
from battle.core.keys import PROBE_ID, traceparent
from battle.core.records import ATTEMPT, Attempts, KeySource
from battle.providers.arrivals import ArrivalRecords
from battle.providers.chain import Chain
from battle.providers.exchange import Exchange
from battle.providers.rpc import Rpc
from battle.system.mapped import MappedReader


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.sent = b""
        self.closed = False

    def get_extra_info(self, name: str) -> None:
        return None

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.sent += data

    def close(self) -> None:
        self.closed = True

    def statuses(self) -> list[int]:
        return [int(part.split()[0]) for part in self.sent.split(b"HTTP/1.1 ")[1:]]

    def ids(self) -> list[int]:
        return [json.loads(part.partition(b"\r\n\r\n")[2])["id"] for part in self.sent.split(b"HTTP/1.1 ")[1:]]


class Bench:
    """A connection with its records."""

    def __init__(self, directory: Path, latency_ms: float = 0, *, block_time_ns: int = 1) -> None:
        self._path = directory / "records"
        self.planner = planner(latency_ms=latency_ms)
        records = ArrivalRecords(self._path, BASE, 3, 1000)
        self.exchange = Exchange(self.planner, Rpc(Chain(1, 0, block_time_ns), {}, BASE), records, 7)
        self.wire: Any = Wire()
        self.exchange.connection_made(self.wire)

    def records(self) -> Attempts:
        return MappedReader(self._path, ATTEMPT).written("arrived_ns")


def test_pipelined_messages_keep_their_own_headers(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    traced = [request(5, headers=f"traceparent: {traceparent(BASE + n)}\r\n") for n in range(3)]
    stream = traced[0] + request(6) + traced[1] + b"GET / HTTP/1.1\r\n\r\n" + traced[2]
    for chunk in (stream[:100], stream[100:101], stream[101:]):
        bench.exchange.data_received(chunk)
    found = bench.records()
    assert found["key"].tolist() == [BASE, 0, BASE + 1, 0, BASE + 2]
    assert found["key_source"].tolist() == [KeySource.HEADER, 0, KeySource.HEADER, 0, KeySource.HEADER]
    assert set(found["provider"]) == {3}
    assert set(found["incarnation"]) == {255}
    assert set(found["connection"]) == {7}


@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_bytes_may_come_in_any_pieces(size: int, tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    stream = b"".join(request(BASE + n) for n in range(5))
    for start in range(0, len(stream), size):
        bench.exchange.data_received(stream[start : start + size])
    assert bench.wire.ids() == [BASE + n for n in range(5)]


def test_a_chunked_body_is_read(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    body = json.dumps({"id": BASE, "method": "eth_chainId"}).encode()
    chunks = b"5\r\n" + body[:5] + b"\r\n" + b"%x\r\n" % (len(body) - 5) + body[5:] + b"\r\n0\r\n\r\n"
    bench.exchange.data_received(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n" + chunks)
    assert bench.wire.ids() == [BASE]


def test_head_is_answered_without_a_body_and_recorded(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.exchange.data_received(f"HEAD / HTTP/1.1\r\ntraceparent: {traceparent(BASE)}\r\n\r\n".encode())
    assert bench.wire.sent.endswith(b"\r\n\r\n")
    assert bench.records()["key"].tolist() == [BASE]


def test_after_a_last_message_nothing_is_heard(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench(tmp_path, latency_ms=5)
        last = request(BASE + 1, headers="connection: close\r\n")
        bench.exchange.data_received(request(BASE) + last + request(BASE + 2))
        bench.exchange.data_received(b"\r\n")
        assert not bench.wire.sent
        await asyncio.sleep(0.1)
        assert bench.wire.ids() == [BASE, BASE + 1]
        assert bench.wire.closed
        assert bench.records()["key"].tolist() == [BASE, BASE + 1]

    anyio.run(run)


def test_what_is_no_http_is_refused_after_the_answers_before_it(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench(tmp_path, latency_ms=5)
        bench.exchange.data_received(request(BASE) + b"nonsense\r\n\r\n")
        await asyncio.sleep(0.05)
        assert bench.wire.statuses() == [200]
        assert bench.wire.closed

    anyio.run(run)
    (tmp_path / "other").mkdir()
    bench = Bench(tmp_path / "other")
    bench.exchange.data_received(b"nonsense\r\n\r\n")
    assert (bench.wire.statuses(), bench.wire.closed) == ([400], True)


def test_a_peer_that_leaves_is_noted_on_all_that_waits(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.planner.put({0: [Effect(hang=True)]})
    batch = json.dumps([{"id": BASE + n, "method": "eth_chainId"} for n in range(2)]).encode()
    bench.exchange.data_received(raw(batch) + request(BASE + 2))
    bench.exchange.connection_lost(None)
    found = bench.records()
    assert (found["answered_ns"] == 0).all()
    assert (found["closed_ns"] >= found["arrived_ns"]).all()
    assert found["batch_index"].tolist() == [0, 1, 0]


def test_in_a_batch_an_rpc_error_is_for_the_calls_of_its_methods(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.planner.put({0: [Effect(rpc_error={"code": -5, "message": "m"}, methods=("eth_chainId",))]})
    batch = [{"id": BASE + n, "method": method} for n, method in enumerate(["eth_chainId", "eth_blockNumber"])]
    bench.exchange.data_received(raw(json.dumps(batch).encode()))
    answers = json.loads(bench.wire.sent.partition(b"\r\n\r\n")[2])
    assert ["error" in answer for answer in answers] == [True, False]
    found = bench.records()
    assert found["rpc_code"].tolist() == [-5, 0]
    assert found["executed"].tolist() == [0, 1]
    assert found["key_source"].tolist() == [KeySource.ID] * 2


def test_an_error_code_that_no_record_can_hold_is_answered_all_the_same(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.planner.put({0: [Effect(rpc_error={"code": 1 << 40, "message": "m"})]})
    bench.exchange.data_received(request(BASE))
    assert bench.wire.ids() == [BASE]
    assert bench.records()["rpc_code"].tolist() == [0]


def test_effects_that_stay_go_on_counting_when_others_come(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    every_third = [Effect(status=500, every_nth=3)]
    bench.planner.put({0: every_third})
    bench.exchange.data_received(request(BASE) + request(BASE))
    bench.planner.put({0: every_third, 1: [Effect(headers={"x": "y"})]})
    bench.exchange.data_received(request(BASE))
    assert bench.wire.statuses() == [200, 200, 500]


def chunked(body: bytes, headers: str = "", trailer: str = "") -> bytes:
    pieces = [body[at : at + 9] for at in range(0, len(body), 9)]
    head = f"POST / HTTP/1.1\r\n{headers}Transfer-Encoding: Chunked\r\n\r\n".encode()
    return head + b"".join(b"%x;x=1\r\n%b\r\n" % (len(it), it) for it in pieces) + f"0\r\n{trailer}\r\n".encode()


@pytest.mark.parametrize("size", [1, 50, 1000])
@pytest.mark.parametrize("trailer", ["", "x: y\r\n"])
def test_what_comes_between_messages_belongs_to_none(trailer: str, size: int, tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    traces = [f"traceparent: {traceparent(BASE + n)}\r\n" for n in range(3)]
    last = f"GET /health HTTP/1.1\r\n{traces[2]}\r\n".encode()
    stream = chunked(b'{"id":5}', traces[0], trailer) + chunked(b"", traces[1]) + b"\r\n\r\n" + last
    for at in range(0, len(stream), size):
        bench.exchange.data_received(stream[at : at + size])
    assert bench.records()["key"].tolist() == [BASE, BASE + 1, BASE + 2]
    assert bench.wire.statuses() == [200, 200, 200]


def test_nothing_overtakes_an_answer_that_hangs_though_the_fault_is_over(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.planner.put({0: [Effect(hang=True)]})
    bench.exchange.data_received(request(BASE))
    bench.planner.put({})
    bench.exchange.data_received(request(BASE + 1))
    assert not bench.wire.sent
    assert bench.records()["answered_ns"].tolist() == [0, 0]


def _calls() -> st.SearchStrategy[Any]:
    """Bodies of a call: ids that are keys or not, methods that are there or not, parameters right or wrong."""
    return st.fixed_dictionaries(
        {
            "id": st.sampled_from([BASE + 1, BASE + 2, str(BASE + 3), float(BASE + 4), 5, None, PROBE_ID, [1]]),
            "method": st.sampled_from(["eth_blockNumber", "eth_getBalance", "eth_getBlockByNumber", "eth_nonsense", 7]),
            "params": st.sampled_from([[], ["0x5"], [BASE + 6], {"a": 1}, None]),
        }
    )


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    trace = draw(st.sampled_from(["", f"TraceParent: {traceparent(BASE + 9)}\r\n"]))
    before = draw(st.sampled_from([b"", b"", b"\r\n", b"\r\n\r\n"]))
    match draw(st.sampled_from(["call", "call", "call", "batch", "chunked", "get", "wrong"])):
        case "call":
            return before + raw(json.dumps(draw(_calls())).encode(), trace)
        case "batch":
            return before + raw(json.dumps(draw(st.lists(_calls(), max_size=3))).encode(), trace)
        case "chunked":
            body = draw(st.sampled_from([b"", json.dumps(draw(_calls())).encode(), b'{"id":1}']))
            return before + chunked(body, trace, draw(st.sampled_from(["", "x: y\r\n"])))
        case "get":
            return before + f"GET /health HTTP/1.1\r\n{trace}\r\n".encode()
    return before + raw(draw(st.sampled_from([b"5", b"{", b"\r\n\r\n", b"0\r\n\r\n"])), trace)


def told(bench: Bench) -> tuple[bytes, list[Any]]:
    """What was sent, and the records without their instants."""
    found = bench.records()
    assert ((found["answered_ns"] == 0) | (found["answered_ns"] >= found["arrived_ns"])).all()
    columns = [name for name in ATTEMPT.names or () if name not in {"arrived_ns", "answered_ns"}]
    return bench.wire.sent, np.column_stack([found[name] for name in columns]).tolist()


@given(st.lists(messages(), min_size=1, max_size=4), st.data())
def test_bytes_and_records_do_not_depend_on_pieces_nor_on_the_short_way(said: list[bytes], data: st.DataObject) -> None:
    """One message at a time and one call at once is the short way; an effect that meets nothing bars it."""
    stream = b"".join(said)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(stream) - 1), max_size=5)))
    with tempfile.TemporaryDirectory() as name:
        benches = []
        for short, pieces in (
            (True, said),
            (False, said),
            (True, [stream]),
            (True, [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]),
            (False, [stream[at : at + 1] for at in range(len(stream))]),
        ):
            directory = Path(name) / str(len(benches))
            directory.mkdir()
            bench = Bench(directory, block_time_ns=1 << 62)
            if not short:
                bench.planner.put({0: [Effect(methods=("none",))]})
            for piece in pieces:
                bench.exchange.data_received(piece)
            benches.append(told(bench))
    assert len(benches[0][0].split(b"HTTP/1.1 ")) == len(said) + 1
    assert all(each == benches[0] for each in benches[1:])
