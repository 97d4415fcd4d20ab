"""What several workers wrote is judged as if one had written it: the verdict, every figure and every histogram."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from analysis.build import KEY_BASE, Bench
from analysis.test_laws import calm, runs
from hypothesis import given
from hypothesis import strategies as st

from battle.analysis.evidence import Evidence
from battle.analysis.judge import analyse
from battle.core.record_source import whole
from battle.core.records import RECORD_BYTES, REQUEST
from battle.engine.collecting import gather, requests_file
from battle.engine.intervals import interval_log
from battle.system.mapped import MappedWriter


def written_by(evidence: Evidence, workers: int) -> Evidence:
    """The same evidence, its requests written by so many workers and gathered again."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for worker in range(workers):
            writer = MappedWriter(directory / requests_file(worker), KEY_BASE + worker)
            for record in whole(evidence.requests, REQUEST):
                slot, owner = divmod(int(record["key"]) - KEY_BASE, workers)
                if owner == worker:
                    chunk, offset = writer.place(slot)
                    chunk[offset : offset + RECORD_BYTES] = record.tobytes()
            writer.close()
        requests, _ = gather(directory, lambda *_, **fields: pytest.fail(fields["text"]), workers)
        return replace(evidence, requests=whole(requests, REQUEST))


@calm
@given(runs(), st.integers(2, 5))
def test_the_shards_of_a_run_are_judged_as_the_whole(bench: Bench, workers: int) -> None:
    whole = bench.evidence()
    merged = written_by(whole, workers)
    assert analyse(merged, analysed_at="now") == analyse(whole, analysed_at="now")
    assert interval_log(merged) == interval_log(whole)
