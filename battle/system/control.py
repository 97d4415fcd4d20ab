"""Control channels: one JSON object a line over a Unix socket, a request and its reply.

The serving side is a provider or a worker process (asyncio, standard library only, so that it starts fast); the asking
side is the coordinator.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from battle.errors import SetupError

_LINE_BYTES = 64 << 20
Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


async def serve(path: Path, handle: Handler) -> asyncio.Server:
    """Answer requests on a Unix socket. What the handler raises is told to the asker as {"error": text}."""

    async def answer(request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        try:
            reply = await handle(request)
        except Exception as error:  # noqa: BLE001  (whatever it was, the asker must hear of it)
            reply = {"error": f"{type(error).__name__}: {error}"}
        with suppress(ConnectionError):
            writer.write(json.dumps(reply).encode() + b"\n")
            await writer.drain()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.CancelledError):
            while line := await reader.readline():
                await answer(json.loads(line), writer)
        writer.close()

    return await asyncio.start_unix_server(converse, str(path), limit=_LINE_BYTES)


async def ask(path: Path, request: dict[str, Any], *, within_s: float | None = None) -> dict[str, Any]:
    """Send one request on a connection of its own and give the reply.

    Raises OSError when nobody listens or the connection breaks, TimeoutError when no reply comes in time, SetupError
    when the other side answers with an error.
    """
    with anyio.fail_after(within_s):
        stream: SocketStream = await anyio.connect_unix(str(path))
        async with stream:
            await stream.send(json.dumps(request).encode() + b"\n")
            try:
                line = await BufferedByteReceiveStream(stream).receive_until(b"\n", _LINE_BYTES)
            except (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError) as error:
                raise ConnectionResetError(f"{path}: the other side went away") from error
    reply: dict[str, Any] = json.loads(line)
    if "error" in reply:
        raise SetupError(str(reply["error"]))
    return reply
