"""What only httpx has: streams of HTTP/2 on one connection, and its limits."""

import asyncio
from typing import Any

import pytest
from protocols.stage import SPEAKERS, Asked, AskedInFrames, Behaviour, Speaker, Stage, http2

from battle.core.records import REQUEST_WAITED, ErrorClass, Outcome

OVER_HTTP1, OVER_HTTP2 = SPEAKERS[2:4]


def frames(asked: Asked) -> AskedInFrames:
    assert isinstance(asked, AskedInFrames)
    return asked


async def reset_the_stream(asked: Asked) -> None:
    frames(asked).connection.reset_stream(frames(asked).stream)


async def go_away(asked: Asked) -> None:
    frames(asked).connection.close_connection()


@pytest.mark.parametrize(("behave", "error"), [(reset_the_stream, ErrorClass.RESET), (go_away, ErrorClass.CLOSED)])
def test_ends_of_streams(behave: Behaviour, error: ErrorClass) -> None:
    calls = Stage(OVER_HTTP2, OVER_HTTP2.server(behave), count=2, pause_s=0.1).play()
    assert [call.error for call in calls] == [error] * 2


async def refuse(asked: Asked) -> None:
    asked.answer(503, b"")
    frames(asked).connection.reset_stream(frames(asked).stream, 0)  # NO_ERROR: the rest is not needed


def test_an_answer_before_the_request_is_whole_is_an_answer() -> None:
    calls = Stage(OVER_HTTP2, http2(refuse, early=True), count=40, pause_s=0).play()
    assert {call.error for call in calls} == {ErrorClass.HTTP_5XX}


async def slow(asked: Asked) -> None:
    await asyncio.sleep(0.05)
    asked.result()


def test_requests_share_a_connection() -> None:
    held: list[Asked] = []

    async def at_once(asked: Asked) -> None:
        held.append(asked)
        if len(held) == 5:  # none is answered before all are here
            for each in held:
                each.result()

    calls = Stage(OVER_HTTP2, OVER_HTTP2.server(at_once), count=5).play()
    assert [(call.outcome, call.connection) for call in calls] == [(Outcome.OK, 1)] * 5
    assert not any(call.flags & REQUEST_WAITED for call in calls)


def test_over_http1_calls_wait_for_a_connection() -> None:
    calls = Stage(OVER_HTTP1, OVER_HTTP1.server(slow), count=3, stream={"connections": 1, "timeout": "2s"}).play()
    assert [(call.outcome, call.connection) for call in calls] == [(Outcome.OK, 1)] * 3
    assert [bool(call.flags & REQUEST_WAITED) for call in calls] == [False, True, True]
    assert calls[2].started_ns - calls[2].scheduled_ns > 50e6


@pytest.mark.parametrize("speaker", [OVER_HTTP1, OVER_HTTP2], ids=str)
def test_nothing_goes_on_after_cancelling(speaker: Speaker) -> None:
    sessions: list[Any] = []

    def cancel(session: Any) -> None:
        sessions.append(session)
        session.cancel()
        asyncio.get_running_loop().call_later(0.01, lambda: sessions.append(dict(session._tasks)))

    Stage(speaker, speaker.server(slow), count=3, pause_s=0.001, before_end=cancel).play()
    assert sessions[1] == {}
