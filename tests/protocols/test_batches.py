"""Batches: every call is judged on its own object, found by its id."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocols.stage import BASE, SPEAKERS, Asked, Behaviour, Speaker, Stage

from battle.core.ports.wire import BatchCall, Call, StreamPlan
from battle.core.records import ErrorClass, Outcome
from battle.core.scenario import BatchRequest, Stream
from battle.protocols.batches import answers
from battle.protocols.judgement import judge_for

KEYS = [BASE, BASE + 1, BASE + 2]
BLOCKS = {"batch": [{"method": "eth_blockNumber"}] * 3}
GOOD = [{"id": key, "result": hex(number)} for number, key in enumerate(KEYS, 1)]
REFUSED = {"id": None, "error": {"code": -32600, "message": "no batches here"}}
OK, WRONG_ID, INVALID = ErrorClass.NONE, ErrorClass.WRONG_ID, ErrorClass.INVALID


def judged(
    body: Any, batch: dict[str, Any] = BLOCKS, status: int = 200, keys: list[int] = KEYS, chain: int | None = None
) -> list[Call]:
    """The calls of a batch after an answer."""
    stream = Stream.model_validate({"requests": [batch], "load": {"kind": "constant", "rate": "1/s", "duration": "1s"}})
    first, *others = keys
    call = BatchCall(first, 0, 0, others=tuple(Call(key, number, 0) for number, key in enumerate(others, 1)))
    call.status = status
    text = body if isinstance(body, bytes) else orjson.dumps(body)
    judge_for(stream.requests[0], StreamPlan(stream, 0, 1, chain_id=chain))(call, text)
    return [call, *call.others]


def errors(body: Any, batch: dict[str, Any] = BLOCKS, status: int = 200) -> list[ErrorClass]:
    calls = judged(body, batch, status)
    assert all(call.outcome is (Outcome.FAILED if call.error else Outcome.OK) for call in calls)
    return [call.error for call in calls]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (GOOD, [OK, OK, OK]),
        (GOOD[::-1], [OK, OK, OK]),  # in any order
        (GOOD[:2], [OK, OK, WRONG_ID]),  # one is missing
        ([*GOOD[:2], {"id": 7, "result": "0x1"}], [OK, OK, WRONG_ID]),  # and another's is there
        ([*GOOD, {"id": 7, "result": "0x1"}], [OK, OK, OK]),  # a surplus answer is nobody's
        ([*GOOD, "what", None, [], {"result": 1}, {"id": [1]}], [OK, OK, OK]),
        ([*GOOD, GOOD[1]], [OK, WRONG_ID, OK]),  # answered twice: which of them is it?
        ([{"id": str(KEYS[0]), "result": "0x1"}, *GOOD[1:]], [WRONG_ID, OK, OK]),  # a number must stay a number
        ([{"id": KEYS[0], "result": None}, *GOOD[1:]], [ErrorClass.NULL_RESULT, OK, OK]),
        ([{"id": KEYS[0]}, *GOOD[1:]], [INVALID, OK, OK]),
        ([{"id": KEYS[0], "error": {"code": -32000}}, *GOOD[1:]], [ErrorClass.RPC_ERROR, OK, OK]),
        (REFUSED, [ErrorClass.RPC_CLIENT_ERROR] * 3),
        ({"error": {"code": -32005, "message": "slow down"}}, [ErrorClass.RPC_ERROR] * 3),
        ({"error": "boom"}, [INVALID] * 3),
        (GOOD[0], [INVALID] * 3),  # no array
        ([], [INVALID] * 3),
        (b"", [INVALID] * 3),
        (b"[{", [INVALID] * 3),
        (b"3", [INVALID] * 3),
    ],
)
def test_rows(body: Any, found: list[ErrorClass]) -> None:
    assert errors(body) == found


@pytest.mark.parametrize(
    ("status", "error"), [(500, ErrorClass.HTTP_5XX), (429, ErrorClass.HTTP_4XX), (302, ErrorClass.UNEXPECTED)]
)
@pytest.mark.parametrize("body", [GOOD, b"<html>", REFUSED])
def test_a_status_is_that_of_every_call(body: Any, status: int, error: ErrorClass) -> None:
    calls = judged(body, status=status)
    assert [(call.error, call.status) for call in calls] == [(error, status)] * 3


def test_each_call_has_its_own_expectations() -> None:
    batch = {
        "batch": [
            {"method": "m", "expect": {"result_matches": "^a$"}},
            {"method": "m", "expect": {"max_bytes": "40B"}},
            {"method": "m", "expect": {"error": [7], "status": [200, 500]}},
        ]
    }
    body = [
        {"id": KEYS[2], "error": {"code": 7}},
        {"id": KEYS[1], "result": "x" * 60},
        {"id": KEYS[0], "result": "a"},
    ]
    assert errors(body, batch) == [OK, ErrorClass.UNEXPECTED, OK]
    assert errors([*body[:1], {"id": KEYS[1], "result": "x"}, body[2]], batch) == [OK, OK, OK]
    assert errors(body, batch, 500) == [ErrorClass.HTTP_5XX, ErrorClass.HTTP_5XX, OK]
    assert errors({"error": {"code": 7}}, batch) == [ErrorClass.RPC_ERROR, ErrorClass.RPC_ERROR, OK]


def test_heights_and_codes_are_each_calls_own() -> None:
    batch = {"batch": [{"method": "eth_blockNumber"}, {"method": "eth_call"}, {"method": "eth_chainId"}]}
    body = [
        {"id": KEYS[2], "result": "0x2"},
        {"id": KEYS[1], "error": {"code": 3, "message": "reverted"}},
        {"id": KEYS[0], "result": "0x1f"},
    ]
    calls = judged(body, batch, chain=1)
    assert [call.height for call in calls] == [31, -1, -1]
    assert [call.rpc_code for call in calls] == [0, 3, 0]
    assert [call.error for call in calls] == [OK, OK, ErrorClass.WRONG_CHAIN]


ANSWERS = st.sampled_from(KEYS).flatmap(
    lambda key: st.sampled_from(
        [
            {"id": key, "result": "0x5"},
            {"id": key, "result": None},
            {"id": key, "error": {"code": -32000, "message": "x"}},
            {"id": key},
            {"id": 1, "result": "0x5"},
            "noise",
        ]
    )
)


@given(st.lists(ANSWERS, min_size=1, max_size=6).flatmap(lambda all_: st.tuples(st.just(all_), st.permutations(all_))))
def test_the_order_of_the_answers_says_nothing(both: tuple[list[Any], list[Any]]) -> None:
    def ends(body: list[Any]) -> list[tuple[Any, ...]]:
        return [(call.outcome, call.error, call.rpc_code, call.height) for call in judged(body)]

    assert ends(both[0]) == ends(both[1])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 60), 1 << 60) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.sampled_from(["id", "result", "error", "x"]), below),
    max_leaves=12,
)


@given(JSON | st.lists(ANSWERS, max_size=5), st.lists(st.sampled_from(range(BASE, BASE + 9)), unique=True, min_size=1))
def test_whatever_is_said_every_call_is_judged(body: Any, keys: list[int]) -> None:
    batch = {"batch": [{"method": "eth_blockNumber"}] * len(keys)}
    calls = judged(body, batch, keys=keys)
    assert all(call.outcome in {Outcome.OK, Outcome.FAILED} for call in calls)
    assert len(answers(orjson.dumps(body), keys)) == len(keys)


def test_a_batch_of_one_is_answered_by_an_array() -> None:
    one = BatchRequest.model_validate({"batch": [{"method": "m"}]})
    assert [call.error for call in judged(GOOD[:1], one.model_dump(by_alias=True), keys=KEYS[:1])] == [OK]
    assert [call.error for call in judged(GOOD[0], one.model_dump(by_alias=True), keys=KEYS[:1])] == [INVALID]


async def in_another_order(asked: Asked) -> None:
    calls = orjson.loads(asked.body)
    asked.answer(200, orjson.dumps([{"id": call["id"], "result": hex(call["id"] - BASE)} for call in calls[::-1]]))


async def unavailable(asked: Asked) -> None:
    asked.answer(503, b"busy")


async def gone(asked: Asked) -> None:
    await asked.close()


@pytest.mark.parametrize("speaker", SPEAKERS, ids=str)
@pytest.mark.parametrize(
    ("behave", "error"), [(in_another_order, OK), (unavailable, ErrorClass.HTTP_5XX), (gone, ErrorClass.CLOSED)]
)
def test_a_batch_is_one_request(speaker: Speaker, behave: Behaviour, error: ErrorClass) -> None:
    heard: list[Asked] = []

    async def hear(asked: Asked) -> None:
        heard.append(asked)
        await behave(asked)

    batch = {"batch": [{"method": "eth_blockNumber", "params": ["${key}"]}, {"method": "eth_blockNumber"}]}
    stage = Stage(speaker, speaker.server(hear), count=2, calls=2, pause_s=0.1, stream={"requests": [batch]})
    reported = stage.play()
    assert [call.key - BASE for call in reported] == [0, 2]
    assert [[call["id"] - BASE for call in orjson.loads(asked.body)] for asked in heard] == [[0, 1], [2, 3]]
    assert all(f"{call.key:x}" in asked.headers["traceparent"] for call, asked in zip(reported, heard, strict=True))
    assert [call.error for call in reported] == [error] * 2
    others = [other for call in reported if isinstance(call, BatchCall) for other in call.others]
    if error is OK:
        assert [(other.outcome, other.height) for other in others] == [(Outcome.OK, 1), (Outcome.OK, 3)]
    elif error is ErrorClass.CLOSED:
        assert [other.outcome for other in others] == [Outcome.UNFINISHED] * 2, "nothing was there to judge"
    else:
        assert [other.error for other in others] == [error] * 2
