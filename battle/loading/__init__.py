"""YAML -> Scenario: every mistake at once, each with file, line, column and what was probably meant."""

from battle.loading.scenario_file import Loaded, load_scenario, load_text
from battle.loading.schema import scenario_schema, write_schema

__all__ = ["Loaded", "load_scenario", "load_text", "scenario_schema", "write_schema"]
