"""`battle calibrate` with real workers, and what a run makes of it. Bounded: it is told to take ten seconds."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from cli.commands import refused
from e2e.command import battle, command, only_run, processes_mentioning, run_json

from battle.core.calibration import Calibration
from battle.store.calibration import load_calibration

TINY = """
name: Tiny
setup:
  providers: {alpha: {kind: mock}}
  proxy: none
workload:
  reads:
    load: {kind: constant, rate: 100/s, duration: 1s}
    requests: [{method: eth_blockNumber}]
slo: [success_rate >= 99%]
"""


def test_calibrate_then_run(tmp_path: Path) -> None:
    done = battle("calibrate", "--seconds", "10", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = Calibration.model_validate_json(done.stdout)
    stored = tmp_path / "reports" / "calibration.json"
    assert json.loads(stored.read_text()) == json.loads(done.stdout)
    assert (found.one.workers, found.all_cores.workers) == (1, found.machine.cores)
    for it in (found.one, found.all_cores):
        assert it.closed_per_s > 100  # on any machine at all
        assert it.open_per_s is None or 0 < it.open_per_s <= 1.2 * it.closed_per_s
    assert processes_mentioning("battle.engine.null_target") == []

    (tmp_path / "tiny.yaml").write_text(TINY)
    _, run = run_json("tiny.yaml", cwd=tmp_path)
    generator = run["analysis"]["system"]["generator"]
    assert generator["calibrated_per_s"] == found.one.open_per_s
    assert (generator["calibrated_at"], generator["calibration_stale"]) == (found.calibrated_at, None)

    stored.unlink()  # a stored run is judged by what it knew
    assert battle("judge", "latest", cwd=tmp_path).returncode == 0
    again = json.loads((only_run(tmp_path) / "run.json").read_text())
    assert again["analysis"] == run["analysis"]


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_leaves_nothing(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(command("calibrate", "--seconds", "60"), cwd=tmp_path, stderr=output)
    try:
        until = time.monotonic() + 60
        while "send" not in log.read_text() and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(sent)
        assert process.wait(30) == code
    finally:
        process.kill()
    assert "Traceback" not in log.read_text()
    assert processes_mentioning("battle.engine.null_target") == []
    assert not (tmp_path / "reports" / "calibration.json").exists()


def test_a_damaged_calibration_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "calibration.json").write_text('{"calibrated_at": 3}')
    code, run = run_json("tiny.yaml", cwd=tmp_path)
    assert code == 0
    assert run["analysis"]["system"]["generator"]["calibrated_at"] is None


@pytest.mark.parametrize("content", [b"", b"{}", b"\x00", b'{"calibrated_at": "2026-11-20T08:00:00Z"'])
def test_nothing_that_is_no_calibration_is_taken_for_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "calibration.json").write_bytes(content)
    assert load_calibration(tmp_path) is None


def test_a_place_that_cannot_be_written_is_told_before_the_effort(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    error = refused("calibrate", "--out", tmp_path / "file" / "reports")
    assert "cannot be made: not a directory" in error.message
    assert "--out" in str(error.hint)
