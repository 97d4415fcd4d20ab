"""What ran where: versions and the machine, for the report."""

import os
import platform
from collections.abc import Iterable

import psutil

import battle
from battle.core.journal import Event, EventKind


def describe_environment(events: Iterable[Event]) -> dict[str, object]:
    """Versions of battle, Python and the proxy, and the host's cores, memory and kernel."""
    proxy = next((event.fields.get("version") for event in events if event.kind is EventKind.PROXY_STARTED), None)
    return {
        "battle": battle.__version__,
        "python": platform.python_version(),
        "proxy": proxy,
        "host": {
            "system": platform.system(),
            "kernel": platform.release(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "memory_mb": round(psutil.virtual_memory().total / 1e6),
        },
    }
