"""Free ports on loopback, and waiting for a server to listen."""

import secrets
import socket
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

import anyio
from anyio.abc import SocketStream

from battle.core.ports.processes import Child
from battle.core.ports.wire import Endpoint
from battle.core.units import NS_PER_S, format_duration
from battle.errors import SetupError

LOOPBACK = "127.0.0.1"
_POLL_S = 0.005
_FIRST_PORT = 10_000
_USUAL_FIRST_OUTGOING = 32_768
_TRIES = 1000


def free_port() -> int:
    """A TCP port on loopback that nobody uses now. Ports already given out in this process are not given again.

    It lies below the ports that the system gives to outgoing connections. From among those, a connection could take the
    port of a provider that is down, and one to that port could even meet itself.
    """
    for _ in range(_TRIES):
        port = _FIRST_PORT + secrets.randbelow(_first_outgoing() - _FIRST_PORT)
        if port not in _given and not in_use(port):
            _given.add(port)
            return port
    raise SetupError(f"no free port found on {LOOPBACK}")


_given: set[int] = set()


@cache
def _first_outgoing() -> int:
    """The lowest port that the system gives to outgoing connections, or the usual one where that leaves too few."""
    try:
        first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _USUAL_FIRST_OUTGOING
    return first if first >= _FIRST_PORT + _TRIES else _USUAL_FIRST_OUTGOING


def in_use(port: int) -> bool:
    """Whether something listens on this port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False


async def accepts(endpoint: Endpoint) -> bool:
    """Whether a connection to the endpoint can be made now."""
    stream: SocketStream
    try:
        if endpoint.socket:
            stream = await anyio.connect_unix(endpoint.socket)
        else:
            stream = await anyio.connect_tcp(endpoint.host, endpoint.port)
    except OSError:
        return False
    await stream.aclose()
    return True


async def wait_ready(
    name: str, child: Child | None, ready: Callable[[], Awaitable[bool]], *, within_ns: int = 10 * NS_PER_S
) -> None:
    """Wait until `await ready()` is true. Raises SetupError, with the child's last lines, when it ends or is late."""
    with anyio.move_on_after(within_ns / NS_PER_S):
        while True:
            if await ready():
                return
            if child is not None and child.status is not None:
                raise SetupError(f"{name} ended at its start ({describe_status(child.status)})", log=child.last_lines())
            await anyio.sleep(_POLL_S)
    log = child.last_lines() if child is not None else None
    raise SetupError(f"{name} was not ready within {format_duration(within_ns)}", log=log)


def describe_status(status: int) -> str:
    """How a process ended, in words."""
    return f"signal {-status}" if status < 0 else f"exit code {status}"
