"""One worker and two, on all cores, which the server shares: the whole program, nothing pinned but the server."""

import subprocess
import sys
import tempfile
from pathlib import Path

from bench.figures import Measured, Row, ratios
from bench.options import Options
from bench.peers import CONNECTIONS
from bench.server import nginx
from bench.whole import battle_run, ok_per_s, users_scenario
from bench.worker import CHECKED

_COUNTS = ("1", "2")


def measure(options: Options) -> Measured:
    """Each round: one worker, then two."""
    if not _has_workers():
        return Measured([Row("two workers ÷ one", "×", skipped="battle run has no --workers")])
    rounds = []
    with nginx() as server:
        scenario = users_scenario(server.url, CHECKED, CONNECTIONS, options.seconds)
        for _ in range(options.rounds):
            figures = {}
            for count in _COUNTS:
                with tempfile.TemporaryDirectory(prefix="bench-workers-") as name:
                    run = battle_run(scenario, Path(name), "--workers", count)
                    figures[count] = ok_per_s(run, options.seconds)
            rounds.append(figures)
    one, two = ([figures[count] for figures in rounds] for count in _COUNTS)
    return Measured(
        [Row("one worker", "req/s", one), Row("two workers", "req/s", two), Row("two ÷ one", "×", ratios(two, one))],
        rounds,
    )


def _has_workers() -> bool:
    done = subprocess.run(
        [sys.executable, "-m", "battle", "run", "--help"], capture_output=True, text=True, timeout=30, check=True
    )
    return "--workers" in done.stdout
