"""Reading messages and answering calls, without sockets."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battle.core.keys import ADDRESS_PREFIX, key_base, traceparent
from battle.core.records import NO_HEIGHT, KeySource
from battle.providers.chain import GENESIS_HEIGHT, Chain
from battle.providers.methods import MethodError, result_of
from battle.providers.rpc import Answered, Asked, Rpc

BASE = key_base(77)
OTHER = key_base(78)
KEY = BASE + 9
ADDRESS = f"{ADDRESS_PREFIX}{KEY:014x}"


def rpc(**methods: Any) -> Rpc:
    return Rpc(Chain(1, 0, 1_000_000_000), methods, BASE)


def read(document: Any, trace: int | None = None) -> tuple[list[Asked], bool]:
    header = f"traceparent: {traceparent(trace)}\r\n" if trace is not None else ""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return rpc().read(f"POST / HTTP/1.1\r\n{header}\r\n".encode() + body, body)


def call(identity: Any, *params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identity, "method": "eth_call", "params": list(params)}


@pytest.mark.parametrize(
    ("document", "trace", "key", "source"),
    [
        (call(KEY), None, KEY, KeySource.ID),
        (call(KEY, BASE + 1), BASE + 2, KEY, KeySource.ID),  # the id comes first
        (call(str(KEY)), None, KEY, KeySource.ID),  # a proxy that makes strings of ids, or floats
        (call(7), KEY, KEY, KeySource.HEADER),
        (call(7, BASE + 1), KEY, KEY, KeySource.HEADER),  # then the header
        (call(7, ADDRESS), None, KEY, KeySource.PARAM),
        (call(7, {"to": [ADDRESS]}), None, KEY, KeySource.PARAM),
        (call(7, KEY), None, KEY, KeySource.PARAM),
        (call(7, KEY), OTHER, KEY, KeySource.PARAM),  # a header of another run
        (call(OTHER), None, 0, KeySource.NONE),
        (call(float(OTHER)), None, 0, KeySource.NONE),
        (call(0.5), None, 0, KeySource.NONE),
        (call(True), None, 0, KeySource.NONE),
        (call(None), None, 0, KeySource.NONE),
        (call(float(KEY)), None, KEY, KeySource.ID),
        (b"{nonsense", KEY, KEY, KeySource.HEADER),
        (b"{nonsense", None, 0, KeySource.NONE),
        (b"", KEY, KEY, KeySource.HEADER),
    ],
)
def test_where_the_key_is_found(document: Any, trace: int | None, key: int, source: KeySource) -> None:
    (asked,), batch = read(document, trace)
    assert (asked.key, asked.source, batch) == (key, source, False)


def test_each_call_of_a_batch_has_its_own_key_and_never_the_header() -> None:
    asked, batch = read([call(KEY), call(1, BASE + 3), call(2), 5], trace=BASE + 8)
    assert batch
    assert [one.key for one in asked] == [KEY, BASE + 3, 0, 0]
    assert read([call(1)], trace=KEY)[0][0].key == KEY


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"{nonsense", -32700),
        (b"\xff", -32700),
        (5, -32600),
        ([], -32600),
        ([5], -32600),
        ({}, -32600),
        ({"id": 1, "method": 5}, -32600),
        ({"id": 1, "method": "eth_nonsense"}, -32601),
        ({"id": 1, "method": "eth_getBlockByNumber", "params": [{}]}, -32602),
        ({"id": 1, "method": "eth_getBlockByNumber", "params": ["-0x5"]}, -32602),
        ({"id": 1, "method": "eth_getBalance", "params": {}}, -32602),
    ],
)
def test_what_is_refused(document: Any, code: int) -> None:
    (asked,), _ = read(document)
    answered = rpc().answer(asked, None)
    assert answered.reply["error"]["code"] == answered.rpc_code == code
    assert answered.reply["id"] == (document.get("id") if isinstance(document, dict) else None)
    assert (answered.executed, answered.height) == (False, NO_HEIGHT)


def test_a_request_without_a_body_is_greeted() -> None:
    (asked,), batch = rpc().read(b"GET /health?x=1 HTTP/1.1\r\nhost: x\r\n\r\n", b"")
    assert (asked.method, asked.plain, batch) == ("GET /health?x=1", True, False)
    assert rpc().answer(asked, None).reply["mock"] == "battle"


def test_a_fault_comes_before_the_settings_of_a_method_and_those_before_the_chain() -> None:
    made = rpc(eth_call={"error": {"code": 3, "message": "reverted"}}, eth_chainId={"result": "0x7", "latency_ns": 5})
    (asked,), _ = read(call(KEY, "0x1"))
    assert made.answer(asked, {"code": -1, "message": "m"}).rpc_code == -1
    assert made.answer(asked, None).rpc_code == 3
    (chain,), _ = read({"id": KEY, "method": "eth_chainId"})
    assert made.answer(chain, None) == Answered(
        {"jsonrpc": "2.0", "id": KEY, "result": "0x7"}, NO_HEIGHT, 0, executed=True
    )
    assert made.latency_ns([asked, chain]) == 5
    assert (made.slows, rpc().slows, rpc(eth_call={"latency_ns": 0}).slows) == (True, False, False)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from(["id", "method", "params", "x"]), inner)))  # fmt: skip
def test_any_json_gets_an_answer(document: Any) -> None:
    asked, batch = read(document)
    replies = [rpc().answer(one, None).reply for one in asked]
    assert replies
    assert batch == (isinstance(document, list) and bool(document))
    assert all(("error" in reply) != ("result" in reply) for reply in replies)


@given(st.integers(0, 1 << 40))
def test_a_block_is_found_again_by_its_hash(height: int) -> None:
    chain = Chain(1, 0, 1)
    block = result_of(chain, "eth_getBlockByNumber", [hex(height)], height)
    assert result_of(chain, "eth_getBlockByHash", [block["hash"]], height) == block
    assert result_of(chain, "eth_getBlockByHash", [block["hash"]], height - 1) is None
    assert len(block["hash"]) == len(block["parentHash"]) == 66


@pytest.mark.parametrize("wanted", ["0x1", "", None, {}, Chain(2, 0, 1).block_hash(5), "0x" + "0" * 64])
def test_an_unknown_hash_is_no_block(wanted: Any) -> None:
    assert result_of(Chain(1, 0, 1), "eth_getBlockByHash", [wanted], GENESIS_HEIGHT) is None


def test_no_parameter_at_all() -> None:
    with pytest.raises(MethodError):
        result_of(Chain(1, 0, 1), "eth_getBlockByHash", [], 1)
