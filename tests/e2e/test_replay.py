"""A run, its recording, and the run of that recording, through the real command line."""

import json
from pathlib import Path

import numpy as np
import pytest
from e2e.command import battle, only_run, run_json

from battle.core.records import REQUEST

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

FIRST = """name: first
setup: {providers: {alpha: {kind: mock}}, proxy: none}
workload:
  reads:
    load:
      - {kind: poisson, rate: 100/s, duration: 1s, warmup: true}
      - {kind: poisson, rate: 200/s, duration: 1s}
    requests:
      - {method: eth_blockNumber, weight: 2}
      - {method: eth_getBalance, params: ["${address}", "${csv:a.csv:block:repeat}"]}
"""
AGAIN = """name: again
setup: {providers: {alpha: {kind: mock}}, proxy: none}
workload:
  reads:
    load: {kind: replay, file: r.jsonl}
"""


def arrivals(where: Path) -> tuple[list[int], list[str], set[int]]:
    """Offsets from the first arrival, labels, and keys of the requests of the one run there."""
    records = np.load(only_run(where) / "requests.npy")
    assert records.dtype == REQUEST
    labels = json.loads((only_run(where) / "run.json").read_text())["analysis"]["requests"]["by_method"]
    order = records[np.argsort(records["scheduled_ns"], kind="stable")]
    return (order["scheduled_ns"] - order["scheduled_ns"][0]).tolist(), sorted(labels), set(records["key"].tolist())


def test_a_run_is_recorded_and_replayed(tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    for where, text in ((first, FIRST), (again, AGAIN)):
        where.mkdir()
        (where / "s.yaml").write_text(text)
    (first / "a.csv").write_text("block\nlatest\nearliest\n")
    code, run = run_json("s.yaml", cwd=first)
    assert (code, run["verdict"]) == (0, "pass"), run["reasons"]
    done = battle("record", "latest", "--output", again / "r.jsonl", cwd=first)
    assert done.returncode == 0, done.stderr
    code, run = run_json("s.yaml", cwd=again)
    assert (code, run["verdict"]) == (0, "pass"), run["reasons"]
    (offsets, labels, keys), (offsets_again, labels_again, keys_again) = arrivals(first), arrivals(again)
    assert offsets == offsets_again
    assert labels == labels_again == ["eth_blockNumber", "eth_getBalance"]
    assert not keys & keys_again, "each replayed request has a key of its own"
    (again / "r.jsonl").unlink()
    (first / "a.csv").unlink()
    for where in (first, again):
        assert battle("judge", "latest", cwd=where).returncode == 0


@pytest.mark.parametrize("command", ["check", "run"])
def test_bad_lines_and_missing_rows_are_told_before_anything_starts(command: str, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(AGAIN + '    requests: [{method: m, params: ["${csv:a.csv:c}"]}]\n')
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    (tmp_path / "r.jsonl").write_text('{"at_ms": 1, "method": "m"}\n{"at_ms": 0}\n{"at": 2}\n')
    done = battle(command, "s.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "s.yaml:6:37: a.csv has no column 'c'" in done.stderr
    assert "\nr.jsonl:2:1: at 0 ms, and a line above is at 1 ms (sort the file by `at_ms`)" in done.stderr
    assert "r.jsonl:3:1: 'at_ms' is missing" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "reports").exists()


def test_a_csv_that_runs_out_ends_its_stream(tmp_path: Path) -> None:
    """Nobody knows how much users will send: the note says so, and the run ends in order."""
    users = AGAIN.replace("{kind: replay, file: r.jsonl}", "{kind: users, users: 3, duration: 20s}")
    (tmp_path / "s.yaml").write_text(
        users + '    requests: [{method: eth_getBalance, params: ["${csv:a.csv:a}", latest]}]\n'
    )
    (tmp_path / "a.csv").write_text("a\n" + "".join(f"0x{n:040x}\n" for n in range(150)))
    code, run = run_json("s.yaml", cwd=tmp_path)
    assert (code, run["verdict"]) == (0, "pass"), run["reasons"]
    assert run["analysis"]["requests"]["total"] == 150
    assert "a.csv has 150 rows: 'reads' ends after as many requests" in [one["text"] for one in run["notices"]]
