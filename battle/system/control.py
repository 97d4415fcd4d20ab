"""The asking side of a control channel: one JSON object a line over a Unix socket, a request and its reply."""

import json
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from battle.errors import SetupError
from battle.system.serving import LINE_BYTES


async def ask(path: Path, request: dict[str, Any], *, within_s: float | None = None) -> dict[str, Any]:
    """Send one request on a connection of its own and give the reply.

    Raises OSError when nobody listens or the connection breaks, TimeoutError when no reply comes in time, SetupError
    when the other side answers with an error.
    """
    with anyio.fail_after(within_s):
        stream: SocketStream = await anyio.connect_unix(str(path))
        async with stream:
            try:
                await stream.send(json.dumps(request).encode() + b"\n")
                line = await BufferedByteReceiveStream(stream).receive_until(b"\n", LINE_BYTES)
            except (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError) as error:
                raise ConnectionResetError(f"{path}: the other side went away") from error
    reply: dict[str, Any] = json.loads(line)
    if "error" in reply:
        raise SetupError(str(reply["error"]))
    return reply
