"""A server that does as little as can be: it sends every request's id back, so that only the generator is measured.

    python -m battle.engine.null_target PORT     (on loopback; ends when its standard input does)

It takes one read for one request, which holds for battle's own load engine on loopback and for nothing else.
"""

import asyncio
import os
import sys
from typing import cast

from battle.system import event_loop

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
_BODY = b'{"jsonrpc":"2.0","id":%b,"result":"0x1"}'
_ID = b'"id":'


class NullTarget(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to answer."""
        self._write = cast("asyncio.Transport", transport).write

    def data_received(self, data: bytes) -> None:
        """Answer the request."""
        start = data.rfind(_ID) + len(_ID)
        body = _BODY % data[start : data.find(b",", start)]
        self._write(_HEAD % len(body) + body)


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def on_input() -> None:
        if not os.read(sys.stdin.fileno(), 1):
            ended.set()

    loop.add_reader(sys.stdin.fileno(), on_input)
    server = await loop.create_server(NullTarget, "127.0.0.1", port, backlog=1024)
    await ended.wait()
    server.close()


if __name__ == "__main__":
    event_loop.run(_serve(int(sys.argv[1])))
