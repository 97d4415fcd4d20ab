"""docs/adding-a-fault.md really adds a fault: its code is taken from the page, dropped in, and run."""

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import battle.chaos
from battle.core.component import kinds, restore, snapshot
from battle.core.scenario import Scenario, rebuild
from battle.loading import load_text, scenario_schema
from battle.rooms import SCENARIO_ROOMS, import_room

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-fault.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
FAULTS = [code for language, code in BLOCKS if language == "python" and code.startswith("# battle/chaos/creep.py\n")]
(TESTS,) = (
    code for language, code in BLOCKS if language == "python" and code.startswith("# tests/chaos/test_creep.py\n")
)
(SCENARIO,) = (code for language, code in BLOCKS if language == "yaml")
DROPPED_IN = """
import battle.chaos
battle.chaos.__path__.append({folder!r})
from battle.rooms import load_rooms
load_rooms()
"""


@pytest.fixture(params=range(len(FAULTS)), ids=lambda step: f"step-{step + 1}")
def step(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The page's file at one of its steps, dropped into the room; gone afterwards."""
    saved = snapshot()
    (tmp_path / "creep.py").write_text(FAULTS[request.param])
    monkeypatch.setattr(battle.chaos, "__path__", [*battle.chaos.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    try:
        import_room("chaos")
        rebuild()
        yield request.param
    finally:
        sys.modules.pop("battle.chaos.creep", None)
        vars(battle.chaos).pop("creep", None)
        restore(saved)
        rebuild()


def scenario_with(fault: dict[str, Any]) -> str:
    scenario = yaml.safe_load(SCENARIO)
    scenario["chaos"] = {"creep-alpha": fault}
    return yaml.safe_dump(scenario)


def test_the_page_has_its_three_steps() -> None:
    assert len(FAULTS) == 3


def test_dropping_the_file_in_is_all(step: int) -> None:
    creep = kinds("chaos")["creep"]
    assert creep.summary()
    example = yaml.safe_load(creep.example)
    assert load_text(scenario_with(example)).scenario.chaos["creep-alpha"].kind == "creep"
    assert "Creep" in scenario_schema()["$defs"]


def test_the_scenario_of_the_page_is_valid_with_the_last_step(step: int) -> None:
    if step == len(FAULTS) - 1:
        assert load_text(SCENARIO).scenario.chaos["creep-alpha"].kind == "creep"


def test_the_kind_does_not_outlive_the_test() -> None:
    assert "creep" not in kinds("chaos")
    assert "Creep" not in Scenario.model_json_schema()["$defs"]
    assert {"kill", "mock", "envoy", "http", "constant"} <= {kind for room in SCENARIO_ROOMS for kind in kinds(room)}


def test_the_tests_of_the_page_pass(tmp_path: Path) -> None:
    dropped = tmp_path / "dropped"
    dropped.mkdir()
    (dropped / "creep.py").write_text(FAULTS[-1])
    (tmp_path / "conftest.py").write_text(DROPPED_IN.format(folder=str(dropped)))
    (tmp_path / "test_creep.py").write_text(TESTS)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 passed" in done.stdout


@pytest.mark.parametrize("code", [*FAULTS, TESTS], ids=["step-1", "step-2", "step-3", "tests"])
def test_the_code_of_the_page_is_formatted(code: str) -> None:
    # not judged: the order of imports, since the page's module is not where battle's own modules are looked for
    for tool in (["format", "--check", "--diff"], ["check", "--ignore", "INP001,ARG002,PLR6301,I001"]):
        config = str(PAGE.parents[1] / "pyproject.toml")
        name = "tests/docs/page.py" if code is TESTS else "battle/chaos/page.py"
        command = [sys.executable, "-m", "ruff", *tool, "--config", config, "--stdin-filename", name, "-"]
        done = subprocess.run(
            command, input=code, capture_output=True, text=True, timeout=60, check=False, cwd=PAGE.parents[1]
        )
        assert done.returncode == 0, done.stdout + done.stderr
