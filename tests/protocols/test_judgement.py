"""What answers are worth."""

import json
from typing import Any

import pytest

from battle.core.ports.wire import Call, StreamPlan
from battle.core.records import ErrorClass, Outcome
from battle.core.scenario import HttpRequest, RpcRequest
from battle.protocols.judgement import judge_for

KEY = 1 << 52


def judged(request: RpcRequest | HttpRequest, body: bytes, status: int = 200, chain_id: int | None = None) -> Call:
    call = Call(KEY, 0, 0, status=status)
    judge_for(request, StreamPlan(None, 0, 1, chain_id=chain_id))(call, body)
    return call


def reply(**fields: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": KEY, **fields}).encode()


BLOCK = RpcRequest(method="eth_blockNumber")


@pytest.mark.parametrize(
    ("request_", "body", "status", "error"),
    [
        (BLOCK, reply(result="0x10"), 200, ErrorClass.NONE),
        (BLOCK, reply(result=None), 200, ErrorClass.NULL_RESULT),
        (RpcRequest(method="eth_getTransactionReceipt"), reply(result=None), 200, ErrorClass.NONE),  # not yet mined
        (BLOCK, reply(result="0x10", id=5), 200, ErrorClass.WRONG_ID),
        (BLOCK, reply(result="0x10", id=str(KEY)), 200, ErrorClass.WRONG_ID),  # a number must stay a number
        (BLOCK, reply(), 200, ErrorClass.INVALID),
        (BLOCK, b"<html>", 200, ErrorClass.INVALID),
        (BLOCK, b"[]", 200, ErrorClass.INVALID),
        (BLOCK, b"", 200, ErrorClass.INVALID),
        (BLOCK, reply(result="0x10"), 503, ErrorClass.HTTP_5XX),
        (BLOCK, reply(result="0x10"), 404, ErrorClass.HTTP_4XX),
        (BLOCK, reply(result="0x10"), 302, ErrorClass.UNEXPECTED),
        (BLOCK, reply(error={"code": -32000, "message": "x"}), 200, ErrorClass.RPC_ERROR),
        (BLOCK, reply(error={"code": -32601, "message": "x"}), 200, ErrorClass.RPC_CLIENT_ERROR),
        (BLOCK, reply(error="boom"), 200, ErrorClass.INVALID),
        (RpcRequest(method="eth_call"), reply(error={"code": 3, "message": "m"}), 200, ErrorClass.NONE),
        (
            RpcRequest(method="eth_call"),
            reply(error={"code": -1, "message": "execution reverted"}),
            200,
            ErrorClass.NONE,
        ),
        (BLOCK, reply(error={"code": 3, "message": "m"}), 200, ErrorClass.RPC_ERROR),  # not a call: no revert
        (
            RpcRequest(method="m", write=True),
            reply(error={"code": -1, "message": "already known"}),
            200,
            ErrorClass.NONE,
        ),
        (RpcRequest(method="m"), reply(error={"code": -1, "message": "already known"}), 200, ErrorClass.RPC_ERROR),
        (RpcRequest(method="m", expect={"error": [7]}), reply(error={"code": 7, "message": ""}), 200, ErrorClass.NONE),
        (
            RpcRequest(method="m", expect={"error": "any"}),
            reply(error={"code": 8, "message": ""}),
            200,
            ErrorClass.NONE,
        ),
        (RpcRequest(method="m", expect={"id": "any"}), reply(id=9, result=1), 200, ErrorClass.NONE),
        (RpcRequest(method="m", expect={"result_matches": "^0x1"}), reply(result="0x10"), 200, ErrorClass.NONE),
        (RpcRequest(method="m", expect={"result_matches": "^0x1"}), reply(result="0x20"), 200, ErrorClass.UNEXPECTED),
        (RpcRequest(method="m", expect={"json": {"a": 1}}), reply(result={"a": 1, "b": 2}), 200, ErrorClass.NONE),
        (RpcRequest(method="m", expect={"json": {"a": 1}}), reply(result={"a": 2}), 200, ErrorClass.UNEXPECTED),
        (RpcRequest(method="m", expect={"max_bytes": "1KB"}), reply(result="x" * 2000), 200, ErrorClass.UNEXPECTED),
        (HttpRequest(verb="GET"), b"anything", 204, ErrorClass.NONE),
        (HttpRequest(verb="GET", expect={"status": [404]}), b"", 404, ErrorClass.NONE),
        (HttpRequest(verb="GET", expect={"status": 201}), b"", 200, ErrorClass.UNEXPECTED),
        (HttpRequest(verb="GET", expect={"json": {"up": True}}), b"nonsense", 200, ErrorClass.INVALID),
    ],
)
def test_rows(request_: RpcRequest | HttpRequest, body: bytes, status: int, error: ErrorClass) -> None:
    call = judged(request_, body, status)
    assert call.error is error
    assert call.outcome is (Outcome.OK if error is ErrorClass.NONE else Outcome.FAILED)


def test_the_height_is_read_and_the_error_code_kept() -> None:
    assert judged(BLOCK, reply(result="0x1f")).height == 31
    assert judged(BLOCK, reply(result="soon")).height == -1
    assert judged(BLOCK, reply(result="0x" + "f" * 64)).height == -1  # a record has no room for it
    assert judged(BLOCK, reply(error={"code": -32000, "message": ""})).rpc_code == -32000
    assert judged(BLOCK, reply(error={"code": 1 << 40, "message": ""})).rpc_code == (1 << 31) - 1


@pytest.mark.parametrize(("result", "error"), [("0x1", ErrorClass.NONE), ("0x2", ErrorClass.WRONG_CHAIN)])
def test_another_chain_is_found_out(result: str, error: ErrorClass) -> None:
    assert judged(RpcRequest(method="eth_chainId"), reply(result=result), chain_id=1).error is error
