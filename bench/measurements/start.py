"""From the command to the first request: three mock providers and nginx."""

import tempfile
from pathlib import Path
from typing import Any

from battle.core.record_source import whole
from battle.core.records import REQUEST
from bench.figures import Measured, Row, Target
from bench.options import Options
from bench.whole import battle_run

_SCENARIO: dict[str, Any] = {
    "name": "Bench",
    "setup": {"providers": {name: {"kind": "mock"} for name in ("alpha", "beta", "gamma")}, "proxy": "nginx"},
    "workload": {
        "load": {
            "requests": [{"method": "eth_blockNumber"}],
            "load": {"kind": "constant", "rate": "100/s", "duration": "200ms"},
        }
    },
}


def measure(options: Options) -> Measured:
    """Each round is a start of its own; nothing is pinned."""
    rounds = []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="bench-start-") as name:
            run = battle_run(_SCENARIO, Path(name))
            started = whole(run.evidence.requests, REQUEST)["started_ns"]
            rounds.append({"seconds": float(started[started > 0].min() - run.exec_ns) / 1e9})
    return Measured(
        [Row("from command to first request", "s", [one["seconds"] for one in rounds], Target("<=", 1.5))], rounds
    )
