"""The whole program, `battle run`, as a user starts it, and what it left."""

import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from battle.core.journal import Event, EventKind
from battle.core.records import Outcome
from battle.store import RunDir, Store, StoredEvidence
from bench.machine import pinned

_VERDICTS = {0, 1, 3}
"""Exit codes of a run that was carried out and judged."""
_MOST_S = 120


@dataclass(frozen=True)
class WholeRun:
    """A run that is over: the instant of its exec, and its directory."""

    exec_ns: int
    directory: RunDir

    @property
    def evidence(self) -> StoredEvidence:
        """What it recorded."""
        return self.directory.load()


def battle_run(scenario: dict[str, Any], directory: Path, *extra: str, core: int | None = None) -> WholeRun:
    """Run a scenario; with `core` the whole program is held there. Raises RuntimeError when it was not carried out."""
    path, out = directory / "scenario.yaml", directory / "reports"
    path.write_text(yaml.safe_dump(scenario, sort_keys=False))
    argv = [sys.executable, "-m", "battle", "run", str(path), "--quiet", "--out", str(out), *extra]
    with nullcontext() if core is None else pinned(core):
        exec_ns = time.monotonic_ns()
        done = subprocess.run(argv, capture_output=True, text=True, timeout=_MOST_S, check=False)
    if done.returncode not in _VERDICTS:
        raise RuntimeError(f"battle run ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return WholeRun(exec_ns, Store(out).find("latest"))


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
    evidence = run.evidence
    ended = evidence.requests["ended_ns"] - load_started(evidence).fields["t0_ns"]
    inside = (ended >= 0) & (ended < seconds * 1e9) & (evidence.requests["outcome"] == Outcome.OK)
    return float(inside.sum() / seconds)
