"""Commands as a user types them: signals, pipes, and a run that lost its coordinator and its guardian."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest
from e2e.command import battle, children_of, command, only_run

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

RUN = "20261123T041500Z-killed-a1b2c3"
COORDINATOR = """
import sys, time
from pathlib import Path
import anyio
from battle.system.guardian import Guardian
from battle.system.launching import ProcessLauncher
from battle.system.undo import UndoJournal

async def main(directory, run_id):
    journal = UndoJournal(directory / "undo.jsonl", run_id)
    guardian = Guardian(directory / "undo.jsonl", run_id)
    argv = [sys.executable, "-c", "import time; time.sleep(300)"]
    child = await ProcessLauncher(journal, run_id).start(argv, name="alpha", log=directory / "alpha.log")
    print(guardian.pid, child.pid, flush=True)
    time.sleep(300)

anyio.run(main, Path(sys.argv[1]), sys.argv[2])
"""
QUICK = """name: quick
setup: {providers: {alpha: {kind: mock}}, proxy: none}
workload:
  reads: {load: {kind: constant, rate: 200/s, duration: 2s}, requests: [{method: eth_blockNumber}]}
slo: [success_rate >= 99%]
"""


def test_rollback_ends_what_outlived_coordinator_and_guardian(tmp_path: Path) -> None:
    directory = tmp_path / "reports" / RUN
    directory.mkdir(parents=True)
    coordinator = subprocess.Popen(
        [sys.executable, "-c", COORDINATOR, str(directory), RUN], stdout=subprocess.PIPE, text=True
    )
    try:
        assert coordinator.stdout is not None
        guardian, child = map(int, coordinator.stdout.readline().split())
        running = battle("rollback", RUN, cwd=tmp_path)
        assert running.returncode == 2
        assert f"pid {coordinator.pid}" in running.stderr
        os.kill(guardian, signal.SIGKILL)
        coordinator.kill()
        coordinator.communicate(timeout=10)
        assert [it.pid for it in children_of(RUN)] == [child]
        rolled = battle("rollback", cwd=tmp_path)
        assert rolled.returncode == 0, rolled.stderr
        assert "ended alpha" in rolled.stdout
        assert children_of(RUN) == []
        again = battle("rollback", cwd=tmp_path)
        assert (again.returncode, again.stdout.strip()) == (0, "nothing to undo")
    finally:
        coordinator.kill()
        coordinator.communicate(timeout=10)
        for left in children_of(RUN):
            left.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_provider_serves_until_it_is_told_to_stop(number: signal.Signals, tmp_path: Path) -> None:
    with subprocess.Popen(
        command("provider", "--latency", "5ms", "--chain-id", "7"),
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as serving:  # fmt: skip
        try:
            assert serving.stdout is not None
            url = serving.stdout.readline().strip()
            asked = httpx.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}, timeout=10)
            assert asked.json()["result"] == "0x7"
            serving.send_signal(number)
            _, said = serving.communicate(timeout=15)
        finally:
            serving.kill()
    assert serving.returncode == 0, said
    assert "Traceback" not in said
    assert not psutil.pid_exists(serving.pid)


def test_a_run_is_listed_reported_and_judged_again(tmp_path: Path) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK)
    (tmp_path / "strict.yaml").write_text(QUICK.replace("success_rate >= 99%", "p95 <= 1us"))
    ran = battle("run", "quick.yaml", "--quiet", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    directory = only_run(tmp_path)
    (entry,) = json.loads(battle("list", "--json", cwd=tmp_path).stdout)
    assert (entry["run_id"], entry["verdict"]) == (directory.name, "pass")
    assert "## Objectives" in battle("report", "--format", "md", cwd=tmp_path).stdout
    judged = battle("judge", "latest", "--format", "json", cwd=tmp_path)
    assert (judged.returncode, json.loads(judged.stdout)["verdict"]) == (0, "pass")
    stored = (directory / "run.json").read_bytes()
    stricter = battle("judge", "latest", "strict.yaml", "--format", "json", cwd=tmp_path)
    assert (stricter.returncode, json.loads(stricter.stdout)["verdict"]) == (1, "fail")
    assert (directory / "run.json").read_bytes() == stored, "changed objectives must not change what is stored"
    (directory / "requests.npy").unlink()
    damaged = battle("judge", "latest", cwd=tmp_path)
    assert damaged.returncode == 2
    assert "requests.npy" in damaged.stderr
    assert "Traceback" not in damaged.stderr


def test_errors_are_told_without_a_traceback_unless_asked(tmp_path: Path) -> None:
    told = battle("report", "absent", cwd=tmp_path)
    assert (told.returncode, told.stdout) == (2, "")
    assert "Traceback" not in told.stderr
    assert "Traceback" in battle("--debug", "report", "absent", cwd=tmp_path).stderr


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    with subprocess.Popen(
        command("schema", "scenario"), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as writing:
        assert writing.stdout is not None
        assert writing.stderr is not None
        writing.stdout.read(10)
        writing.stdout.close()
        said = writing.stderr.read()
        writing.wait(timeout=30)
    assert b"Traceback" not in said
    assert b"internal error" not in said


def test_evidence_over_its_limit_is_thinned_and_every_number_stays(tmp_path: Path) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK)
    done = battle("run", "quick.yaml", "--json", "--evidence-limit", "20KB", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert found["analysis"]["requests"]["total"] == 400
    said = next(it["text"] for it in found["notices"] if "limit" in it["text"])
    assert "the evidence takes 51.2KB, and the limit is 20KB: stored are all 0 requests" in said
    stored = only_run(tmp_path)
    assert (stored / "requests.npy").stat().st_size < 64 * 250
    assert not (stored / "raw").exists()
    judged = battle("judge", "latest", cwd=tmp_path)
    assert judged.returncode == 2
    assert "only a part of the evidence was stored" in judged.stderr
    assert battle("report", "latest", "--format", "md", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("limit", ["64", "-1GB", "many"])
def test_a_limit_that_is_no_size_is_refused(tmp_path: Path, limit: str) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK)
    done = battle("run", "quick.yaml", "--evidence-limit", limit, cwd=tmp_path)
    assert done.returncode == 2
    assert "--evidence-limit" in done.stderr
    assert not (tmp_path / "reports").exists()
