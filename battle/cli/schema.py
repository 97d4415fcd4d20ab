"""`battle schema`: JSON Schemas."""

import json
from enum import StrEnum
from typing import Annotated

import typer

_EXAMPLE = """[bold]Examples[/bold]

  battle schema > scenario.schema.json

  battle schema run
"""


class Subject(StrEnum):
    """What there is a schema of."""

    SCENARIO = "scenario"
    RUN = "run"


def enter(app: typer.Typer) -> None:
    """Register the command."""
    app.command("schema", epilog=_EXAMPLE)(schema)


def schema(
    subject: Annotated[Subject, typer.Argument(help="Of scenario files, or of run.json.")] = Subject.SCENARIO,
) -> None:
    """Print the JSON Schema of scenarios, for editors, or of run.json."""
    if subject is Subject.RUN:
        from battle.core.run import Run  # noqa: PLC0415  (heavy: not for --help)

        found = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Run.model_json_schema()}
    else:
        from battle.loading import scenario_schema  # noqa: PLC0415
        from battle.rooms import load_rooms  # noqa: PLC0415

        load_rooms()
        found = scenario_schema()
    typer.echo(json.dumps(found, indent=1, ensure_ascii=False))  # byte for byte what `loading.write_schema` writes
