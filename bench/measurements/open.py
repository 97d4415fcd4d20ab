"""The open model at constant rates: send lag against a bare timerfd probe in the same round."""

import json
import subprocess
import sys
from typing import Any

import numpy as np

from bench.figures import Measured, Row, Target, ratios
from bench.machine import GENERATOR, pinned
from bench.options import Options
from bench.server import nginx
from bench.worker import CHECKED, Load, send

RATES = (2_000, 10_000)
_STREAM = {"connections": 1_000}
"""A quiet machine needs some ten. On a busy one, more of them than nginx takes would be failures of nginx."""
_PROBE_SHARE, _ALLOWANCE_US = 1.5, 100.0


def measure(options: Options) -> Measured:
    """Each round: the probe, then battle, for each rate."""
    rounds: list[dict[str, Any]] = []
    with nginx() as server:
        for _ in range(options.rounds):
            rounds.append({})
            for rate in RATES:
                probe = _probe(rate, options.seconds)
                pattern = {"kind": "constant", "rate": f"{rate}/s"}
                sent = send(Load(server.port, CHECKED, pattern, options.seconds, stream=_STREAM))
                lag = sent.send_lag_us
                figures = {"p50": np.percentile(lag, 50), "p99": np.percentile(lag, 99), "max": lag.max()}
                dropped = sent.counts["dropped"]
                ours = {name: float(value) for name, value in figures.items()} | {"dropped": dropped}
                rounds[-1][str(rate)] = {"probe": probe, "battle": ours}
    return Measured([row for rate in RATES for row in _rows(rate, [one[str(rate)] for one in rounds])], rounds)


def _probe(rate: int, seconds: float) -> dict[str, float]:
    argv = [sys.executable, "-m", "bench.probe", str(rate), str(seconds)]
    with pinned(GENERATOR):
        done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=seconds + 30)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _rows(rate: int, rounds: list[dict[str, Any]]) -> list[Row]:
    ours = {figure: [one["battle"][figure] for one in rounds] for figure in ("p50", "p99", "max", "dropped")}
    bare = [one["probe"]["p99"] for one in rounds]
    limits = [_PROBE_SHARE * one + _ALLOWANCE_US for one in bare]
    at = f"at {rate:,}/s"
    return [
        Row(f"send lag p50 {at}", "µs", ours["p50"]),
        Row(f"send lag p99 {at}", "µs", ours["p99"]),
        Row(f"send lag max {at}", "µs", ours["max"]),
        Row(f"bare timerfd probe p99 {at}", "µs", bare),
        Row(f"send lag p99 ÷ (1.5 × probe's + 100 µs) {at}", "×", ratios(ours["p99"], limits), Target("<=", 1)),
        Row(f"dropped {at}, all rounds", "requests", [sum(ours["dropped"])], Target("<=", 0)),
    ]
