"""Control channels and timers."""

import asyncio
import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from battle.errors import SetupError
from battle.system.addresses import free_port, in_use
from battle.system.control import ask
from battle.system.serving import serve
from battle.system.timer import DueTimer


async def echo(request: dict[str, Any]) -> dict[str, Any]:
    if request.get("do") == "break":
        raise ValueError("it broke")
    if request.get("do") == "wait":
        await asyncio.sleep(5)
    return {"got": request}


def test_a_request_gets_its_reply_also_a_long_one(tmp_path: Path) -> None:
    async def run() -> None:
        server = await serve(tmp_path / "s", echo)
        for request in ({"n": 1}, {"long": "x" * 300_000}):
            assert await ask(tmp_path / "s", request) == {"got": request}
        server.close()

    asyncio.run(run())


def test_what_goes_wrong_is_told(tmp_path: Path) -> None:
    async def run() -> None:
        server = await serve(tmp_path / "s", echo)
        with pytest.raises(SetupError, match="ValueError: it broke"):
            await ask(tmp_path / "s", {"do": "break"})
        with pytest.raises(TimeoutError):
            await ask(tmp_path / "s", {"do": "wait"}, within_s=0.1)
        with pytest.raises(OSError, match="No such file"):
            await ask(tmp_path / "absent", {})
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0.01)

    asyncio.run(run())


def test_a_peer_that_goes_away_while_it_is_told_something_is_an_oserror(tmp_path: Path) -> None:
    async def run() -> None:
        async def leave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.abort()

        server = await asyncio.start_unix_server(leave, tmp_path / "s")
        with pytest.raises(ConnectionError):
            await ask(tmp_path / "s", {"long": "x" * 10_000_000})
        server.close()

    asyncio.run(run())


def test_what_is_no_json_is_told_too(tmp_path: Path) -> None:
    async def run() -> None:
        server = await serve(tmp_path / "s", echo)
        reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
        for line in (b"nonsense\n", b'{"n": 1}\n'):
            writer.write(line)
        assert b"JSONDecodeError" in await reader.readline()
        assert await reader.readline() == b'{"got": {"n": 1}}\n'
        writer.close()
        await writer.wait_closed()
        server.close()

    asyncio.run(run())


def test_the_timer_fires_when_due_and_at_once_when_late() -> None:
    async def run() -> list[float]:
        fired: list[float] = []
        done = asyncio.Event()
        start = time.monotonic_ns()
        due = [start + 30_000_000, start + 60_000_000, start - 1]

        def fire() -> None:
            fired.append((time.monotonic_ns() - start) / 1e6)
            if len(fired) == len(due):
                done.set()
            else:
                timer.arm(due[len(fired)])

        timer = DueTimer(asyncio.get_running_loop(), fire)
        timer.arm(due[0])
        await asyncio.wait_for(done.wait(), 5)
        timer.close()
        return fired

    first, second, third = asyncio.run(run())
    assert 30 <= first < 1000  # never early; wide above, since the machine may be busy
    assert second >= 60
    assert third >= second


def test_free_ports_are_given_once_and_used_ones_are_seen() -> None:
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports[0]))
        taken.listen()
        assert in_use(ports[0])
    assert not in_use(ports[1])


@pytest.mark.skipif(sys.platform != "linux", reason="the range is read from /proc")
def test_no_outgoing_connection_can_take_a_free_port_away() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    if first < 20_000:
        pytest.skip(f"outgoing ports begin at {first} here")
    assert all(free_port() < first for _ in range(50))
