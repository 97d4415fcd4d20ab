from pathlib import Path

import numpy as np
import pytest

from battle.app import judge_stored
from battle.core.record_source import whole
from battle.core.records import ATTEMPT, REQUEST
from battle.store import Store
from bench import evidence
from bench.evidence import write_run


def test_the_written_run_is_judged_and_its_counts_are_the_ones_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "_PIECE", 7_000)  # pieces that end inside the run
    run_dir, attempts = write_run(tmp_path, 20_000)
    stored = run_dir.load()
    records, arrivals = whole(stored.requests, REQUEST), whole(stored.attempts, ATTEMPT)
    assert (len(records), len(arrivals)) == (20_000, attempts) == (20_000, 24_000)
    assert (np.diff(records["key"].astype(np.int64)) == 1).all()
    assert len(np.unique(arrivals["key"])) == 20_000
    requests = judge_stored(Store(tmp_path), run_dir.run_id, None).run.analysis.requests
    assert (requests.total, requests.failed) == (20_000, 20)
    assert requests.failover_count == pytest.approx(4_000, abs=20)  # all but those that failed


def test_no_provider_that_is_killed_has_records_meanwhile(tmp_path: Path) -> None:
    run_dir, _ = write_run(tmp_path, 20_000)
    attempts = whole(run_dir.load().attempts, ATTEMPT)
    injected, cleared = evidence._fault_ns(20_000)
    alpha = attempts[attempts["provider"] == 0]["arrived_ns"]
    assert not ((alpha > injected + 10_000_000) & (alpha < cleared)).any()
    assert (alpha > cleared).any()
