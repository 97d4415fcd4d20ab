"""The native engine against servers that behave as servers do, and as they should not."""

import asyncio
import itertools
import json
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from battle.core.keys import key_base
from battle.core.ports.wire import Call, Endpoint, StreamPlan
from battle.core.records import REQUEST_RETRIED, REQUEST_REUSED, REQUEST_WAITED, ErrorClass, Outcome
from battle.core.scenario import Stream
from battle.core.witness import Witness
from battle.protocols.http import HttpSession

Server = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
BASE = key_base(7)


async def next_key(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head)[1])  # type: ignore[index]
    return int(json.loads(await reader.readexactly(length))["id"])


def answer(key: int, *, extra: str = "") -> bytes:
    body = json.dumps({"jsonrpc": "2.0", "id": key, "result": "0x1"})
    return f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n{extra}\r\n{body}".encode()


async def good(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(answer(await next_key(reader), extra="x-upstream: 10.0.0.2:80\r\nx-count: 3\r\n"))


def due(key: int) -> Call:
    now = time.monotonic_ns()
    return Call(key, 0, now, offered_ns=now)


async def others_done() -> None:
    """Wait until the servers' handlers have seen the end of their connections."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=5)


def exchange(
    serve: Server, count: int = 1, witness: Witness | None = None, gap_s: float = 0.01, **stream: Any
) -> list[Call]:
    """Send calls one after the other's start, wait for all reports, and give the calls."""

    async def run() -> list[Call]:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await serve(reader, writer)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        settings = {
            "requests": [{"method": "eth_blockNumber"}],
            "load": {"kind": "constant", "rate": "1/s", "duration": "1s"},
            "timeout": "400ms",
            **stream,
        }
        done: list[Call] = []
        everything = asyncio.Event()

        def report(call: Call) -> None:
            done.append(call)
            if len(done) == count:
                everything.set()

        plan = StreamPlan(Stream.model_validate(settings), 0, 1, witness)
        session = HttpSession(Endpoint("127.0.0.1", port), plan, report)
        for number in range(count):
            session.send(due(BASE + number))
            await asyncio.sleep(gap_s)
        await asyncio.wait_for(everything.wait(), 5)
        await asyncio.sleep(0.02)
        assert len(done) == count, "a call was reported twice"
        await session.close()
        server.close()
        await others_done()
        return sorted(done, key=lambda call: call.key)

    return asyncio.run(run())


def test_answers_are_ok_and_connections_are_used_again() -> None:
    calls = exchange(good, count=3)
    assert [call.outcome for call in calls] == [Outcome.OK] * 3
    assert all(call.scheduled_ns <= call.started_ns <= call.ended_ns for call in calls)
    assert calls[0].flags & REQUEST_REUSED == 0
    assert calls[2].flags & REQUEST_REUSED
    assert calls[2].connection == calls[0].connection
    assert calls[0].height == 1


async def split(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        for byte in answer(await next_key(reader)):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)


async def continued(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        key = await next_key(reader)
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" + answer(key))


async def chunked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        body = answer(await next_key(reader)).partition(b"\r\n\r\n")[2]
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for part in (body[:5], body[5:]):
            writer.write(b"%x\r\n%s\r\n" % (len(part), part))
        writer.write(b"0\r\n\r\n")


async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(await next_key(reader), extra="connection: close\r\n"))


async def delimited_by_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    body = answer(await next_key(reader)).partition(b"\r\n\r\n")[2]
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + body[:7])
    await writer.drain()
    await asyncio.sleep(0.01)
    writer.write(body[7:])


@pytest.mark.parametrize("serve", [split, continued, chunked, closing, delimited_by_the_end])
def test_answers_in_other_shapes_are_ok(serve: Server) -> None:
    calls = exchange(serve, count=2)
    assert [call.outcome for call in calls] == [Outcome.OK] * 2


async def close_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await next_key(reader)


async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(await next_key(reader))[:-4])


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def whole_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Heads that repeat, but for one in three."""
    for number in itertools.count():
        key = await next_key(reader)
        if number % 3 == 2:
            writer.write(answer(key, extra=f"x-upstream: 10.0.0.1:80\r\nx-count: {number}\r\n"))
        else:
            writer.write(answer(key, extra="x-upstream: 10.0.0.2:80\r\nx-count: 1\r\n"))


def test_heads_that_repeat_say_the_same_each_time() -> None:
    witness = Witness("X-Upstream", {"10.0.0.1:80": 0, "10.0.0.2:80": 1}, attempts_header="x-count")
    calls = exchange(whole_head, count=9, witness=witness)
    assert [call.outcome for call in calls] == [Outcome.OK] * 9
    expected = [(1, 1), (1, 1), (0, 2), (1, 1), (1, 1), (0, 5), (1, 1), (1, 1), (0, 8)]
    assert [(call.testimony.provider, call.testimony.attempts) for call in calls] == expected
    assert {call.connection for call in calls} == {1}


async def same_head_other_sizes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The bytes of the known head, and less or more behind it than it says."""
    head, _, body = answer(await next_key(reader)).partition(b"\r\n\r\n")
    writer.write(head + b"\r\n\r\n" + body)
    key = await next_key(reader)
    whole = answer(key)
    writer.write(whole[:-5])
    await writer.drain()
    await asyncio.sleep(0.02)
    writer.write(whole[-5:])
    key = await next_key(reader)
    writer.write(answer(key) + answer(key + 1))  # the answer to the next call, before it was asked for
    await reader.read()


def test_a_known_head_is_not_trusted_beyond_its_size() -> None:
    calls = exchange(same_head_other_sizes, count=3, connections=1)
    assert [call.outcome for call in calls] == [Outcome.OK] * 3


async def two_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    key = await next_key(reader)
    writer.write(answer(key) + answer(key + 1))
    await reader.read()


@pytest.mark.parametrize("times", [1, 3])
def test_an_answer_that_comes_before_its_question_is_not_taken(times: int) -> None:
    """The connection is out of step: what was whole counts, and the next call goes elsewhere."""
    calls = exchange(two_at_once, count=times, connections=1)
    assert [call.outcome for call in calls] == [Outcome.OK] * times
    assert len({call.connection for call in calls}) == times


async def talks_while_idle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(await next_key(reader)))
    await writer.drain()
    await asyncio.sleep(0.002)
    writer.write(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n")
    await reader.read()


def test_what_comes_between_requests_ends_the_connection_and_no_call() -> None:
    calls = exchange(talks_while_idle, count=3, gap_s=0.03)
    assert [call.outcome for call in calls] == [Outcome.OK] * 3
    assert len({call.connection for call in calls}) == 3


async def once_each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers one request on a connection, and closes it when the second one has come."""
    writer.write(answer(await next_key(reader)))
    await next_key(reader)


def test_a_request_without_a_byte_on_a_used_connection_is_closed_and_not_sent_again() -> None:
    calls = exchange(once_each, count=2)
    assert [(call.outcome, call.error) for call in calls] == [
        (Outcome.OK, ErrorClass.NONE),
        (Outcome.FAILED, ErrorClass.CLOSED),
    ]
    assert calls[1].flags & REQUEST_REUSED
    assert not calls[1].flags & REQUEST_RETRIED


def test_a_stream_may_ask_for_a_second_try_on_a_new_connection() -> None:
    calls = exchange(once_each, count=2, retry_on_reuse=True)
    assert [call.outcome for call in calls] == [Outcome.OK] * 2
    assert [bool(call.flags & REQUEST_RETRIED) for call in calls] == [False, True]
    assert calls[1].connection == 2
    assert calls[1].scheduled_ns <= calls[1].started_ns <= calls[1].ended_ns


@pytest.mark.parametrize("serve", [close_at_once, half])
def test_a_second_try_is_for_used_connections_that_gave_no_byte(serve: Server) -> None:
    calls = exchange(serve, count=2, retry_on_reuse=True)
    assert [call.error for call in calls] == [ErrorClass.CLOSED] * 2
    assert not any(call.flags & REQUEST_RETRIED for call in calls)


@pytest.mark.parametrize(("limit", "outcome"), [("60B", Outcome.FAILED), ("1KB", Outcome.OK)])
def test_a_body_over_max_bytes_fails(limit: str, outcome: Outcome) -> None:
    async def large(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await next_key(reader)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n" + b"a" * 100)

    request = {"verb": "POST", "body": {"id": "${key}"}, "expect": {"max_bytes": limit}}
    calls = exchange(large, count=2, requests=[request])
    assert [call.outcome for call in calls] == [outcome] * 2
    assert all(call.error is (ErrorClass.NONE if outcome is Outcome.OK else ErrorClass.UNEXPECTED) for call in calls)


def test_a_body_without_end_is_given_up_at_its_limit() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await next_key(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(10_000):
            writer.write(b"400\r\n" + b"a" * 1024 + b"\r\n")
            await writer.drain()

    request = {"verb": "POST", "body": {"id": "${key}"}, "expect": {"max_bytes": "10KB"}}
    call = exchange(endless, requests=[request], timeout="5s")[0]
    assert (call.outcome, call.error) == (Outcome.FAILED, ErrorClass.UNEXPECTED)
    assert (call.ended_ns - call.scheduled_ns) / 1e9 < 4  # at the limit, and not at the timeout


def test_head_requests_have_answers_without_body() -> None:
    async def heads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n")

    calls = exchange(heads, count=3, requests=[{"verb": "HEAD", "path": "/"}])
    assert [call.outcome for call in calls] == [Outcome.OK] * 3
    assert len({call.connection for call in calls}) == 1


def test_a_timeout_comes_when_it_should() -> None:
    call = exchange(silent, timeout="300ms")[0]
    assert 290 <= (call.ended_ns - call.scheduled_ns) / 1e6 < 2000  # wide above: the machine may be busy


def test_calls_wait_for_a_connection_and_their_wait_counts() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            key = await next_key(reader)
            await asyncio.sleep(0.05)
            writer.write(answer(key))

    calls = exchange(slow, count=3, connections=1)
    assert [call.outcome for call in calls] == [Outcome.OK] * 3
    assert [bool(call.flags & REQUEST_WAITED) for call in calls] == [False, True, True]
    assert calls[2].ended_ns - calls[2].scheduled_ns > 100e6
    assert len({call.connection for call in calls}) == 1


def test_calls_that_wait_behind_a_silent_server_time_out_too() -> None:
    calls = exchange(silent, count=3, connections=1)
    assert [call.error for call in calls] == [ErrorClass.TIMEOUT] * 3


def test_nobody_listens() -> None:
    async def run() -> list[Call]:
        stream = Stream.model_validate(
            {
                "requests": [{"method": "m"}],
                "load": {"kind": "constant", "rate": "1/s", "duration": "1s"},
                "connections": 2,
                "timeout": "2s",
            }
        )
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        done: list[Call] = []
        session = HttpSession(Endpoint("127.0.0.1", port), StreamPlan(stream, 0, 1), done.append)
        for number in range(20):
            session.send(due(BASE + number))
        for _ in range(100):
            await asyncio.sleep(0.01)
            if len(done) == 20:
                break
        await session.close()
        return done

    calls = asyncio.run(run())
    assert [call.error for call in calls] == [ErrorClass.CONNECT] * 20


def test_cancelling_ends_everything_at_once() -> None:
    async def run() -> list[Call]:
        async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(hold, "127.0.0.1", 0)
        stream = Stream.model_validate(
            {
                "requests": [{"method": "m"}],
                "load": {"kind": "constant", "rate": "1/s", "duration": "1s"},
                "connections": 1,
            }
        )
        done: list[Call] = []
        endpoint = Endpoint("127.0.0.1", server.sockets[0].getsockname()[1])
        session = HttpSession(endpoint, StreamPlan(stream, 0, 1), done.append)
        for number in range(3):
            session.send(due(BASE + number))
        await asyncio.sleep(0.05)
        session.cancel()
        await session.close()
        server.close()
        await others_done()
        return done

    assert [call.outcome for call in asyncio.run(run())] == [Outcome.CANCELLED] * 3


def test_users_who_send_again_after_a_timeout_do_not_multiply_the_checks() -> None:
    """Each check that found a timeout set an alarm too many: after minutes of outage there were thousands."""

    async def run() -> tuple[int, int]:
        async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError):
                await reader.read()
            writer.close()

        server = await asyncio.start_server(hold, "127.0.0.1", 0)
        settings = {
            "requests": [{"method": "m"}],
            "load": {"kind": "constant", "rate": "1/s", "duration": "1s"},
            "timeout": "50ms",
            "connections": 40,
        }
        ended = checks = 0
        sends = True

        def send_again(call: Call) -> None:
            nonlocal ended
            ended += 1
            if sends:
                session.send(due(call.key + 20))

        class Counting(HttpSession):
            def _check_deadlines(self) -> None:
                nonlocal checks
                checks += 1
                super()._check_deadlines()

        endpoint = Endpoint("127.0.0.1", server.sockets[0].getsockname()[1])
        session = Counting(endpoint, StreamPlan(Stream.model_validate(settings), 0, 1), send_again)
        for number in range(20):
            session.send(due(BASE + number))
            await asyncio.sleep(0.002)
        await asyncio.sleep(0.8)
        sends = False
        await session.close()
        server.close()
        await others_done()
        return ended, checks

    ended, checks = asyncio.run(run())
    assert ended > 20
    assert checks <= ended + 20
