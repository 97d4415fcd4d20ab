"""The undo journal: written before, played once, torn lines and strangers left alone."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from battle.system import undo
from battle.system.groups import MARK, end_group, marked, members, same_process, started_at

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def sleeper(**environment: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(SLEEP, start_new_session=True, env={**os.environ, **environment})


def test_steps_are_pending_until_undone(tmp_path: Path) -> None:
    journal = undo.UndoJournal(tmp_path / "u", "run-1")
    first = journal.write({"do": "command", "argv": ["true"]})
    second = journal.write({"do": "command", "argv": ["true"]})
    journal.undone(first)
    left = undo.read(tmp_path / "u")
    assert list(left.steps) == [second]
    assert (left.run_id, left.coordinator_alive, left.closed, left.pending) == ("run-1", True, False, False)
    journal.undone(second)
    journal.close(all_undone=True)
    assert undo.read(tmp_path / "u").closed


def test_a_step_that_was_not_undone_keeps_the_journal_open(tmp_path: Path) -> None:
    journal = undo.UndoJournal(tmp_path / "u", "run-1")
    step = journal.write({"do": "command", "argv": ["true"]})  # such as a process that would not end
    journal.close(all_undone=True)
    left = undo.read(tmp_path / "u")
    assert (list(left.steps), left.closed) == ([step], False)


def test_a_torn_last_line_is_skipped(tmp_path: Path) -> None:
    journal = undo.UndoJournal(tmp_path / "u", "run-1")
    journal.write({"do": "command", "argv": ["true"]})
    journal.close(all_undone=False)
    with (tmp_path / "u").open("a") as file:
        file.write('{"step": 2, "do": "end_gr')
    assert list(undo.read(tmp_path / "u").steps) == [1]


def test_a_torn_last_line_swallows_nothing_that_follows(tmp_path: Path) -> None:
    journal = undo.UndoJournal(tmp_path / "u", "run-1")
    journal.close(all_undone=False)
    with (tmp_path / "u").open("a") as file:
        file.write('{"step": 2, "do": "end_gr')
    assert undo.play(tmp_path / "u") == ([], [])
    assert undo.read(tmp_path / "u").closed


def test_on_a_full_disk_a_step_is_refused_and_the_journal_stays_readable(tmp_path: Path) -> None:
    """A child, since the limit on the size of files that stands for the disk can be lowered but not raised again."""
    code = """
import os, resource, sys
from pathlib import Path
from battle.system import undo
path = Path(sys.argv[1])
journal = undo.UndoJournal(path, "run-1")
step = journal.write({"do": "command", "argv": ["touch", sys.argv[2]]})
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 10, hard))
for _ in range(2):
    try:
        journal.write({"do": "command", "argv": ["false"]})
    except OSError:
        continue
    sys.exit("a step was taken that is not on disk")
print(undo.play(path), flush=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
journal.undone(step)
journal.close(all_undone=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "u", tmp_path / "touched"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "ran touch" in done.stdout
    assert (tmp_path / "touched").exists()
    left = undo.read(tmp_path / "u")
    assert (left.steps, left.closed) == ({}, True)


def test_a_dead_coordinator_leaves_something_pending(tmp_path: Path) -> None:
    (tmp_path / "u").write_text(json.dumps({"run": "r", "pid": 1, "started": 5.0}) + "\n")
    assert undo.read(tmp_path / "u").pending


def test_playing_undoes_last_first_and_a_second_time_finds_nothing(tmp_path: Path) -> None:
    process = sleeper()
    directory = Path(tempfile.mkdtemp(prefix=undo.TEMPORARY_PREFIX))
    journal = undo.UndoJournal(tmp_path / "u", "run-1")
    journal.write({"do": "remove_tree", "path": str(directory)})
    journal.write({"do": "end_group", "pid": process.pid, "started": started_at(process.pid), "name": "alpha"})
    done, failed = undo.play(tmp_path / "u")
    assert done == [f"ended alpha (process group {process.pid})", f"removed {directory}"]
    assert failed == []
    assert process.wait(5) == -9
    assert not directory.exists()
    assert undo.play(tmp_path / "u") == ([], [])


def test_what_cannot_be_undone_is_told_and_stays(tmp_path: Path) -> None:
    journal = undo.UndoJournal(tmp_path / "u", "run-1")
    journal.write({"do": "command", "argv": ["false"], "name": "rule"})
    journal.write({"do": "remove_tree", "path": str(tmp_path)})
    journal.write({"do": "nonsense"})
    done, failed = undo.play(tmp_path / "u")
    assert done == []
    assert len(failed) == 3
    assert tmp_path.exists(), "only battle's own temporary directories may be removed"
    assert len(undo.read(tmp_path / "u").steps) == 3


def test_a_stopped_process_is_continued(tmp_path: Path) -> None:
    process = sleeper()
    process.send_signal(19)
    journal = undo.UndoJournal(tmp_path / "u", "run-1")
    journal.write({"do": "signal", "pid": process.pid, "started": started_at(process.pid), "signal": "SIGCONT"})
    done, failed = undo.play(tmp_path / "u")
    assert failed == []
    assert len(done) == 1
    assert same_process(process.pid, started_at(process.pid))
    process.kill()
    process.wait()


@pytest.mark.parametrize("is_stopped", [False, True])
def test_a_group_ends_whatever_its_state(is_stopped: bool) -> None:
    process = sleeper()
    started = started_at(process.pid)
    assert members(process.pid) == [process.pid]
    if is_stopped:
        process.send_signal(19)
    assert end_group(process.pid, started) is True
    assert members(process.pid) == []  # a zombie counts as gone
    assert end_group(process.pid, started) is False
    process.wait()


def test_a_stranger_with_the_same_number_is_left_alone() -> None:
    process = sleeper()
    assert end_group(process.pid, started_at(process.pid) - 100) is False
    assert process.poll() is None
    process.kill()
    process.wait()


def test_the_mark_finds_processes_that_left_their_group() -> None:
    process = sleeper(**{MARK: "run-with-this-mark"})
    assert marked("run-with-this-mark") == [process.pid]
    assert marked("another") == []
    process.kill()
    process.wait()
