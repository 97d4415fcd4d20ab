"""Children of a coordinator that is killed, at any instant, are ended by the guardian; the gate holds until then."""

import random
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest

from battle.errors import SetupError
from battle.system import undo
from battle.system.groups import marked, members
from battle.system.guardian import Guardian
from battle.system.launching import ProcessLauncher

pytestmark = pytest.mark.e2e

COORDINATOR = """
import os, signal, sys, anyio
from pathlib import Path
from battle.system.guardian import Guardian
from battle.system.launching import ProcessLauncher
from battle.system.undo import UndoJournal

async def main():
    directory, run = Path(sys.argv[1]), sys.argv[2]
    journal = UndoJournal(directory / "undo.jsonl", run)
    guardian = Guardian(directory / "undo.jsonl", run)
    launcher = ProcessLauncher(journal, run)
    print("guardian", guardian.pid, flush=True)
    runaway = "import os, time; os.fork() or os.setsid(); time.sleep(60)"
    for index in range(4):
        argv = [sys.executable, "-c", runaway if index == 3 else "import time; time.sleep(60)"]
        child = await launcher.start(argv, name=f"child-{index}", log=directory / "log")
        if index == 1:
            await anyio.sleep(0.1)
            child.send_signal(signal.SIGSTOP)
        print(child.pid, flush=True)
    await anyio.sleep(60)

anyio.run(main)
"""


def gone_within(run_id: str, groups: list[int], seconds: float) -> list[int]:
    end = time.monotonic() + seconds
    while (left := [pid for group in groups for pid in members(group)] + marked(run_id)) and time.monotonic() < end:
        time.sleep(0.01)
    return left


@pytest.mark.parametrize("seed", range(8))
def test_killed_at_a_random_instant_nothing_is_left(seed: int, tmp_path: Path) -> None:
    """Real time: the instants are drawn from the half second in which the children are started."""
    run_id = f"guardian-test-{seed}"
    coordinator = subprocess.Popen(
        [sys.executable, "-c", COORDINATOR, str(tmp_path), run_id], stdout=subprocess.PIPE, text=True
    )
    assert coordinator.stdout is not None
    coordinator.stdout.readline()
    time.sleep(random.Random(seed).uniform(0, 0.5))
    coordinator.kill()
    coordinator.wait()
    groups = [int(line) for line in coordinator.stdout.read().split()]
    coordinator.stdout.close()
    assert gone_within(run_id, groups, 5) == []
    end = time.monotonic() + 5
    while not undo.read(tmp_path / "undo.jsonl").closed and time.monotonic() < end:
        time.sleep(0.01)
    assert undo.read(tmp_path / "undo.jsonl").closed


def test_dismissed_it_touches_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        journal = undo.UndoJournal(tmp_path / "u", "dismissed")
        guardian = Guardian(tmp_path / "u", "dismissed")
        child = await ProcessLauncher(journal, "dismissed").start(["sleep", "60"], name="s", log=tmp_path / "log")
        guardian.dismiss()
        await anyio.sleep(0.2)
        assert child.status is None
        await child.end()
        assert child.status is not None
        assert members(child.pid) == []

    anyio.run(run)


def test_without_an_undo_on_disk_nothing_is_started(tmp_path: Path) -> None:
    class FullDisk(undo.UndoJournal):
        def write(self, step: dict[str, object]) -> int:
            raise OSError(28, "no space left on device")

    async def run() -> None:
        launcher = ProcessLauncher(FullDisk(tmp_path / "u", "full"), "full")
        with pytest.raises(SetupError, match="no space left"):
            await launcher.start(["touch", str(tmp_path / "ran")], name="toucher", log=tmp_path / "log")
        await anyio.sleep(0.3)

    anyio.run(run)
    assert not (tmp_path / "ran").exists()


def test_what_it_printed_and_how_it_ended(tmp_path: Path) -> None:
    async def run() -> None:
        journal = undo.UndoJournal(tmp_path / "u", "prints")
        argv = ["sh", "-c", "echo first; read -r line; echo got $line; exit 3"]
        child = await ProcessLauncher(journal, "prints").start(argv, name="p", log=tmp_path / "log")
        child.write_line("hello")
        assert await child.wait() == 3
        assert child.last_lines() == "first\ngot hello"
        await child.end()

    anyio.run(run)
