"""Whatever ends a run, nothing is left running, nothing is left disturbed, and what was measured is there."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from e2e.command import SCENARIOS, battle, children_of, only_run, processes_mentioning, run_json
from e2e.running import nothing_left, start, wait_for_event

from battle.core.run import Run

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("moment", ["load_started", "fault_effective"])
def test_a_signal_rolls_back_and_saves(number: signal.Signals, code: int, moment: str, tmp_path: Path) -> None:
    running = start(tmp_path, SCENARIOS / "failover.yaml", "--quiet")
    wait_for_event(tmp_path, moment)
    time.sleep(0.3)
    running.send_signal(number)
    running.send_signal(number)  # a second one does not skip the rollback
    _, said = running.communicate(timeout=30)
    assert running.returncode == code, said
    directory = only_run(tmp_path)
    nothing_left(directory.name)
    run = Run.model_validate_json((directory / "run.json").read_bytes())
    assert run.ended == "interrupted"
    assert run.verdict != "pass"
    assert run.analysis.requests.total + run.analysis.requests.warmup_total > 0
    if moment == "fault_effective":
        (fault,) = run.analysis.faults
        assert fault.verified is True
        assert fault.cleared is True


def test_a_signal_before_the_load_ends_everything_too(tmp_path: Path) -> None:
    running = start(tmp_path, SCENARIOS / "failover.yaml", "--quiet")
    wait_for_event(tmp_path, "run_started")
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=30)
    assert running.returncode == 130
    nothing_left(only_run(tmp_path).name)


NEVER_READY = """
name: never ready
setup:
  providers: {alpha: {kind: process, command: [sh, -c, "trap '' TERM; sleep %s; exit 3", "{port}"]}}
  proxy: none
workload:
  reads:
    load: {kind: constant, rate: 10/s, duration: 1s}
    requests: [{method: eth_blockNumber}]
"""


def test_what_did_not_start_is_told_also_when_the_load_worker_already_waits(tmp_path: Path) -> None:
    (tmp_path / "it.yaml").write_text(NEVER_READY % 4)
    done = battle("run", "it.yaml", "--quiet", cwd=tmp_path)
    assert done.returncode == 4
    assert "alpha" in done.stderr
    nothing_left(only_run(tmp_path).name)


def test_signals_while_the_load_worker_already_waits_end_everything(tmp_path: Path) -> None:
    (tmp_path / "it.yaml").write_text(NEVER_READY % 60)
    running = start(tmp_path, "it.yaml", "--quiet")
    wait_for_event(tmp_path, "provider_started")
    time.sleep(4)  # the worker listens by now
    running.send_signal(signal.SIGINT)
    time.sleep(0.5)  # alpha ignores SIGTERM, so that ending it takes two seconds
    running.send_signal(signal.SIGTERM)  # a second one changes nothing
    _, said = running.communicate(timeout=30)
    assert running.returncode == 130, said
    nothing_left(only_run(tmp_path).name)


@pytest.mark.parametrize("moment", ["provider_started", "load_started", "fault_effective"])
def test_killed_itself_the_guardian_cleans_up(moment: str, tmp_path: Path) -> None:
    running = start(tmp_path, SCENARIOS / "hang.yaml", "--quiet")
    wait_for_event(tmp_path, moment)
    running.kill()
    running.communicate(timeout=30)
    directory = only_run(tmp_path)
    nothing_left(directory.name)
    rolled = battle("rollback", directory.name, cwd=tmp_path)
    assert rolled.returncode == 0, rolled.stderr
    if moment != "provider_started":
        judged = battle("judge", directory.name, "--format", "json", cwd=tmp_path)
        assert judged.returncode in {1, 2, 3}, judged.stderr  # never a pass; 2 when no evidence was collected


def test_killed_with_its_guardian_rollback_finishes_the_job(tmp_path: Path) -> None:
    running = start(tmp_path, SCENARIOS / "failover.yaml", "--quiet")
    wait_for_event(tmp_path, "fault_effective")
    directory = only_run(tmp_path)
    guardians = [it for it in processes_mentioning(directory.name) if "battle.system.guardian" in it.cmdline()]
    assert len(guardians) == 1
    guardians[0].kill()
    running.kill()
    running.communicate(timeout=30)
    time.sleep(0.5)
    assert children_of(directory.name) or processes_mentioning(directory.name), (
        "nothing outlived battle: test proves nothing"
    )
    rolled = battle("rollback", directory.name, cwd=tmp_path)
    assert rolled.returncode == 0, rolled.stderr
    assert "ended" in rolled.stdout + rolled.stderr
    nothing_left(directory.name)
    again = battle("rollback", "--all", cwd=tmp_path)
    assert again.returncode == 0
    assert "nothing to undo" in (again.stdout + again.stderr).lower()


def test_a_provider_that_dies_on_its_own_is_told(tmp_path: Path) -> None:
    running = start(tmp_path, SCENARIOS / "smoke.yaml", "--quiet", "--set", "steady=6s")
    wait_for_event(tmp_path, "load_started")
    time.sleep(2)
    directory = only_run(tmp_path)
    events = [json.loads(line) for line in (directory / "events.jsonl").read_text().splitlines()]
    pid = next(it["pid"] for it in events if it["kind"] == "provider_started" and it["provider"] == "beta")
    os.kill(pid, signal.SIGKILL)
    _, said = running.communicate(timeout=60)
    run = Run.model_validate_json((directory / "run.json").read_bytes())
    assert any("beta" in notice.text and notice.level == "error" for notice in run.notices), said
    beta = next(it for it in run.analysis.providers if it.name == "beta")
    assert beta.unplanned_ends == 1
    nothing_left(directory.name)


def test_a_signal_ends_the_run_soon_also_when_the_load_worker_hangs(tmp_path: Path) -> None:
    running = start(tmp_path, SCENARIOS / "smoke.yaml", "--quiet", "--proxy", "none", "--set", "steady=90s")
    wait_for_event(tmp_path, "load_started")
    (worker,) = [it for it in processes_mentioning("worker-0.sock") if it.ppid() == running.pid]
    time.sleep(2)
    worker.suspend()
    began = time.monotonic()
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert time.monotonic() - began < 40  # five seconds for its answer, twice; the rest is room for a busy machine
    run = Run.model_validate_json((only_run(tmp_path) / "run.json").read_bytes())
    assert run.ended == "interrupted"
    assert run.analysis.requests.total > 0
    nothing_left(only_run(tmp_path).name)


def test_a_target_that_refuses_everything_fails_in_bounded_time(tmp_path: Path) -> None:
    scenario = tmp_path / "refused.yaml"
    scenario.write_text(
        """
        name: refused
        setup: {proxy: {kind: url, url: "http://127.0.0.1:9"}}
        workload:
          reads:
            load: {kind: constant, rate: 200/s, duration: 2s}
            timeout: 1s
            requests: [{method: eth_blockNumber}]
        """
    )
    began = time.monotonic()
    done = battle("run", scenario, "--quiet", cwd=tmp_path, timeout=40)
    assert done.returncode == 1, done.stderr
    assert time.monotonic() - began < 25  # two seconds of load; the rest is room for a busy machine
    run = Run.model_validate_json((only_run(tmp_path) / "run.json").read_bytes())
    assert run.analysis.requests.errors == {"connect": run.analysis.requests.total}
    assert run.analysis.requests.total == 400


def test_no_chaos_leaves_out_faults_and_what_is_about_them(tmp_path: Path) -> None:
    done = battle("run", SCENARIOS / "no-failover.yaml", "--no-chaos", "--quiet", "--set", "steady=8s", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    run = Run.model_validate_json((only_run(tmp_path) / "run.json").read_bytes())
    assert run.analysis.faults == []
    assert any("--no-chaos" in notice.text for notice in run.notices)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_ends_the_load_and_reports_what_was_measured(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3600k", "tmpfs", str(small)], check=False)
    if mounted.returncode != 0:
        pytest.skip("no tmpfs can be mounted here")
    try:
        done = battle(
            "run", SCENARIOS / "smoke.yaml", "--out", small, "--quiet",
            "--proxy", "none", "--set", "rate=2500/s", "--set", "steady=12s", cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode in {1, 3}, done.stderr
        assert "no space left" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert "requests in" in done.stdout
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_a_guard_ends_a_hopeless_run_early(tmp_path: Path) -> None:
    scenario = tmp_path / "guarded.yaml"
    scenario.write_text(
        """
        name: guarded
        setup: {providers: {alpha: {kind: mock, latency: 5ms}}, proxy: none}
        workload:
          reads:
            load: {kind: constant, rate: 200/s, duration: 40s}
            requests: [{method: eth_blockNumber}]
        chaos:
          errors: {kind: http_error, target: alpha, at: 3s}
        slo:
          - {objective: success_rate >= 90%, guard: true, for: 1s}
        """
    )
    done = battle("run", scenario, "--quiet", cwd=tmp_path, timeout=60)
    assert done.returncode == 1, done.stderr
    run = Run.model_validate_json((only_run(tmp_path) / "run.json").read_bytes())
    assert run.ended == "guard"
    (result,) = run.slo_results
    assert (result.guard, result.verdict) == (True, "fail")
    (fault,) = run.analysis.faults
    assert fault.cleared is True
    assert run.analysis.requests.total < 200 * 25  # 40 s were planned; the guard needs about five
    nothing_left(only_run(tmp_path).name)


def test_the_closed_model_waits_for_its_answers(tmp_path: Path) -> None:
    scenario = tmp_path / "users.yaml"
    scenario.write_text(
        """
        name: users
        setup: {providers: {alpha: {kind: mock, latency: 50ms}}, proxy: none}
        workload:
          people:
            load: {kind: users, users: 10, think_time: 50ms, duration: 4s}
            requests: [{method: eth_blockNumber}]
          steady:
            load:
              - {kind: ramp, from: 10/s, to: 50/s, duration: 2s}
              - {kind: constant, rate: 50/s, duration: 2s}
            requests: [{method: eth_chainId}]
        slo: [success_rate >= 99%]
        """
    )
    code, run = run_json(scenario, "--quiet", cwd=tmp_path)
    assert code == 0, run["reasons"]
    streams = run["analysis"]["requests"]["by_stream"]
    # 10 users, about 0.1 s a turn, 4 s: at most 400 turns; a busy machine makes fewer, and an open model would make more
    assert 200 <= streams["people"]["total"] <= 410
    assert streams["steady"]["total"] in {159, 160, 161}
    assert streams["people"]["p50_latency_ms"] >= 50


@pytest.mark.parametrize("delay_s", [0.0, 0.1, 0.2, 0.35])
def test_a_signal_after_the_load_loses_nothing(delay_s: float, tmp_path: Path) -> None:
    """The instants fall into the teardown, the end of the event loop, the analysis and the saving."""
    options = ("--quiet", "--set", "rate=1000/s", "--set", "steady=1200ms")
    running = start(tmp_path, SCENARIOS / "smoke.yaml", *options)
    wait_for_event(tmp_path, "load_ended")
    time.sleep(delay_s)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert "Traceback" not in said
    # 0 when all was saved and printed before the signal came; −2 when it met the interpreter on its way out, after that
    assert running.returncode in {0, 130, -2}, said
    run = Run.model_validate_json((only_run(tmp_path) / "run.json").read_bytes())
    assert run.analysis.requests.total >= 1190
    nothing_left(only_run(tmp_path).name)
