"""The serving side of a control channel: one JSON object a line over a Unix socket, a request and its reply.

Standard library only, since provider and worker processes must start fast. The asking side is control.py.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

LINE_BYTES = 64 << 20
Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


async def serve(path: Path, handle: Handler) -> asyncio.Server:
    """Answer requests on a Unix socket. What the handler raises is told to the asker as {"error": text}."""

    async def answer(line: bytes, writer: asyncio.StreamWriter) -> None:
        try:
            reply = await handle(json.loads(line))
        except Exception as error:  # noqa: BLE001  (whatever it was, the asker must hear of it)
            reply = {"error": f"{type(error).__name__}: {error}"}
        with suppress(ConnectionError):
            writer.write(json.dumps(reply).encode() + b"\n")
            await writer.drain()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.CancelledError):
            while line := await reader.readline():
                await answer(line, writer)
        writer.close()

    return await asyncio.start_unix_server(converse, str(path), limit=LINE_BYTES)
