"""`battle judge` on the evidence of a long run: seconds, and peak memory of the process."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.evidence import write_run
from bench.figures import Measured, Row, Target
from bench.options import Options

_MOST_ROUNDS = 3
_ENOUGH_S = 60.0
_MOST_S = 240.0
_VERDICTS = {0, 1, 3}


def measure(options: Options) -> Measured:
    """At most three times, and not again once a minute has gone."""
    begun = time.monotonic()
    rounds: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="bench-analysis-") as name:
        run_dir, attempts = write_run(Path(name), options.analysed)
        written = time.monotonic()
        while len(rounds) < min(options.rounds, _MOST_ROUNDS) and time.monotonic() - written < _ENOUGH_S:
            rounds.append(_judge(run_dir.run_id, Path(name)))
    note = f"{options.analysed:,} requests, {attempts:,} attempts, written in {written - begun:.0f} s"
    return Measured(
        [
            Row("battle judge", "s", [one["seconds"] for one in rounds], Target("<=", 20), note=note),
            Row("its peak memory", "MB", [one["peak_mb"] for one in rounds], Target("<=", 1_000)),
        ],
        rounds,
    )


def _judge(run_id: str, root: Path) -> dict[str, Any]:
    argv = [sys.executable, "-m", "battle", "judge", run_id, "--out", str(root)]
    with (root / "judge.log").open("w+") as log:
        begun = time.monotonic()
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        while True:
            ended, status, used = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            if time.monotonic() - begun > _MOST_S:
                process.kill()
            time.sleep(0.02)
        seconds = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        if process.returncode not in _VERDICTS:
            raise RuntimeError(
                f"battle judge ended with {process.returncode} after {seconds:.0f} s:\n{log.read()[-2000:]}"
            )
    return {"seconds": seconds, "peak_mb": used.ru_maxrss * 1024 / 1e6}
