import os
from pathlib import Path

import pytest

from battle.errors import ExitCode, Problem, ScenarioError
from battle.loading import load_scenario


def refused(path: Path) -> list[Problem]:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert caught.value.exit_code is ExitCode.USAGE
    return caught.value.problems


def test_a_file_is_loaded_with_its_path(tmp_path: Path, sound: str) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(sound)
    loaded = load_scenario(file)
    assert loaded.path == file
    assert loaded.scenario.name == "sound"


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path, sound: str) -> None:
    file = tmp_path / "s.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + sound.encode())
    assert load_scenario(str(file)).scenario.name == "sound"


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "failover.yaml").touch()
    (problem,) = refused(tmp_path / "failovr.yaml")
    assert problem.message == f"{tmp_path / 'failovr.yaml'} does not exist"
    assert problem.hint == f"{tmp_path} holds failover.yaml"
    assert refused(tmp_path / "none" / "x.yaml")[0].hint is None


def test_a_directory(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path)
    assert problem.message == f"{tmp_path} is a directory, not a scenario"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.touch(mode=0)
    assert "cannot be read" in refused(file)[0].message


@pytest.mark.parametrize(
    ("content", "line", "column", "message"),
    [
        (b"", 1, 1, "the file is empty"),
        (b"name: x\nabc: \xff\xfe\n", 2, 6, "the file is not UTF-8 text"),
        ("name: x".encode("utf-16"), 1, 1, "the file is not UTF-8 text"),
        (b"#" * 1_000_001, 1, 1, "the file is over 1 MB"),
        (b"#" * 1_000_000, 1, 1, "the file is empty"),  # exactly 1 MB is read
    ],
    ids=["empty", "latin", "utf-16", "large", "largest"],
)
def test_what_is_no_text_of_a_scenario(tmp_path: Path, content: bytes, line: int, column: int, message: str) -> None:
    file = tmp_path / "s.yaml"
    file.write_bytes(content)
    (problem,) = refused(file)
    assert message in problem.message
    assert (problem.file, problem.line, problem.column) == (file, line, column)
