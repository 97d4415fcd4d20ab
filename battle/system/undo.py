"""The undo journal: what must be done so that nothing stays broken, written to disk before it is needed.

Each line of undo.jsonl is one object:

    {"run": id, "pid": …, "started": …}     the coordinator that wrote it
    {"step": n, "do": kind, …}              how to undo what is about to be done
    {"undone": n}                           it was undone
    {"closed": true}                        nothing is left to undo

Kinds of steps: `end_group` (pid, started) ends a process group; `signal` (pid, started, signal) sends a signal;
`remove_tree` (path) removes a directory of battle's own under the system's temporary directory; `command` (argv) runs a
program. Playing a step twice does no harm.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from battle.system.groups import end_group, same_process, started_at

TEMPORARY_PREFIX = "battle-"


class UndoJournal:
    """The journal of one run, as its coordinator writes it."""

    def __init__(self, path: Path, run_id: str) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._count = 0
        self._pending: set[int] = set()
        self._is_torn = False
        self._write({"run": run_id, "pid": os.getpid(), "started": started_at(os.getpid())})

    def _write(self, line: dict[str, Any]) -> None:
        data = json.dumps(line).encode() + b"\n"
        if self._is_torn:
            data = b"\n" + data  # a torn line must not swallow the next one
        written = os.write(self._descriptor, data)
        self._is_torn = written != len(data)
        if self._is_torn:
            raise OSError(28, "no space left for the undo journal", str(self.path))

    def write(self, step: dict[str, Any]) -> int:
        """Add a step; gives its number. Raises OSError when it cannot be written: then the thing must not be done."""
        self._count += 1
        self._write({"step": self._count, **step})
        self._pending.add(self._count)
        return self._count

    def undone(self, number: int) -> None:
        """Note that a step was carried out."""
        self._pending.discard(number)
        self._write({"undone": number})

    def close(self, *, all_undone: bool) -> None:
        """Close the file, noting when nothing is left to undo: no step, and nothing that `all_undone` knows better."""
        if all_undone and not self._pending:
            self._write({"closed": True})
        os.close(self._descriptor)


@dataclass
class Leftover:
    """What an undo journal says."""

    run_id: str = ""
    coordinator_alive: bool = False
    closed: bool = False
    steps: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def pending(self) -> bool:
        """Whether something is left to undo, by a coordinator that is gone."""
        return not self.closed and not self.coordinator_alive


def read(path: Path) -> Leftover:
    """What is left to undo; a torn last line is skipped. Raises OSError when the file cannot be read."""
    left = Leftover()
    for text in path.read_text(errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if "run" in line:
            left.run_id = line["run"]
            left.coordinator_alive = same_process(line["pid"], line["started"])
        elif "step" in line:
            left.steps[line["step"]] = line
        elif "undone" in line:
            left.steps.pop(line["undone"], None)
        elif line.get("closed"):
            left.closed = True
    return left


def play(path: Path) -> tuple[list[str], list[str]]:
    """Carry out what is left, last step first. Gives what was done, and what failed, in words."""
    left = read(path)
    done: list[str] = []
    failed: list[str] = []
    notes: list[dict[str, Any]] = []
    for number, step in sorted(left.steps.items(), reverse=True):
        try:
            did = _carry_out(step)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            failed.append(f"{step.get('do')} {step.get('name', '')}: {error}")
            continue
        if did:
            done.append(did)
        notes.append({"undone": number})
    if not failed:
        notes.append({"closed": True})
    with suppress(OSError):  # on a full disk all is undone as well, and may be played again
        _append(path, notes)
    return done, failed


def _append(path: Path, lines: list[dict[str, Any]]) -> None:
    """Add lines; a torn last line must not swallow the first of them. Raises OSError."""
    start = "" if path.read_bytes().endswith(b"\n") else "\n"
    with path.open("a") as file:
        file.write(start + "".join(json.dumps(line) + "\n" for line in lines))


def _carry_out(step: dict[str, Any]) -> str | None:
    """Carry out one step; what was done in words, None when nothing had to be done. Raises OSError, ValueError."""
    name = step.get("name", "")
    match step["do"]:
        case "end_group":
            if not end_group(step["pid"], step["started"]):
                return None
            return f"ended {name} (process group {step['pid']})"
        case "signal":
            if not same_process(step["pid"], step["started"]):
                return None
            os.kill(step["pid"], signal.Signals[step["signal"]])
            return f"sent {step['signal']} to {name} (pid {step['pid']})"
        case "remove_tree":
            return _remove_tree(Path(step["path"]))
        case "command":
            subprocess.run(step["argv"], check=True, capture_output=True, timeout=10)
            return f"ran {' '.join(step['argv'])}"
        case other:
            raise ValueError(f"unknown undo step {other!r}")


def _remove_tree(path: Path) -> str | None:
    if path.parent != Path(tempfile.gettempdir()) or not path.name.startswith(TEMPORARY_PREFIX):
        raise ValueError(f"{path} is not a temporary directory of battle's own")
    if not path.exists():
        return None
    shutil.rmtree(path, ignore_errors=True)
    return f"removed {path}"
