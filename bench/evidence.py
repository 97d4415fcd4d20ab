"""A run directory as a long run would have left it, written in pieces, so that it needs little memory.

Three providers in turn; every fifth request was tried at one, answered 500 there, and served by the next. One provider
was killed for a fifth of the time, and one request in a thousand failed. The same numbers give the same files.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np
import yaml
from numpy.typing import NDArray

from battle.core.journal import Event, EventKind
from battle.core.keys import key_base
from battle.core.records import ATTEMPT, NO_HEIGHT, NO_PROVIDER, REQUEST, ErrorClass, KeySource, Outcome, Requests
from battle.store import RunDir, Store

_PROVIDERS = ("alpha", "beta", "gamma")
_RATE = 20_000
_PIECE = 250_000
_BASE = key_base(1)
_T0_NS = 100_000_000_000
_RETRIED_EVERY, _FAILED_EVERY = 5, 1_000


def write_run(root: Path, count: int) -> tuple[RunDir, int]:
    """Write the evidence of a run with this many requests, unjudged; gives its directory and how many attempts."""
    run_dir = Store(root).create("Bench", datetime(2026, 1, 1, tzinfo=UTC), "0be0c4")
    run_dir.save_scenario(yaml.safe_dump(_scenario(count), sort_keys=False))
    with run_dir.journal() as journal:
        for event in _events(count):
            journal.write(event)
    with run_dir.requests_path.open("wb") as file:
        _write_head(file, REQUEST, count)
        for numbers in _pieces(count):
            file.write(_requests(numbers).tobytes())
    attempts = count + -(-count // _RETRIED_EVERY)
    with run_dir.attempts_path.open("wb") as file:
        _write_head(file, ATTEMPT, attempts)
        for provider in range(len(_PROVIDERS)):
            for numbers in _pieces(count):
                file.write(_attempts(numbers, provider, count).tobytes())
    return run_dir, attempts


def _scenario(count: int) -> dict[str, object]:
    seconds = count / _RATE
    return {
        "name": "Bench",
        "setup": {"providers": {name: {"kind": "mock"} for name in _PROVIDERS}, "proxy": {"kind": "nginx"}},
        "workload": {
            "reads": {
                "requests": [{"method": "eth_blockNumber"}],
                "load": {"kind": "constant", "rate": f"{_RATE}/s", "duration": f"{seconds:.3f}s"},
            }
        },
        "chaos": {
            "kill-alpha": {
                "kind": "kill",
                "target": "alpha",
                "at": f"{seconds * 0.4:.3f}s",
                "for": f"{seconds * 0.2:.3f}s",
            }
        },
        "slo": ["success_rate >= 99%", "p99.9 <= 1s", "p95 <= 250ms during kill-alpha", "amplification <= 1.5"],
    }


def _events(count: int) -> Iterator[Event]:
    end = round(count * 1e9 / _RATE)
    injected, cleared = _fault_ns(count)
    of = {"fault": "kill-alpha", "occurrence": 0, "target": "alpha"}
    yield Event(_T0_NS - 10**9, EventKind.RUN_STARTED, {"key_base": _BASE, "wall_ns": 1_790_000_000_000_000_000})
    yield Event(_T0_NS, EventKind.LOAD_STARTED, {"t0_ns": _T0_NS, "planned_end_ns": _T0_NS + end, "planned": count})
    yield Event(injected - 1000, EventKind.FAULT_INJECTING, of)
    yield Event(injected, EventKind.FAULT_INJECTED, of)
    yield Event(injected, EventKind.FAULT_EFFECTIVE, {**of, "detail": "refused after 0 ms"})
    yield Event(cleared - 2000, EventKind.FAULT_ROLLING_BACK, of)
    yield Event(cleared - 1000, EventKind.FAULT_ROLLED_BACK, of)
    yield Event(cleared, EventKind.FAULT_CLEARED, {**of, "detail": "HTTP 200 after 1 ms"})
    yield Event(_T0_NS + end, EventKind.LOAD_ENDED, {"reason": "completed", "sent": count, "dropped": 0})
    yield Event(_T0_NS + end + 10**9, EventKind.RUN_ENDED, {"disturbed": []})


def _fault_ns(count: int) -> tuple[int, int]:
    seconds = count / _RATE
    return _T0_NS + round(seconds * 0.4e9), _T0_NS + round(seconds * 0.6e9)


def _write_head(file: BinaryIO, layout: "np.dtype[np.void]", count: int) -> None:
    described = {"descr": np.lib.format.dtype_to_descr(layout), "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(file, described)


def _pieces(count: int) -> Iterator[NDArray[np.int64]]:
    for first in range(0, count, _PIECE):
        yield np.arange(first, min(first + _PIECE, count))


def _requests(numbers: NDArray[np.int64]) -> Requests:
    draw = np.random.default_rng(int(numbers[0]))
    records = np.zeros(len(numbers), REQUEST)
    records["key"] = _BASE + numbers
    records["scheduled_ns"] = _T0_NS + numbers * (10**9 // _RATE)
    records["started_ns"] = records["scheduled_ns"] + draw.exponential(40_000, len(numbers)).astype(np.int64)
    served_ns = draw.gamma(4, 5_000_000, len(numbers)).astype(np.int64) + 4_000_000
    records["ended_ns"] = records["started_ns"] + served_ns
    failed = numbers % _FAILED_EVERY == _FAILED_EVERY - 1
    records["outcome"] = np.where(failed, Outcome.FAILED, Outcome.OK)
    records["error"] = np.where(failed, ErrorClass.HTTP_5XX, ErrorClass.NONE)
    records["status"] = np.where(failed, 502, 200)
    records["height"] = np.where(failed, NO_HEIGHT, _heights(records["ended_ns"]))
    records["connection"] = numbers % 64 + 1
    records["witness_provider"] = records["witness_first"] = NO_PROVIDER
    return records


def _attempts(numbers: NDArray[np.int64], provider: int, count: int) -> NDArray[np.void]:
    """What one provider recorded of these requests."""
    requests = _requests(numbers)
    injected, cleared = _fault_ns(count)
    down = (requests["scheduled_ns"] >= injected) & (requests["scheduled_ns"] < cleared)
    first = np.where(down, 1 + numbers % 2, numbers % 3)
    second = np.where(down, 3 - first, (first + 1) % 3)
    retried = numbers % _RETRIED_EVERY == 0
    refused = _of_provider(requests[retried & (first == provider)], provider, ok=False)
    served = _of_provider(requests[np.where(retried, second, first) == provider], provider, ok=True)
    both = np.concatenate([refused, served])
    chosen: NDArray[np.void] = both[np.argsort(both["arrived_ns"], kind="stable")]
    return chosen


def _of_provider(requests: Requests, provider: int, *, ok: bool) -> NDArray[np.void]:
    """The attempts that served requests, or those that were answered 500 before another provider served them."""
    records = np.zeros(len(requests), ATTEMPT)
    records["key"] = requests["key"]
    records["arrived_ns"] = requests["started_ns"] + (3_000_000 if ok else 200_000)
    records["answered_ns"] = requests["ended_ns"] - 200_000 if ok else requests["started_ns"] + 2_500_000
    records["height"] = _heights(records["answered_ns"]) if ok else NO_HEIGHT
    records["status"] = 200 if ok else 500
    records["connection"] = requests["connection"]
    records["provider"] = provider
    records["incarnation"] = 1
    records["key_source"] = KeySource.ID
    records["executed"] = ok
    return records


def _heights(at_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """One block a second."""
    return at_ns // 10**9
