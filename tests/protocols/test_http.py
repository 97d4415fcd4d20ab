"""The native engine against servers that behave as servers do, and as they should not."""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from battle.core.keys import key_base
from battle.core.ports.wire import Call, Endpoint, StreamPlan
from battle.core.records import REQUEST_REUSED, REQUEST_WAITED, ErrorClass, Outcome
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


async def others_done() -> None:
    """Wait until the servers' handlers have seen the end of their connections."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=5)


def exchange(serve: Server, count: int = 1, witness: Witness | None = None, **stream: Any) -> list[Call]:
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
            session.send(Call(BASE + number, 0, time.monotonic_ns()))
            await asyncio.sleep(0.005)
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


def test_the_witness_is_heard() -> None:
    witness = Witness("X-Upstream", {"10.0.0.1:80": 0, "10.0.0.2:80": 1}, attempts_header="x-count")
    call = exchange(good, witness=witness)[0]
    assert (call.testimony.provider, call.testimony.attempts) == (1, 3)


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


@pytest.mark.parametrize("serve", [split, continued, chunked, closing])
def test_answers_in_other_shapes_are_ok(serve: Server) -> None:
    calls = exchange(serve, count=2)
    assert [call.outcome for call in calls] == [Outcome.OK] * 2


async def close_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await next_key(reader)


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await next_key(reader)
    import socket  # noqa: PLC0415
    import struct  # noqa: PLC0415

    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(await next_key(reader))[:-4])


async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await next_key(reader)
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    await reader.read()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize(
    ("serve", "error"),
    [
        (close_at_once, ErrorClass.CLOSED),
        (reset, ErrorClass.RESET),
        (half, ErrorClass.CLOSED),
        (nonsense, ErrorClass.INVALID),
        (silent, ErrorClass.TIMEOUT),
    ],
)
def test_failures_have_their_class(serve: Server, error: ErrorClass) -> None:
    calls = exchange(serve, count=2)
    assert [(call.outcome, call.error) for call in calls] == [(Outcome.FAILED, error)] * 2
    assert all(call.ended_ns >= call.started_ns > 0 for call in calls)


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
            session.send(Call(BASE + number, 0, time.monotonic_ns()))
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
            session.send(Call(BASE + number, 0, time.monotonic_ns()))
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
                session.send(Call(call.key + 20, 0, time.monotonic_ns()))

        class Counting(HttpSession):
            def _check_deadlines(self) -> None:
                nonlocal checks
                checks += 1
                super()._check_deadlines()

        endpoint = Endpoint("127.0.0.1", server.sockets[0].getsockname()[1])
        session = Counting(endpoint, StreamPlan(Stream.model_validate(settings), 0, 1), send_again)
        for number in range(20):
            session.send(Call(BASE + number, 0, time.monotonic_ns()))
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
