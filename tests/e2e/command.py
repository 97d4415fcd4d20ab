"""Running the real command line, and looking at what it leaves."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "scenarios"


def command(*arguments: str | Path) -> list[str]:
    """The command line as a user types it."""
    return [sys.executable, "-m", "battle", *map(str, arguments)]


def battle(*arguments: str | Path, cwd: Path, timeout: float = 120) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, with a bound on its time."""
    return subprocess.run(command(*arguments), cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)


def run_json(*arguments: str | Path, cwd: Path, timeout: float = 120) -> tuple[int, dict[str, Any]]:
    """`battle run --json …`: the exit code, and what stdout holds, which must be JSON and nothing else."""
    done = battle("run", "--json", *arguments, cwd=cwd, timeout=timeout)
    assert done.stdout, f"exit {done.returncode}: {done.stderr[-3000:]}"
    return done.returncode, json.loads(done.stdout)


def only_run(cwd: Path) -> Path:
    """The directory of the one run under `reports`."""
    found = [path for path in (cwd / "reports").iterdir() if path.is_dir() and not path.is_symlink()]
    assert len(found) == 1, found
    return found[0]


def children_of(run_id: str) -> list[psutil.Process]:
    """Living processes that carry the mark of a run."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get("BATTLE_RUN") == run_id:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def processes_mentioning(text: str) -> list[psutil.Process]:
    """Living processes, this one excepted, whose command line holds a text (nginx hides its environment)."""
    found = []
    for process in psutil.process_iter():
        try:
            alive = process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE
            if alive and text in " ".join(process.cmdline()):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found
