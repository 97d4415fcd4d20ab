"""A server that behaves as a test says, over HTTP/1.1 or HTTP/2, and a session that calls it."""

import asyncio
import json
import re
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import h2.events
import uvloop

from battle.core.keys import key_base
from battle.core.ports.wire import BatchCall, Call, Endpoint, LoadProtocol, StreamPlan
from battle.core.scenario import Stream
from battle.core.witness import Witness

BASE = key_base(7)


@dataclass
class Asked:
    """A request that came in, over HTTP/1.1, and the ways to answer it."""

    headers: dict[str, str]
    body: bytes
    writer: asyncio.StreamWriter

    @property
    def key(self) -> int:
        return int(json.loads(self.body)["id"])

    def result(self, result: Any = "0x1", **headers: str) -> None:
        self.answer(200, rpc(self.key, result=result), **headers)

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.head(status, len(body), **headers)
        self.writer.write(body)

    def head(self, status: int, length: int, **headers: str) -> None:
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        self.writer.write(f"HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\n{lines}\r\n".encode())

    def half(self) -> None:
        body = rpc(self.key, result="0x1")
        self.head(200, len(body))
        self.part(body[: len(body) // 2])

    def part(self, body: bytes) -> None:
        self.writer.write(body)

    def garble(self) -> None:
        self.writer.write(b"* OK IMAP4rev1 ready\r\n\r\n")

    async def close(self) -> None:
        await self.writer.drain()
        self.writer.close()

    async def reset(self) -> None:
        await self.writer.drain()
        await asyncio.sleep(0.05)  # what was written is read before the reset comes
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()


@dataclass
class AskedInFrames(Asked):
    """The same over HTTP/2."""

    connection: h2.connection.H2Connection = field(kw_only=True)
    stream: int = field(kw_only=True)

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.head(status, len(body), **headers)
        self.connection.send_data(self.stream, body, end_stream=True)
        self._flush()

    def head(self, status: int, length: int, **headers: str) -> None:
        lines = [(name.replace("_", "-"), value) for name, value in headers.items()]
        said = [(":status", str(status)), ("content-length", str(length)), *lines]
        self.connection.send_headers(self.stream, said)
        self._flush()

    def part(self, body: bytes) -> None:
        self.connection.send_data(self.stream, body)
        self._flush()

    def garble(self) -> None:
        self.writer.write(b"\0\0\1\4\0\0\0\0\0x")  # a frame of settings that is too short for one

    def _flush(self) -> None:
        self.writer.write(self.connection.data_to_send())


Behaviour = Callable[[Asked], Awaitable[None]]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def rpc(key: int, **fields: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": key, **fields}).encode()


def http1(behave: Behaviour) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int((re.search(r"content-length: (\d+)", head, re.IGNORECASE) or ["", "0"])[1])
            lines = [line.split(": ", 1) for line in head.split("\r\n")[1:] if line]
            headers = {name.lower(): value for name, value in lines}
            await behave(Asked(headers, await reader.readexactly(length), writer))

    return serve


def http2(behave: Behaviour, *, early: bool = False) -> Serve:
    """`early`: the behaviour comes before the request's body, which nobody reads."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        asked: dict[int, AskedInFrames] = {}
        writer.write(connection.data_to_send())
        while not writer.is_closing() and (data := await reader.read(65536)):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    headers = {str(name): str(value) for name, value in event.headers or []}
                    stream = int(event.stream_id or 0)
                    asked[stream] = AskedInFrames(headers, b"", writer, connection=connection, stream=stream)
                    if early:
                        await behave(asked[stream])
                elif early:
                    pass
                elif isinstance(event, h2.events.DataReceived):
                    asked[int(event.stream_id or 0)].body += event.data or b""
                elif isinstance(event, h2.events.StreamEnded):
                    await behave(asked[int(event.stream_id or 0)])
            writer.write(connection.data_to_send())

    return serve


@dataclass(frozen=True)
class Speaker:
    """One way to send calls: a kind of protocol, with its settings, on an event loop."""

    protocol: LoadProtocol
    fast_loop: bool = False

    @property
    def frames(self) -> bool:
        return bool(getattr(self.protocol, "http2", False))

    def __str__(self) -> str:
        version = {True: "-2", False: "-1"}.get(getattr(self.protocol, "http2", None), "")  # type: ignore[arg-type]
        return f"{self.protocol.kind}{version}-{'uvloop' if self.fast_loop else 'asyncio'}"

    def server(self, behave: Behaviour) -> Serve:
        return http2(behave) if self.frames else http1(behave)


SPEAKERS = [
    Speaker(LoadProtocol.named("http")),
    Speaker(LoadProtocol.named("http"), fast_loop=True),
    Speaker(LoadProtocol.named("httpx", http2=False)),
    Speaker(LoadProtocol.named("httpx")),
    Speaker(LoadProtocol.named("httpx"), fast_loop=True),
]


@dataclass
class Stage:
    """What a server listens on, and how calls are sent to it."""

    speaker: Speaker
    serve: Serve
    count: int = 1
    calls: int | None = None
    """How many calls each request holds: they are batches."""
    host: str = "127.0.0.1"
    named: str = ""
    """The host's name in the endpoint, when that is not where it listens."""
    socket: Path | None = None
    context: ssl.SSLContext | None = None
    secure: bool | None = None
    witness: Witness | None = None
    pause_s: float = 0.005
    before_end: Callable[[Any], None] = lambda session: None
    stream: dict[str, Any] = field(default_factory=dict)

    def play(self) -> list[Call]:
        """Send calls one after the other's start, and wait for every report."""
        factory = uvloop.new_event_loop if self.speaker.fast_loop else None
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(self._play())

    async def _listen(self) -> tuple[asyncio.Server, Endpoint]:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(asyncio.IncompleteReadError, OSError, RuntimeError):  # uvloop: written after the end
                await self.serve(reader, writer)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

        secure = self.context is not None if self.secure is None else self.secure
        endpoint = Endpoint(self.named or self.host, 0, secure=secure)
        if self.socket is not None:
            server = await asyncio.start_unix_server(connected, self.socket, ssl=self.context)
            return server, replace(endpoint, host="localhost", socket=str(self.socket))
        server = await asyncio.start_server(connected, self.host, 0, ssl=self.context)
        return server, replace(endpoint, port=server.sockets[0].getsockname()[1])

    def _call(self, number: int, now: int) -> Call:
        if self.calls is None:
            return Call(BASE + number, 0, now, offered_ns=now)
        first = BASE + number * self.calls
        others = tuple(Call(first + further, further, now) for further in range(1, self.calls))
        return BatchCall(first, 0, now, offered_ns=now, others=others)

    async def _play(self) -> list[Call]:
        unheard: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
        server, endpoint = await self._listen()
        settings = {
            "requests": [{"method": "eth_blockNumber"}],
            "load": {"kind": "constant", "rate": "1/s", "duration": "1s"},
            "timeout": "300ms",
            **self.stream,
        }
        done: list[Call] = []
        everything = asyncio.Event()

        def report(call: Call) -> None:
            done.append(call)
            if len(done) == self.count:
                everything.set()

        plan = StreamPlan(Stream.model_validate(settings), 0, 1, self.witness)
        session = self.speaker.protocol.session(endpoint, plan, report)
        for number in range(self.count):
            now = time.monotonic_ns()
            session.send(self._call(number, now))
            await asyncio.sleep(self.pause_s)
        self.before_end(session)
        await asyncio.wait_for(everything.wait(), 10)
        await asyncio.sleep(0.02)
        assert len(done) == self.count, "a call was reported twice"
        await session.close()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=5)
        assert not [context for context in unheard if "Connection" not in str(context)], unheard
        return sorted(done, key=lambda call: call.key)
