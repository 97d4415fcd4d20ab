import json
from pathlib import Path

import pytest
from cli.commands import call, refused, store_run
from sample_run import passing_run

from battle.core.run import Run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    store_run(tmp_path / "reports", passing_run())
    return tmp_path / "reports"


def test_the_terminal_summary_has_no_colour_in_a_pipe(root: Path) -> None:
    done = call("report", "--out", root)
    assert done.code == 0
    assert "PASS" in done.out
    assert "\x1b" not in done.out


@pytest.mark.parametrize("form", ["md", "markdown"])
def test_markdown(root: Path, form: str) -> None:
    assert "## Objectives" in call("report", "latest", "--format", form, "--out", root).out


def test_json_is_the_document_and_nothing_else(root: Path) -> None:
    done = call("report", "latest", "--format", "json", "--out", root)
    assert Run.model_validate_json(done.out) == passing_run()
    assert done.err == ""


@pytest.mark.parametrize("form", ["md", "json", "terminal"])
def test_into_a_file(root: Path, tmp_path: Path, form: str) -> None:
    target = tmp_path / "report.out"
    done = call("report", "--format", form, "--output", target, "--out", root)
    assert (done.code, done.out) == (0, "")
    assert str(target) in done.err
    assert b"\x1b" not in target.read_bytes()
    if form == "json":
        assert json.loads(target.read_bytes())["verdict"] == "pass"


def test_a_file_that_cannot_be_written(root: Path, tmp_path: Path) -> None:
    assert "absent" in refused("report", "--output", tmp_path / "absent" / "x.md", "--out", root).message


def test_a_run_by_a_part_of_its_id(root: Path) -> None:
    assert call("report", passing_run().report_id[-6:], "--out", root).code == 0


def test_an_unknown_run(root: Path) -> None:
    assert passing_run().report_id in str(refused("report", "20261123T041500Z-provider-failoverr", "--out", root).hint)


def test_an_unknown_format(root: Path) -> None:
    assert "formats are" in str(refused("report", "--format", "pdf", "--out", root).hint)


def test_no_runs(tmp_path: Path) -> None:
    assert "battle run" in str(refused("report", "--out", tmp_path / "none").hint)


def test_a_run_that_was_cut_off_says_how_to_judge_it(root: Path) -> None:
    (root / passing_run().report_id / "run.json").unlink()
    assert "battle judge" in str(refused("report", passing_run().report_id, "--out", root).hint)
