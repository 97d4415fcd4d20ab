"""What every kind of protocol makes of servers that behave as they should, and as they should not."""

import asyncio
import gzip

import pytest
from protocols.stage import SPEAKERS, Asked, Behaviour, Speaker, Stage, rpc

from battle.core.component import kinds
from battle.core.records import REQUEST_REUSED, ErrorClass, Outcome
from battle.core.witness import Witness

pytestmark = pytest.mark.parametrize("speaker", SPEAKERS, ids=str)


async def good(asked: Asked) -> None:
    asked.result(x_upstream="10.0.0.2:80", x_count="3")


async def another_id(asked: Asked) -> None:
    asked.answer(200, rpc(5, result="0x1"))


async def null(asked: Asked) -> None:
    asked.result(None)


async def rpc_error(asked: Asked) -> None:
    asked.answer(200, rpc(asked.key, error={"code": -32000, "message": "x"}))


async def bad_json(asked: Asked) -> None:
    asked.answer(200, b"<html>")


async def empty(asked: Asked) -> None:
    asked.answer(200, b"")


async def unavailable(asked: Asked) -> None:
    asked.answer(503, rpc(asked.key, result="0x1"))


async def not_found(asked: Asked) -> None:
    asked.answer(404, b"nothing here")


async def elsewhere(asked: Asked) -> None:
    asked.answer(302, b"", location="/other")


async def close_before_head(asked: Asked) -> None:
    await asked.close()


async def close_inside_body(asked: Asked) -> None:
    asked.half()
    await asked.close()


async def reset_before_head(asked: Asked) -> None:
    await asked.reset()


async def reset_inside_body(asked: Asked) -> None:
    asked.half()
    await asked.reset()


async def not_the_protocol(asked: Asked) -> None:
    asked.garble()


async def silence(asked: Asked) -> None:
    await asyncio.sleep(0.5)


async def silence_inside_body(asked: Asked) -> None:
    asked.half()
    await asyncio.sleep(0.5)


@pytest.mark.parametrize(
    ("behave", "error"),
    [
        (good, ErrorClass.NONE),
        (another_id, ErrorClass.WRONG_ID),
        (null, ErrorClass.NULL_RESULT),
        (rpc_error, ErrorClass.RPC_ERROR),
        (bad_json, ErrorClass.INVALID),
        (empty, ErrorClass.INVALID),
        (unavailable, ErrorClass.HTTP_5XX),
        (not_found, ErrorClass.HTTP_4XX),
        (elsewhere, ErrorClass.UNEXPECTED),  # not followed
        (close_before_head, ErrorClass.CLOSED),
        (close_inside_body, ErrorClass.CLOSED),
        (reset_before_head, ErrorClass.RESET),
        (reset_inside_body, ErrorClass.RESET),
        (not_the_protocol, ErrorClass.INVALID),
        (silence, ErrorClass.TIMEOUT),
        (silence_inside_body, ErrorClass.TIMEOUT),
    ],
)
def test_servers(speaker: Speaker, behave: Behaviour, error: ErrorClass) -> None:
    # apart in time, so that one call's broken connection is not the next one's too
    calls = Stage(speaker, speaker.server(behave), count=2, pause_s=0.1).play()
    assert [call.error for call in calls] == [error] * 2
    assert [call.outcome for call in calls] == [Outcome.FAILED if error else Outcome.OK] * 2
    assert all(0 < call.scheduled_ns <= call.started_ns <= call.ended_ns for call in calls)


def test_connections_are_used_again_and_numbered(speaker: Speaker) -> None:
    calls = Stage(speaker, speaker.server(good), count=3, pause_s=0.1).play()
    assert [bool(call.flags & REQUEST_REUSED) for call in calls] == [False, True, True]
    assert {call.connection for call in calls} == {1}
    assert [call.height for call in calls] == [1, 1, 1]


def test_the_witness_is_heard(speaker: Speaker) -> None:
    witness = Witness("X-Upstream", {"10.0.0.1:80": 0, "10.0.0.2:80": 1}, attempts_header="x-count")
    (call,) = Stage(speaker, speaker.server(good), witness=witness).play()
    assert (call.testimony.provider, call.testimony.attempts) == (1, 3)


def test_keys_and_credentials_are_sent_and_cookies_are_not(speaker: Speaker) -> None:
    heard: list[Asked] = []

    async def behave(asked: Asked) -> None:
        heard.append(asked)
        asked.result(set_cookie="session=1; Path=/")

    stream = {"auth": {"basic": {"user": "Aladdin", "password": "open sesame"}}, "headers": {"X-One": "1"}}
    Stage(speaker, speaker.server(behave), count=3, pause_s=0.1, stream=stream).play()
    assert [asked.headers["authorization"] for asked in heard] == ["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="] * 3
    assert all(f"{asked.key:x}" in asked.headers["traceparent"] for asked in heard)
    assert all(asked.headers["x-one"] == "1" for asked in heard)
    known = {"host", "user-agent", "traceparent", "accept", "content-type", "content-length", "authorization", "x-one"}
    unknown = {name for asked in heard for name in asked.headers if not name.startswith(":")} - known
    assert not unknown, "no cookie comes back, and no encoding is asked for"


def test_cancelling_ends_everything_at_once(speaker: Speaker) -> None:
    stage = Stage(speaker, speaker.server(silence), count=3, before_end=lambda session: session.cancel())
    assert [call.outcome for call in stage.play()] == [Outcome.CANCELLED] * 3


def test_every_kind_is_here(speaker: Speaker) -> None:
    del speaker
    assert {it.protocol.kind for it in SPEAKERS} == set(kinds("protocols"))


def test_a_compressed_answer_is_unpacked(speaker: Speaker) -> None:
    async def behave(asked: Asked) -> None:
        assert asked.headers["accept-encoding"] == "gzip"
        asked.answer(200, gzip.compress(rpc(asked.key, result="0x1")), content_encoding="gzip")

    calls = Stage(speaker, speaker.server(behave), stream={"headers": {"accept-encoding": "gzip"}}, count=2).play()
    assert [call.outcome for call in calls] == [Outcome.OK] * 2


def test_a_damaged_compressed_answer_is_invalid(speaker: Speaker) -> None:
    async def behave(asked: Asked) -> None:
        asked.answer(200, gzip.compress(rpc(asked.key, result="0x1"))[:-6], content_encoding="gzip")

    calls = Stage(speaker, speaker.server(behave), stream={"headers": {"accept-encoding": "gzip"}}, count=2).play()
    assert [(call.outcome, call.error) for call in calls] == [(Outcome.FAILED, ErrorClass.INVALID)] * 2
