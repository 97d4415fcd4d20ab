"""Paths in a scenario are relative to the file that they stand in."""

from pathlib import Path

import pytest

from battle.errors import ScenarioError
from battle.loading import load_scenario

TEXT = """name: t
setup:
  providers: {alpha: {kind: mock}}
  proxy: {kind: envoy, template: mine/envoy.yaml}
workload:
  reads:
    load: {kind: constant, rate: 100/s, duration: 2s}
    requests: [{method: eth_blockNumber}]
"""


def test_a_template_is_found_beside_the_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s.yaml").write_text(TEXT)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "envoy.yaml").write_text("x")
    monkeypatch.chdir("/")
    loaded = load_scenario(tmp_path / "s.yaml")
    assert loaded.scenario.setup.proxy.template == tmp_path / "mine" / "envoy.yaml"


def test_one_that_is_not_there_is_a_mistake_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(TEXT)
    with pytest.raises(ScenarioError) as raised:
        load_scenario(tmp_path / "s.yaml")
    (problem,) = raised.value.problems
    assert (problem.line, problem.column) == (4, 34)
    assert "mine/envoy.yaml" in problem.message
