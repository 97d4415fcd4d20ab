"""Runs in the background, to be watched, interrupted and killed."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from e2e.command import children_of, command, processes_mentioning


def start(cwd: Path, *arguments: str | Path) -> "subprocess.Popen[str]":
    """`battle run …` in the background, in a session of its own."""
    return subprocess.Popen(
        command("run", *arguments),
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_event(cwd: Path, kind: str, within_s: float = 30) -> dict[str, Any]:
    """Wait until the run's journal holds an event of a kind; gives the first."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        journals = [path for path in (cwd / "reports").glob("*/events.jsonl") if not path.parent.is_symlink()]
        for line in journals[0].read_text().split("\n")[:-1] if journals else ():
            event: dict[str, Any] = json.loads(line)
            if event["kind"] == kind:
                return event
        time.sleep(0.05)
    raise AssertionError(f"no {kind} within {within_s} s")


def nothing_left(run_id: str, within_s: float = 5) -> None:
    """Wait until no process of the run lives: the guardian may need a moment."""
    end = time.monotonic() + within_s
    while (left := children_of(run_id) + processes_mentioning(run_id)) and time.monotonic() < end:
        time.sleep(0.05)
    assert left == []
    assert list(Path("/tmp").glob(f"battle-{run_id[-6:]}-*")) == []
