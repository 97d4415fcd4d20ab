import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.commands import call, refused

from battle.errors import ExitCode
from battle.system.groups import MARK, started_at

RUN = "20261123T041500Z-killed-a1b2c3"
OLDER = "20261122T041500Z-killed-a1b2c3"
GONE = {"pid": 2**22 - 3, "started": 1.0}
"""A coordinator that is no more."""


def journal(root: Path, *lines: object, run_id: str = RUN, end: str = "\n") -> Path:
    path = root / run_id / "undo.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + end)
    return path


def head(run_id: str = RUN, **who: object) -> dict[str, object]:
    return {"run": run_id, **GONE, **who}


@pytest.fixture
def child() -> Iterator["subprocess.Popen[bytes]"]:
    """A process in a group of its own, as a run would have started it."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
    yield process
    if process.poll() is None:
        process.kill()
    process.wait(timeout=10)


def step(child: "subprocess.Popen[bytes]") -> dict[str, object]:
    return {"step": 1, "do": "end_group", "pid": child.pid, "started": started_at(child.pid), "name": "alpha"}


@pytest.mark.parametrize("which", [(), (RUN,), ("--all",), ("latest",)])
def test_what_was_left_is_ended_once(which: tuple[str, ...], tmp_path: Path, child: "subprocess.Popen[bytes]") -> None:
    journal(tmp_path, head(), step(child))
    done = call("rollback", *which, "--out", tmp_path)
    assert done.code == 0
    assert f"{RUN}: ended alpha" in done.out
    assert child.wait(timeout=10) == -signal.SIGKILL
    assert call("rollback", *which, "--out", tmp_path).out.strip() == "nothing to undo"


def test_nothing_where_there_are_no_runs(tmp_path: Path) -> None:
    assert call("rollback", "--out", tmp_path).out.strip() == "nothing to undo"


def test_a_run_that_still_goes_is_refused_with_its_pid(tmp_path: Path, child: "subprocess.Popen[bytes]") -> None:
    journal(tmp_path, head(pid=os.getpid(), started=started_at(os.getpid())), step(child))
    assert f"pid {os.getpid()}" in refused("rollback", RUN, "--out", tmp_path).message
    assert call("rollback", "--all", "--out", tmp_path).out.strip() == "nothing to undo"
    assert child.poll() is None


def test_a_child_that_left_its_group_is_found_by_its_mark(tmp_path: Path) -> None:
    journal(tmp_path, head(), {"closed": True})
    stray = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], env={**os.environ, MARK: RUN})
    try:
        assert f"ended pid {stray.pid}" in call("rollback", "--out", tmp_path).out
        assert stray.wait(timeout=10) == -signal.SIGKILL
    finally:
        stray.kill()
        stray.wait(timeout=10)


def test_what_the_guardian_did_is_told(tmp_path: Path) -> None:
    journal(tmp_path, head(), {"closed": True}, {"by": "guardian", "pid": 7, "done": ["ended alpha"], "failed": []})
    done = call("rollback", RUN, "--out", tmp_path)
    assert done.out.strip() == "nothing to undo"
    assert "the guardian had already undone: ended alpha" in done.err


def test_a_torn_line_is_no_obstacle(tmp_path: Path, child: "subprocess.Popen[bytes]") -> None:
    journal(tmp_path, head(), step(child), '{"by": "guardian", "do', end="")
    assert "ended alpha" in call("rollback", RUN, "--out", tmp_path).out
    assert child.wait(timeout=10) == -signal.SIGKILL


def test_a_step_that_fails_is_named_and_tried_again(tmp_path: Path) -> None:
    journal(tmp_path, head(), {"step": 1, "do": "command", "argv": ["false"], "name": "netns"})
    for _ in range(2):
        error = refused("rollback", RUN, "--out", tmp_path, code=ExitCode.ROLLBACK_FAILED)
        assert "netns" in error.message
        assert error.hint


def test_a_step_outside_of_battles_own_directories_is_not_carried_out(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    journal(tmp_path, head(), {"step": 1, "do": "remove_tree", "path": str(precious)})
    refused("rollback", RUN, "--out", tmp_path, code=ExitCode.ROLLBACK_FAILED)
    assert precious.is_dir()


def test_of_a_damaged_journal_nothing_is_touched_since_its_run_may_live(tmp_path: Path) -> None:
    journal(tmp_path, {"run": RUN})
    marked = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], env={**os.environ, MARK: RUN})
    try:
        error = refused("rollback", "--out", tmp_path, code=ExitCode.ROLLBACK_FAILED)
        assert "damaged" in error.message
        assert marked.poll() is None
    finally:
        marked.kill()
        marked.wait(timeout=10)


def test_a_failure_does_not_keep_the_others_from_being_undone(tmp_path: Path, child: "subprocess.Popen[bytes]") -> None:
    journal(tmp_path, {"run": RUN})
    journal(tmp_path, head(OLDER), step(child), run_id=OLDER)
    refused("rollback", "--all", "--out", tmp_path, code=ExitCode.ROLLBACK_FAILED)
    assert child.wait(timeout=10) == -signal.SIGKILL


def test_a_run_and_all_exclude_each_other(tmp_path: Path) -> None:
    refused("rollback", RUN, "--all", "--out", tmp_path)


def test_an_unknown_run(tmp_path: Path) -> None:
    journal(tmp_path, head())
    assert RUN in str(refused("rollback", RUN[:-1] + "4", "--out", tmp_path).hint)
