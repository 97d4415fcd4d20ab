import json
from pathlib import Path

import jsonschema
import yaml
from cli.commands import SCENARIOS, call
from sample_run import passing_run

from battle.loading import write_schema


def test_the_scenario_schema_takes_the_shipped_scenarios() -> None:
    schema = json.loads(call("schema", "scenario").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    for path in SCENARIOS.glob("*.yaml"):
        jsonschema.validate(yaml.safe_load(path.read_text()), schema)


def test_it_is_what_is_committed_byte_for_byte(tmp_path: Path) -> None:
    write_schema(tmp_path / "schema.json")
    assert call("schema").out == (tmp_path / "schema.json").read_text()


def test_the_run_schema_takes_a_run() -> None:
    schema = json.loads(call("schema", "run").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(passing_run().model_dump(mode="json"), schema)


def test_there_is_no_other() -> None:
    done = call("schema", "scenarios")
    assert done.code == 2
    assert "scenario" in done.err
