from pathlib import Path

from cli.commands import call, refused


def test_the_first_scenario_is_right_and_explains_itself(tmp_path: Path) -> None:
    done = call("init", tmp_path / "new")
    scenario = tmp_path / "new" / "scenarios" / "first.yaml"
    assert done.code == 0
    assert f"battle run {scenario}" in done.out.replace("\n", "")
    assert scenario.read_text().count("#") > 5
    checked = call("check", scenario)
    assert checked.code == 0, checked.err


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    scenario = tmp_path / "scenarios" / "first.yaml"
    scenario.parent.mkdir()
    scenario.write_text("mine")
    assert "exists already" in refused("init", tmp_path).message
    assert scenario.read_text() == "mine"


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be written" in refused("init", tmp_path / "file").message
