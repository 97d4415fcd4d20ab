"""A mock's process through starts, ends and full disks, where faults meet each other."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from providers.stage import BASE, Peer, Stage, raw, started

from battle.core.effects import Effect
from battle.core.ports.provider import Provider
from battle.core.records import ATTEMPT
from battle.system.groups import started_at
from battle.system.mapped import MappedReader

pytestmark = pytest.mark.e2e


def ask(handle: Any, key: int = BASE) -> tuple[int, dict[str, str], Any]:
    with Peer(handle.endpoint) as peer:
        return peer.ask(key)


def test_a_planned_end_is_noted_also_at_the_very_end(tmp_path: Path) -> None:
    async def run() -> Stage:
        async with started(tmp_path) as (stage, _):
            pass
        return stage

    assert anyio.run(run).ends() == [(True, -15)]


def test_effects_that_come_while_it_starts_are_in_force(tmp_path: Path) -> None:
    async def run() -> None:
        async with started(tmp_path) as (_, handle):
            await handle.kill()
            async with anyio.create_task_group() as group:
                group.start_soon(handle.restart)
                while not handle.is_running:
                    await anyio.lowlevel.checkpoint()
                await handle.apply(0, [Effect(status=503)])
            assert (await anyio.to_thread.run_sync(ask, handle))[0] == 503

    anyio.run(run)


def test_a_kill_that_is_given_up_leaves_it_running(tmp_path: Path) -> None:
    async def run() -> None:
        async with started(tmp_path) as (stage, handle):
            with anyio.move_on_after(0.2) as scope:
                await handle.kill(in_flight=1, give_up_ns=10**10)
            assert scope.cancelled_caught
            assert (await anyio.to_thread.run_sync(ask, handle))[0] == 200
            assert stage.ends() == []

    anyio.run(run)


def test_effects_that_could_not_be_told_are_forgotten(tmp_path: Path) -> None:
    async def run() -> None:
        async with started(tmp_path) as (stage, handle):
            os.kill(stage.events[0].fields["pid"], signal.SIGSTOP)  # behind its back
            with anyio.move_on_after(0.3) as scope:
                await handle.apply(0, [Effect(status=503)])
            assert scope.cancelled_caught
            await handle.kill()
            await handle.restart()
            assert (await anyio.to_thread.run_sync(ask, handle))[0] == 200

    anyio.run(run)


def test_a_fault_while_paused_is_in_force_afterwards(tmp_path: Path) -> None:
    async def run() -> None:
        async with started(tmp_path) as (_, handle):
            await handle.pause()
            await handle.pause()
            await handle.apply(0, [Effect(status=503)])
            await handle.resume()
            assert not handle.is_running  # the other pause is still in force
            await handle.resume()
            assert (await anyio.to_thread.run_sync(ask, handle))[0] == 503

    anyio.run(run)


def test_a_paused_process_has_its_undo_on_disk(tmp_path: Path) -> None:
    async def run() -> None:
        async with started(tmp_path) as (stage, handle):
            await handle.pause()
            journal = (tmp_path / "undo.jsonl").read_text()
            assert f'"started": {started_at(stage.events[0].fields["pid"])}, "signal": "SIGCONT"' in journal
            await handle.resume()

    anyio.run(run)


@pytest.mark.parametrize(("limit", "recorded"), [(0, 0), (4096 + 64 * (1 << 14), 1 << 14)], ids=["start", "later"])
def test_on_a_full_disk_it_goes_on_serving(limit: int, recorded: int, tmp_path: Path) -> None:
    """The limit on the size of files stands for the disk. Calls come in batches of 1000."""

    class Limited:
        def __init__(self, launcher: Any) -> None:
            self._launcher = launcher

        async def start(self, argv: list[str], **named: Any) -> Any:
            child = await self._launcher.start(argv, **named)
            resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (limit, limit))
            return child

        def __getattr__(self, name: str) -> Any:
            return getattr(self._launcher, name)

    def flood(handle: Any) -> int:
        calls = [{"id": BASE + n, "method": "eth_chainId"} for n in range(1000)]
        answers = 0
        with Peer(handle.endpoint) as peer:
            for _ in range(18):
                peer.send(raw(json.dumps(calls).encode()))
                answers += len(peer.read()[2])
        return answers

    async def run() -> Any:
        stage = Stage(tmp_path)
        object.__setattr__(stage.context, "launcher", Limited(stage.context.launcher))
        async with Provider.named("mock").start("alpha", stage.context) as handle:
            assert await anyio.to_thread.run_sync(flood, handle) == 18_000
            return handle

    reader = MappedReader(anyio.run(run).records[0], ATTEMPT)
    if recorded:
        assert len(reader.written("answered_ns")) == recorded
        assert reader.header()[1] == 18_000 - recorded


def test_without_its_coordinator_it_ends(tmp_path: Path) -> None:
    code = """
import sys, anyio
sys.path[:0] = %r
from pathlib import Path
from battle.rooms import load_rooms
load_rooms()
from providers.stage import started
async def run():
    async with started(Path(sys.argv[1])) as (stage, handle):
        print(stage.events[0].fields["pid"], flush=True)
        await anyio.sleep_forever()
anyio.run(run)
"""
    root = Path(__file__).parents[2]
    argv = [sys.executable, "-c", code % [str(root), str(root / "tests")], str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as coordinator:
        assert coordinator.stdout
        pid = int(coordinator.stdout.readline())
        assert started_at(pid)
        coordinator.kill()

    async def gone() -> None:
        with anyio.fail_after(5):
            while started_at(pid):  # noqa: ASYNC110
                await anyio.sleep(0.01)

    anyio.run(gone)


def test_alone_in_the_foreground_it_ends_on_sigint() -> None:
    code = """
from battle.rooms import load_rooms
load_rooms()
from battle.providers.mock import Mock
from battle.providers.mock_alone import serve_alone
serve_alone(Mock(latency="1ms"), "alpha", lambda url: print(url, flush=True))
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        host, port = url.removeprefix("http://").split(":")

        class At:
            endpoint = type("E", (), {"host": host, "port": int(port)})

        assert ask(At)[0] == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=5) == 0
