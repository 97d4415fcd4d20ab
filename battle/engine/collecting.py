"""Gathers what workers and providers wrote into the two tables of evidence."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from battle.core.journal import EventKind
from battle.core.records import ATTEMPT, REQUEST, Attempts, Requests
from battle.errors import EvidenceError
from battle.system.mapped import MappedReader

REQUESTS_FILE = "worker-0.requests"
ATTEMPTS_SUFFIX = ".attempts"


def gather(raw_dir: Path, note: Callable[..., None]) -> tuple[Requests, Attempts]:
    """All requests, in the order of keys, and all attempts. Records that found no space are warned of."""
    requests = _read(raw_dir / REQUESTS_FILE, REQUEST, "key", note)
    attempts = [_read(path, ATTEMPT, "arrived_ns", note) for path in sorted(raw_dir.glob(f"*{ATTEMPTS_SUFFIX}"))]
    return requests, np.concatenate(attempts) if attempts else np.zeros(0, ATTEMPT)


def _read(path: Path, layout: "np.dtype[np.void]", stamp: str, note: Callable[..., None]) -> Requests:
    reader = MappedReader(path, layout)
    try:
        _, lost = reader.header()
    except (OSError, EvidenceError) as error:
        note(EventKind.WARNING, text=f"no records from {path.name}: {error}")
        return np.zeros(0, layout)
    if lost:
        note(EventKind.WARNING, text=f"no space left on the disk: {lost:,} records of {path.name} are missing")
    return reader.written(stamp)
