"""A bare timerfd probe: armed for each instant of a constant rate, it measures how late it wakes, and nothing else.

    python -m bench.probe RATE SECONDS        prints {"p50": µs, "p99": µs, "max": µs}

What it shows is the machine's share of a send lag: no loop, no request, no socket.
"""

import ctypes
import gc
import json
import os
import struct
import sys
import time

import numpy as np

_CLOCK_MONOTONIC, _ABSTIME = 1, 1
_SPEC = struct.Struct("@llll")
_LEAD_NS = 50_000_000


def lateness_ns(rate: float, seconds: float) -> list[int]:
    """How late each instant was met. What has passed already is late by that, and is not waited for."""
    libc = ctypes.CDLL(None)
    timer = libc.timerfd_create(_CLOCK_MONOTONIC, 0)
    start = time.monotonic_ns() + _LEAD_NS
    late = []
    for count in range(round(rate * seconds)):
        due = start + round(count * 1e9 / rate)
        if time.monotonic_ns() < due:
            libc.timerfd_settime(timer, _ABSTIME, _SPEC.pack(0, 0, *divmod(due, 1_000_000_000)), None)
            os.read(timer, 8)
        late.append(time.monotonic_ns() - due)
    os.close(timer)
    return late


def main() -> None:
    rate, seconds = map(float, sys.argv[1:])
    gc.disable()
    late = np.array(lateness_ns(rate, seconds)) / 1e3
    print(json.dumps({"p50": np.percentile(late, 50), "p99": np.percentile(late, 99), "max": late.max()}))


if __name__ == "__main__":
    main()
