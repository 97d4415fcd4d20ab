"""`battle record` on a stored run, and `replay` of what it makes."""

import json
from pathlib import Path

import numpy as np
import pytest
from cli.commands import call, refused

from battle.core.journal import Event, EventKind
from battle.core.records import ATTEMPT, REQUEST
from battle.loading import load_text
from battle.store import RunDir

S = 10**9
RUN = "20261123T041500Z-two-a1b2c3"
TEXT = """name: two
setup: {providers: {alpha: {kind: mock}}}
workload:
  reads:
    load: {kind: constant, rate: 100/s, duration: 1s}
    requests: [{method: eth_blockNumber}, {method: eth_call, params: [{to: "${address}"}, "${env:TAG}"]}]
"""
SECOND = """  pages:
    load: {kind: constant, rate: 100/s, duration: 1s}
    requests: [{verb: GET, path: /x}]
"""
OFFSETS = [0, 1, 12_345_678, 500_000_001, 999_999_999]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "reports"


def stored(root: Path, text: str = TEXT) -> RunDir:
    """A run with five arrivals in its first stream, and one in a second."""
    run_dir = RunDir(root / RUN)
    run_dir.path.mkdir(parents=True)
    run_dir.save_scenario(load_text(text, environment={"TAG": "latest"}).masked_text)
    with run_dir.journal() as journal:
        journal.write(Event(3 * S, EventKind.LOAD_STARTED, {"t0_ns": 3 * S, "planned_end_ns": 4 * S, "planned": 100}))
    requests = np.zeros(6, REQUEST)
    requests["key"] = np.arange(6) + 1
    requests["scheduled_ns"] = np.array([*OFFSETS, 7]) + 3 * S
    requests["template"] = [0, 1, 0, 1, 0, 2]
    requests["stream"][5] = 1
    run_dir.save_requests(requests)
    run_dir.save_attempts(np.zeros(0, ATTEMPT))
    return run_dir


def test_a_recording_is_replayed_at_the_same_instants_with_the_same_requests(root: Path, tmp_path: Path) -> None:
    stored(root)
    recording = tmp_path / "r.jsonl"
    done = call("record", "latest", "--output", recording, "--out", root)
    assert (done.code, done.out) == (0, "")
    assert "wrote 5 arrivals" in done.err
    phase = "load: {kind: replay, file: r.jsonl}"
    text = TEXT.partition("    load")[0] + f"    {phase}\n"
    loaded = load_text(text, tmp_path / "s.yaml")
    schedule = loaded.schedules["reads", 0]
    labels = [one.label for one in loaded.scenario.workload["reads"].requests]
    assert schedule["offset_ns"].tolist() == OFFSETS
    assert [labels[at] for at in schedule["request"]] == ["eth_blockNumber", "eth_call"] * 2 + ["eth_blockNumber"]


def test_it_goes_to_stdout_and_says_what_is_masked(root: Path) -> None:
    stored(root)
    done = call("record", RUN, "--out", root)
    assert [json.loads(line)["at_ms"] for line in done.out.splitlines()] == [at / 1e6 for at in OFFSETS]
    assert json.loads(done.out.splitlines()[1])["params"] == [{"to": "${address}"}, "***"]
    assert "warning: eth_call: *** stands for what came from the environment; write ${env:NAME}" in done.err


def test_one_of_several_streams_must_be_named(root: Path) -> None:
    stored(root, TEXT + SECOND)
    assert refused("record", RUN, "--out", root).hint == "choose by --stream: reads, pages"
    assert refused("record", RUN, "--stream", "page", "--out", root).hint == "its streams are reads, pages"
    done = call("record", RUN, "--stream", "pages", "--out", root)
    assert json.loads(done.out) == {"at_ms": 0.000007, "verb": "GET", "path": "/x"}


def test_a_file_that_cannot_be_written(root: Path, tmp_path: Path) -> None:
    stored(root)
    assert "absent" in refused("record", RUN, "--output", tmp_path / "absent" / "x", "--out", root).message


def test_runs_that_cannot_be_recorded(root: Path) -> None:
    assert "battle run" in str(refused("record", "latest", "--out", root).hint)
    (stored(root).path / "requests.npy").unlink()
    assert "requests.npy is missing" in refused("record", RUN, "--out", root).message
