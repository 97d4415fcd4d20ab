"""bench/results/<date>.json: everything that was measured, and on what."""

import dataclasses
import json
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

import battle
from battle.errors import MissingDependency
from battle.proxies.binaries import NGINX
from bench.figures import Measured
from bench.machine import GENERATOR, SERVER
from bench.options import Options
from bench.peers import HEY, K6, LOCUST, WRK

SCHEMA_VERSION = 1
_DIRECTORY = Path(__file__).parent / "results"
_PACKAGES = ("httptools", "numpy", "orjson", "uvloop")


def save(measured: dict[str, Measured], options: Options, busy: float, *, whole: bool) -> Path:
    """Write the file of today; what is not whole goes to a file of its own, which is not committed."""
    now = datetime.now(UTC)
    path = _DIRECTORY / f"{now:%Y-%m-%d}{'' if whole else '-partial'}.json"
    content = {
        "schema_version": SCHEMA_VERSION,
        "measured_at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "options": dataclasses.asdict(options),
        "environment": environment(busy),
        "rows": [{"measurement": name, **row.to_json()} for name, one in measured.items() for row in one.rows],
        "rounds": {name: one.rounds for name, one in measured.items()},
    }
    _DIRECTORY.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


def environment(busy: float) -> dict[str, Any]:
    """The machine, how busy it was before, and the version of everything that takes part."""
    return {
        "busy_before": round(busy, 3),
        "cpu": _cpu_model(),
        "cores": psutil.cpu_count(),
        "generator_core": GENERATOR,
        "server_core": SERVER,
        "memory_mb": round(psutil.virtual_memory().total / 1e6),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "battle": battle.__version__,
        "commit": _commit(),
        "nginx": _nginx(),
        **{peer.name: peer.tells_version() for peer in (WRK, HEY, K6, LOCUST)},
        **{name: _package(name) for name in _PACKAGES},
    }


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str | None:
    """The commit that was measured, with a mark when files differ from it."""
    argv = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, cwd=_DIRECTORY.parent, check=False)
    except FileNotFoundError:  # without git
        return None
    return done.stdout.strip() or None


def _nginx() -> str | None:
    try:
        return NGINX.describe().partition(" ")[0]
    except MissingDependency:
        return None


def _package(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
