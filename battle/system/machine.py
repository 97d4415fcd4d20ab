"""What this machine has and can do."""

import asyncio
import itertools
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

import numpy as np

from battle.core.units import NS_PER_MS
from battle.errors import MissingDependency
from battle.system.addresses import free_port
from battle.system.event_loop import loop_kind
from battle.system.timer import DueTimer, timer_is_precise

_TIMERS = 200
_GAP_NS = 2 * NS_PER_MS
_FEW_FILES = 4096
_LITTLE_DISK_BYTES = 500_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `missing` means that runs cannot work, `warning` that some cannot."""

    topic: str
    status: Literal["ok", "warning", "missing"]
    found: str
    hint: str = ""


def packages() -> list[Finding]:
    """Battle's own requirements, by version."""
    findings = []
    for requirement in requires("battle") or []:
        name = requirement.split(";")[0].split(">=")[0].strip()
        if "extra ==" in requirement or ("sys_platform" in requirement and sys.platform == "win32"):
            continue
        try:
            findings.append(Finding(name, "ok", version(name)))
        except PackageNotFoundError:
            findings.append(Finding(name, "missing", "not installed", f"pip install {name}"))
    return findings


def optional_packages(wanted: Iterable[tuple[str, str]]) -> list[Finding]:
    """Packages that some kinds need: (name, how to get it)."""
    findings = []
    for name, hint in wanted:
        try:
            findings.append(Finding(name, "ok", version(name)))
        except PackageNotFoundError:
            findings.append(Finding(name, "warning", "not installed", hint))
    return findings


def program(name: str, describe: Callable[[], str]) -> Finding:
    """A proxy's program; without it only scenarios on that proxy cannot run."""
    try:
        return Finding(name, "ok", describe())
    except MissingDependency as error:
        return Finding(name, "warning", error.message, error.hint or "")


def tools(wanted: Iterable[tuple[str, str]]) -> list[Finding]:
    """Programs on PATH that some things use: (name, how to get it)."""
    findings = []
    for name, hint in wanted:
        path = shutil.which(name)
        findings.append(Finding(name, "ok" if path else "warning", path or "not on PATH", "" if path else hint))
    return findings


def clock() -> Finding:
    """The steps of CLOCK_MONOTONIC, as seen by reading it again and again."""
    reads = [time.monotonic_ns() for _ in range(2000)]
    steps = [after - before for before, after in itertools.pairwise(reads) if after > before]
    smallest = min(steps, default=0)
    status: Literal["ok", "warning"] = "ok" if 0 < smallest < NS_PER_MS // 10 else "warning"
    return Finding("clock", status, f"CLOCK_MONOTONIC, steps of {smallest} ns")


def timers() -> Finding:
    """How late timers fire on this machine now, as the load engine uses them."""
    late = asyncio.run(_lateness()) / 1000
    p50, p99 = (float(np.percentile(late, rank)) for rank in (50, 99))
    kind = "timerfd" if timer_is_precise() else "the event loop's timers, steps of about 1 ms"
    found = f"{kind}: late by {p50:.0f} µs (p50), {p99:.0f} µs (p99)"
    if p99 > 5000:  # noqa: PLR2004  (5 ms of send lag void latency objectives)
        return Finding("timers", "warning", found, "the machine is busy; latencies of open-model load may be unjudged")
    return Finding("timers", "ok", found)


async def _lateness() -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    late: list[int] = []
    done = asyncio.Event()
    due = time.monotonic_ns() + _GAP_NS

    def fire() -> None:
        nonlocal due
        late.append(time.monotonic_ns() - due)
        due += _GAP_NS
        if len(late) == _TIMERS:
            done.set()
        else:
            timer.arm(due)

    timer = DueTimer(asyncio.get_running_loop(), fire)
    timer.arm(due)
    await done.wait()
    timer.close()
    return np.array(late, np.int64)


def system_calls() -> list[Finding]:
    """What the safety of evidence and processes rests on here, and what takes its place where it is absent."""
    rows = (
        ("posix_fallocate", hasattr(os, "posix_fallocate"), "record files are filled with zeros ahead instead"),
        ("pidfd", hasattr(os, "pidfd_open"), "ends of processes are seen within 10 ms"),
        ("timerfd", timer_is_precise(), "sends are late by up to a millisecond"),
        ("uvloop", loop_kind() == "uvloop", "the load engine is about three times slower"),
    )
    return [_has(name, then, has=has) for name, has, then in rows]


def _has(name: str, otherwise: str, *, has: bool) -> Finding:
    return Finding(name, "ok", "yes") if has else Finding(name, "warning", "no", otherwise)


def limits(reports: Path) -> list[Finding]:
    """Open files, a free port, and where runs are written."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = files >= _FEW_FILES
    hint = "" if enough else "raise it: ulimit -n 65536"
    findings = [
        Finding("open files", "ok" if enough else "warning", f"at most {files}", hint),
        Finding("free port", "ok", f"{free_port()} on loopback, for example"),
    ]
    nearest = next(path for path in (reports.absolute(), *reports.absolute().parents) if path.exists())
    return [*findings, _disk(nearest), _disk(Path(tempfile.gettempdir()))]


def _disk(place: Path) -> Finding:
    free = shutil.disk_usage(place).free
    if not place.is_dir() or not os.access(place, os.W_OK):
        return Finding(str(place), "missing", "cannot be written", "choose another directory with --out")
    status: Literal["ok", "warning"] = "ok" if free > _LITTLE_DISK_BYTES else "warning"
    return Finding(str(place), status, f"writable, {free / 1e9:.1f} GB free")
