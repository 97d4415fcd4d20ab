"""What an answer is worth: ok, or failed with which error class.

JSON-RPC: an error object in an HTTP 200 is a failure, but for the codes that a request expects. Bad JSON, another
request's id, a null result where the method allows none, and another chain's id have error classes of their own. Each
call of a batch is judged as it would be alone, on its own object of the array.
"""

import re
from collections.abc import Callable
from typing import Any

import orjson

from battle.core.ports.wire import BatchCall, Call, StreamPlan
from battle.core.records import NO_HEIGHT, ErrorClass, Outcome
from battle.core.scenario import BatchRequest, Expect, HttpRequest, RpcCall, RpcRequest
from battle.protocols.batches import answers

Judge = Callable[[Call, bytes], None]
"""Completes a call from its status (already set) and body: outcome, error, rpc_code, height."""

_CLIENT_ERRORS = frozenset({-32600, -32601, -32602})
_REVERTED = 3
_NEVER_NULL = frozenset(
    {
        "eth_blockNumber",
        "eth_call",
        "eth_chainId",
        "eth_estimateGas",
        "eth_feeHistory",
        "eth_gasPrice",
        "eth_getBalance",
        "eth_getCode",
        "eth_getLogs",
        "eth_getStorageAt",
        "eth_getTransactionCount",
        "eth_sendRawTransaction",
        "net_version",
        "web3_clientVersion",
    }
)
_ABSENT = object()
_HEIGHTS = 1 << 63
"""What a record has room for."""
_HTTP_USUAL = 200
_HTTP_OK = range(200, 300)
_HTTP_SERVER_ERROR = 500
_HTTP_CLIENT_ERROR = 400


def judge_for(request: RpcRequest | BatchRequest | HttpRequest, plan: StreamPlan) -> Judge:
    """The judge of one request's answers; that of a batch is given a BatchCall."""
    if isinstance(request, BatchRequest):
        return _batch_judge(request, plan.chain_id)
    return _http_judge(request) if isinstance(request, HttpRequest) else _rpc_judge(request, plan.chain_id)


def most_bytes(request: RpcRequest | BatchRequest | HttpRequest) -> int | None:
    """How large the body of an answer may be; None for a batch, whose calls have limits of their own."""
    return None if isinstance(request, BatchRequest) else request.expect.max_bytes


def _fail(call: Call, error: ErrorClass) -> None:
    call.outcome = Outcome.FAILED
    call.error = error


def _status_error(status: int, expect: Expect) -> ErrorClass | None:
    if expect.status is not None:
        wanted = expect.status if isinstance(expect.status, list) else [expect.status]
        if status in wanted:
            return None
    elif status in _HTTP_OK:
        return None
    if status >= _HTTP_SERVER_ERROR:
        return ErrorClass.HTTP_5XX
    return ErrorClass.HTTP_4XX if status >= _HTTP_CLIENT_ERROR else ErrorClass.UNEXPECTED


def _holds(wanted: Any, found: Any) -> bool:
    """Whether `found` has everything that `wanted` has: objects by key, the rest by equality."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(key in found and _holds(wanted[key], found[key]) for key in wanted)
    return bool(wanted == found)


def _http_judge(request: HttpRequest) -> Judge:
    expect = request.expect
    matches = re.compile(expect.result_matches) if expect.result_matches else None
    checks_body = expect.max_bytes is not None or matches is not None or expect.json_ is not None
    usual_status = _HTTP_USUAL if expect.status is None and not checks_body else None
    ok = Outcome.OK

    def judge(call: Call, body: bytes) -> None:
        if call.status == usual_status:
            call.outcome = ok
            return
        error = _status_error(call.status, expect)
        if error is None and expect.max_bytes is not None and len(body) > expect.max_bytes:
            error = ErrorClass.UNEXPECTED
        if error is None and matches and not matches.search(body.decode("utf-8", "replace")):
            error = ErrorClass.UNEXPECTED
        if error is None and expect.json_ is not None:
            try:
                error = None if _holds(expect.json_, orjson.loads(body)) else ErrorClass.UNEXPECTED
            except orjson.JSONDecodeError:
                error = ErrorClass.INVALID
        if error is None:
            call.outcome = ok
        else:
            _fail(call, error)

    return judge


def _batch_judge(request: BatchRequest, chain_id: int | None) -> Judge:
    judges = [_rpc_judge(one, chain_id, loads=_as_it_is, size=_written_size) for one in request.batch]

    def judge(call: Call, body: bytes) -> None:
        calls = (call, *call.others) if isinstance(call, BatchCall) else (call,)
        found = answers(body, [one.key for one in calls])
        for one, judge_one, answer in zip(calls, judges, found, strict=True):
            one.status = call.status
            judge_one(one, answer)

    return judge


def _as_it_is(answer: Any) -> Any:
    return answer


def _written_size(answer: Any) -> int:
    return len(orjson.dumps(answer))


def _rpc_judge(  # noqa: C901  (the hot path is one closure)
    request: RpcCall,
    chain_id: int | None,
    *,
    loads: Callable[[Any], Any] = orjson.loads,
    size: Callable[[Any], int] = len,
) -> Callable[[Call, Any], None]:
    """The judge of a call's answer: of its text, or of whatever `loads` and `size` know how to take."""
    expect = request.expect
    method = request.method
    never_null = method in _NEVER_NULL
    tells_height = method == "eth_blockNumber"
    any_id = expect.id == "any"
    chain = hex(chain_id) if chain_id is not None and method == "eth_chainId" else None
    check_result = _result_check(expect)
    usual_status = _HTTP_USUAL if expect.status is None else None
    ok = Outcome.OK

    def judge(call: Call, body: Any) -> None:  # noqa: C901, PLR0911  (a ladder: each rung is one way to fail)
        if call.status != usual_status:
            error = _status_error(call.status, expect)
            if error is not None:
                return _fail(call, error)
        try:
            reply = loads(body)
        except orjson.JSONDecodeError:
            return _fail(call, ErrorClass.INVALID)
        if type(reply) is not dict:
            return _fail(call, ErrorClass.INVALID)
        if not any_id and reply.get("id") != call.key:
            return _fail(call, ErrorClass.WRONG_ID)
        if reply.get("error") is not None:
            return _judge_error(call, reply["error"], request)
        result = reply.get("result", _ABSENT)
        if result is _ABSENT:
            return _fail(call, ErrorClass.INVALID)
        if result is None and never_null:
            return _fail(call, ErrorClass.NULL_RESULT)
        if chain is not None and result != chain:
            return _fail(call, ErrorClass.WRONG_CHAIN)
        if tells_height:
            try:
                height = int(result, 16)
            except (TypeError, ValueError):
                height = NO_HEIGHT
            call.height = height if 0 <= height < _HEIGHTS else NO_HEIGHT
        if check_result is not None and not check_result(result, size(body)):
            return _fail(call, ErrorClass.UNEXPECTED)
        call.outcome = ok
        return None

    return judge


def _judge_error(call: Call, error: Any, request: RpcCall) -> None:
    code = error.get("code") if isinstance(error, dict) else None
    if not isinstance(code, int) or not isinstance(error, dict):
        return _fail(call, ErrorClass.INVALID)
    call.rpc_code = max(-(1 << 31), min(code, (1 << 31) - 1))
    if _expected_error(code, str(error.get("message", "")), request):
        call.outcome = Outcome.OK
        return None
    return _fail(call, ErrorClass.RPC_CLIENT_ERROR if code in _CLIENT_ERRORS else ErrorClass.RPC_ERROR)


def _expected_error(code: int, message: str, request: RpcCall) -> bool:
    expected = request.expect.error
    if expected is not None:
        return expected == "any" or code in expected
    if request.method in {"eth_call", "eth_estimateGas"}:
        return code == _REVERTED or "execution reverted" in message
    return request.write and "already known" in message


def _result_check(expect: Expect) -> Callable[[Any, int], bool] | None:
    if expect.result_matches is None and expect.json_ is None and expect.max_bytes is None:
        return None
    matches = re.compile(expect.result_matches) if expect.result_matches else None

    def check(result: Any, size: int) -> bool:
        if expect.max_bytes is not None and size > expect.max_bytes:
            return False
        if matches is not None:
            text = result if isinstance(result, str) else orjson.dumps(result).decode()
            if not matches.search(text):
                return False
        return expect.json_ is None or _holds(expect.json_, result)

    return check
