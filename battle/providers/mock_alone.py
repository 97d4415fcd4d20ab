"""One mock provider by itself, in the foreground."""

import asyncio
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from battle.errors import SetupError
from battle.providers.mock import Mock
from battle.providers.mock_server import MockServer
from battle.system.addresses import LOOPBACK, free_port, in_use
from battle.system.serving import serve


def serve_alone(settings: Mock, name: str, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `announce` is told the URL. Nothing is recorded. Raises SetupError."""
    port = settings.port or free_port()
    if in_use(port):
        raise SetupError(f"port {port} is in use", hint="choose another with --port")
    about = {"name": name, "index": 0, "incarnation": 1, "seed": 1, "key_base": 0, "genesis_ns": time.monotonic_ns()}
    asyncio.run(_serve({**settings.process_settings(), **about, "records": None, "effects": {}}, port, announce))


async def _serve(settings: dict[str, Any], port: int, announce: Callable[[str], None]) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    server = MockServer(settings)
    with tempfile.TemporaryDirectory(prefix="battle-") as directory:
        control = await serve(Path(directory) / "control.sock", server.handle)
        listener = await loop.create_server(server.connected, LOOPBACK, port)
        announce(f"http://{LOOPBACK}:{port}")
        await stop.wait()
        listener.close()
        control.close()
