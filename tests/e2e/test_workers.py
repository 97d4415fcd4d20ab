"""`battle run --workers N`: the same load from several processes, and every way in which they end."""

import os
import signal
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from e2e.command import SCENARIOS, battle, only_run, processes_mentioning, run_json
from e2e.running import nothing_left, start, wait_for_event

from battle.core.run import Run

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

MIXED = """
name: mixed
seed: 5
setup: {providers: {alpha: {kind: mock}, beta: {kind: mock}}, proxy: none}
workload:
  reads:
    load: {kind: poisson, rate: 200/s, duration: 2s}
    requests: [{method: eth_blockNumber, weight: 3}, {method: eth_chainId}]
  people:
    load: {kind: users, users: 3, think_time: 50ms, duration: 2s}
    requests: [{method: eth_gasPrice}]
slo: [success_rate >= 99%]
"""


def sent(cwd: Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.void]]":
    """The stored requests of the one run."""
    stored: np.ndarray[tuple[int, ...], np.dtype[np.void]] = np.load(only_run(cwd) / "requests.npy")
    return stored


def test_several_workers_send_the_same_sequence_on_one_clock(tmp_path: Path) -> None:
    sequences = []
    for count in ("1", "2", "3"):
        cwd = tmp_path / count
        cwd.mkdir()
        (cwd / "it.yaml").write_text(MIXED)
        code, run = run_json("it.yaml", "--workers", count, cwd=cwd)
        assert code == 0, run["reasons"]
        generator = run["analysis"]["system"]["generator"]
        assert generator["workers"] == int(count)
        assert len(generator["cpu_percent_by_worker"]) == (int(count) if count != "1" else 0)
        started = wait_for_event(cwd, "load_started")
        assert len(started["worker_pids"]) == int(count)
        requests = sent(cwd)
        assert (np.diff(requests["key"].astype(np.int64)) > 0).all()
        assert set(requests["user"]) == {0, 1, 2, 3}
        reads = np.sort(requests[requests["stream"] == 0], order="scheduled_ns")
        sequences.append([(int(one["scheduled_ns"]) - started["at_ns"], int(one["template"])) for one in reads])
        assert f"each of {count} workers" in (only_run(cwd) / "report.md").read_text() or count == "1"
        nothing_left(only_run(cwd).name)
    assert sequences[0] == sequences[1] == sequences[2]
    assert len(Counter(template for _, template in sequences[0])) == 2


def test_through_a_proxy_every_request_is_joined(tmp_path: Path) -> None:
    code, run = run_json(SCENARIOS / "smoke.yaml", "--workers", "2", "--proxy", "nginx", cwd=tmp_path)
    assert code == 0, run["reasons"]
    assert run["analysis"]["requests"]["total"] == 1000
    assert run["analysis"]["failover"]["attribution"]["joined"] == 1
    assert run["analysis"]["failover"]["attribution"]["attempts_without_key"] == 0


def test_a_signal_ends_every_worker(tmp_path: Path) -> None:
    running = start(
        tmp_path, SCENARIOS / "smoke.yaml", "--quiet", "--proxy", "none", "--workers", "2", "--set", "steady=90s"
    )
    wait_for_event(tmp_path, "load_started")
    time.sleep(1.5)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert running.returncode == 130, said
    run = Run.model_validate_json((only_run(tmp_path) / "run.json").read_bytes())
    assert run.ended == "interrupted"
    nothing_left(only_run(tmp_path).name)


def test_a_lost_worker_ends_the_run_and_the_other_one(tmp_path: Path) -> None:
    running = start(
        tmp_path, SCENARIOS / "smoke.yaml", "--quiet", "--proxy", "none", "--workers", "2", "--set", "steady=90s"
    )
    pids = wait_for_event(tmp_path, "load_started")["worker_pids"]
    time.sleep(1.5)
    os.kill(pids[1], signal.SIGKILL)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 3, said
    directory = only_run(tmp_path)
    run = Run.model_validate_json((directory / "run.json").read_bytes())
    assert (run.ended, run.verdict) == ("worker_lost", "inconclusive")
    assert any("load worker 1 is lost" in notice.text for notice in run.notices)
    base = wait_for_event(tmp_path, "run_started")["key_base"]
    wrote = Counter(((sent(tmp_path)["key"] - base) % 2).tolist())
    assert wrote[0] > 20, "what the other one sent is kept"
    assert wrote[1] > 20, "and what the lost one sent"
    nothing_left(directory.name)


def test_a_worker_that_hangs_does_not_keep_the_others(tmp_path: Path) -> None:
    running = start(
        tmp_path, SCENARIOS / "smoke.yaml", "--quiet", "--proxy", "none", "--workers", "2", "--set", "steady=90s"
    )
    wait_for_event(tmp_path, "load_started")
    (hanging,) = [it for it in processes_mentioning("worker-1.sock") if it.ppid() == running.pid]
    time.sleep(1.5)
    hanging.suspend()
    began = time.monotonic()
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert time.monotonic() - began < 40  # five seconds for its answer, twice; the rest is room for a busy machine
    nothing_left(only_run(tmp_path).name)


@pytest.mark.parametrize("count", ["0", "-1", "65", "two"])
def test_a_number_of_workers_that_cannot_be_is_a_usage_error(count: str, tmp_path: Path) -> None:
    done = battle("run", SCENARIOS / "smoke.yaml", "--workers", count, cwd=tmp_path)
    assert done.returncode == 2
    assert "--workers" in done.stderr
    assert not (tmp_path / "reports").exists()


def test_more_workers_than_a_limit_allows_are_refused_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "it.yaml").write_text(MIXED.replace("  people:\n", "  people:\n    connections: 2\n"))
    done = battle("run", "it.yaml", "--workers", "3", cwd=tmp_path)
    assert done.returncode == 2
    assert "3 workers cannot share `connections: 2` of stream 'people'" in done.stderr
    assert "--workers 2 at most" in done.stderr
    assert not (tmp_path / "reports").exists()
