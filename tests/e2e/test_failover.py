"""The main job, whole: a provider dies behind a real Envoy, and everything that is claimed is in the records."""

from pathlib import Path
from typing import Any

import pytest
from e2e.command import SCENARIOS, children_of, only_run, processes_mentioning, run_json

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def failover(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, dict[str, Any]]:
    cwd = tmp_path_factory.mktemp("failover")
    code, run = run_json(SCENARIOS / "failover.yaml", "--set", "steady=20s", cwd=cwd)
    return cwd, code, run


Failover = tuple[Path, int, dict[str, Any]]


def test_it_passes(failover: Failover) -> None:
    _, code, run = failover
    assert (run["verdict"], run["passed"], code) == ("pass", True, 0), run["reasons"]
    assert {result["verdict"] for result in run["slo_results"]} == {"pass"}


def test_failovers_are_proved_and_witnessed_and_all_is_joined(failover: Failover) -> None:
    section = failover[2]["analysis"]["failover"]
    assert section["proved"] >= 1
    assert section["witnessed"] >= 1
    assert section["attribution"]["joined"] >= 0.999
    assert section["attribution"]["disagreements"] == 0
    assert section["amplification"] >= 1


def test_the_fault_is_verified_and_cleared(failover: Failover) -> None:
    (fault,) = failover[2]["analysis"]["faults"]
    assert fault["verified"] is True
    assert fault["cleared"] is True
    assert 0 <= fault["effective_at_ms"] - fault["injected_at_ms"] <= 200
    assert fault["requests_touched"] >= 1
    assert fault["detection_ms"] != "never"
    assert fault["recovery_ms"] != "never"
    assert fault["cleared_at_ms"] > fault["rolled_back_at_ms"] - 1


def test_the_breaker_opened_soon_and_closed_after_the_provider_was_back(failover: Failover) -> None:
    analysis = failover[2]["analysis"]
    (fault,) = analysis["faults"]
    alpha = [change for change in analysis["circuit_breaker"]["transitions"] if change["provider"] == "alpha"]
    assert alpha[0]["state"] == "open"
    # the probe may see the effect some milliseconds after Envoy did; never can the breaker come before the fault
    assert alpha[0]["at_ms"] > fault["injected_at_ms"] - 50
    assert alpha[0]["at_ms"] - fault["effective_at_ms"] <= 1000
    assert alpha[-1]["state"] == "closed"
    assert alpha[-1]["at_ms"] > fault["cleared_at_ms"]


def test_the_run_directory_is_whole(failover: Failover) -> None:
    directory = only_run(failover[0])
    for name in (
        "scenario.yaml",
        "run.json",
        "requests.npy",
        "attempts.npy",
        "events.jsonl",
        "histograms.hlog",
        "report.md",
    ):
        assert (directory / name).stat().st_size > 100, name
    assert (failover[0] / "reports" / "latest").resolve() == directory
    assert (failover[0] / "reports" / "latest.md").read_text() == (directory / "report.md").read_text()


def test_nothing_is_left_running(failover: Failover) -> None:
    directory = only_run(failover[0])
    assert children_of(directory.name) == []
    assert processes_mentioning(directory.name) == []
