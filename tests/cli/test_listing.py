import json
from pathlib import Path

from cli.commands import call, refused, store_run
from sample_run import failing_run, passing_run

from battle.core.run import Run
from battle.core.verdict import Verdict


def run_of(day: int, **changes: object) -> Run:
    report_id = f"202611{day:02}T041500Z-provider-failover-a1b2c3"
    return passing_run().model_copy(
        update={"report_id": report_id, "started_at": f"2026-11-{day:02}T04:15:00Z", **changes}
    )


def test_the_newest_first_with_verdict_and_time(tmp_path: Path) -> None:
    for day in (3, 20, 11):
        store_run(tmp_path, run_of(day))
    out = call("list", "--out", tmp_path).out
    assert [line.split()[0][:10] for line in out.splitlines()[1:]] == ["2026-11-20", "2026-11-11", "2026-11-03"]
    assert run_of(20).report_id in out
    assert out.count("pass") == 3


def test_a_damaged_run_is_listed_with_its_problem(tmp_path: Path) -> None:
    (store_run(tmp_path, run_of(3)).path / "run.json").write_text("{")
    (tmp_path / run_of(4).report_id).mkdir()
    done = call("list", "--out", tmp_path)
    assert done.code == 0
    assert "not JSON" in done.out
    assert "ended before it was judged" in done.out


def test_a_name_that_looks_like_markup_is_shown_as_it_is(tmp_path: Path) -> None:
    scenario = passing_run().scenario.model_copy(update={"name": "[/] [bold]x"})
    store_run(tmp_path, run_of(3, scenario=scenario))
    assert "[/] [bold]x" in call("list", "--out", tmp_path).out


def test_json(tmp_path: Path) -> None:
    store_run(tmp_path, failing_run())
    (entry,) = json.loads(call("list", "--json", "--out", tmp_path).out)
    assert (entry["run_id"], entry["verdict"], entry["problem"]) == (failing_run().report_id, Verdict.FAIL, None)


def test_no_runs_is_no_error(tmp_path: Path) -> None:
    done = call("list", "--out", tmp_path / "none")
    assert (done.code, done.out) == (0, "")
    assert "battle run" in done.err
    assert json.loads(call("list", "--json", "--out", tmp_path / "none").out) == []


def test_a_file_is_no_directory_of_runs(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "no directory" in refused("list", "--out", tmp_path / "file").message
