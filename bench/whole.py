"""The whole program, `battle run`, as a user starts it, and what it left."""

import subprocess
import sys
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from battle.core.journal import Event, EventKind
from battle.core.record_source import whole
from battle.core.records import REQUEST, Outcome
from battle.store import RunDir, Store, StoredEvidence
from bench.machine import pinned

_VERDICTS = {0, 1, 3}
"""Exit codes of a run that was carried out and judged."""
_MOST_S = 120
_WORKER_S = 20


@dataclass(frozen=True)
class WholeRun:
    """A run that is over: the instant of its exec, and its directory."""

    exec_ns: int
    directory: RunDir

    @property
    def evidence(self) -> StoredEvidence:
        """What it recorded."""
        return self.directory.load()


def battle_run(
    scenario: dict[str, Any], directory: Path, *extra: str, core: int | None = None, worker_core: int | None = None
) -> WholeRun:
    """Run a scenario. Raises RuntimeError when it was not carried out.

    With `core` the whole program is held there, with `worker_core` its load worker on another one.
    """
    path, out = directory / "scenario.yaml", directory / "reports"
    path.write_text(yaml.safe_dump(scenario, sort_keys=False))
    argv = [sys.executable, "-m", "battle", "run", str(path), "--quiet", "--out", str(out), *extra]
    with nullcontext() if core is None else pinned(core):
        exec_ns = time.monotonic_ns()
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if worker_core is not None:
        _move_worker(process.pid, worker_core)
    try:
        _, printed = process.communicate(timeout=_MOST_S)
    finally:
        process.terminate()  # if it is not over: battle ends all that it started
        process.wait(_WORKER_S)
    if process.returncode not in _VERDICTS:
        raise RuntimeError(f"battle run ended with {process.returncode}:\n{printed[-2000:]}")
    return WholeRun(exec_ns, Store(out).find("latest"))


def _move_worker(coordinator: int, core: int) -> None:
    """Hold the load worker on a core, as soon as it is there: its threads to come stay there too."""
    deadline = time.monotonic() + _WORKER_S
    while time.monotonic() < deadline:
        with suppress(psutil.Error):
            for child in psutil.Process(coordinator).children():
                if "_worker" in child.cmdline():
                    child.cpu_affinity([core])
                    return
        time.sleep(0.01)


def users_scenario(url: str, request: dict[str, Any], users: int, seconds: float) -> dict[str, Any]:
    """The closed model against a server that runs, after half a second of warm-up."""
    phase = {"kind": "users", "users": users}
    load = [{**phase, "duration": "500ms", "warmup": True}, {**phase, "duration": f"{round(seconds * 1000)}ms"}]
    return {
        "name": "Bench",
        "setup": {"proxy": {"kind": "url", "url": url.rstrip("/")}},
        "workload": {"load": {"requests": [request], "load": load}},
    }


def load_started(evidence: StoredEvidence) -> Event:
    """The event that dates t0."""
    return next(event for event in evidence.events if event.kind is EventKind.LOAD_STARTED)


def ok_per_s(run: WholeRun, seconds: float) -> float:
    """Answers per second that were ok, in the first `seconds` from t0."""
    requests = whole(run.evidence.requests, REQUEST)
    ended = requests["ended_ns"] - load_started(run.evidence).fields["t0_ns"]
    inside = (ended >= 0) & (ended < seconds * 1e9) & (requests["outcome"] == Outcome.OK)
    return float(inside.sum() / seconds)
