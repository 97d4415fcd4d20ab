"""`battle init`: a first scenario, with comments."""

from pathlib import Path
from typing import Annotated

import typer

_EXAMPLE = """[bold]Examples[/bold]

  battle init

  battle init my-project
"""
_TEMPLATE = Path(__file__).with_name("first_scenario.yaml")


def enter(app: typer.Typer) -> None:
    """Register the command."""
    app.command("init", epilog=_EXAMPLE)(init)


def init(
    directory: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to write it.")] = Path(),
) -> None:
    """Write a first scenario that explains itself."""
    from battle.errors import UsageError  # noqa: PLC0415  (heavy: not for --help)

    target = directory / "scenarios" / "first.yaml"
    if target.exists():
        raise UsageError(f"{target} exists already", hint="choose another directory, or move it away")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_TEMPLATE.read_text(encoding="utf-8"), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}") from error
    typer.echo(f"wrote {target}")
    typer.echo(f"next: battle check {target}")
    typer.echo(f"      battle run {target}")
