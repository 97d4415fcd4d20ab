"""`battle list`: the runs there are."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

_EXAMPLE = """[bold]Examples[/bold]

  battle list

  battle list --json
"""
_COLOURS = {"pass": "green", "fail": "red", "inconclusive": "yellow"}


def enter(app: typer.Typer) -> None:
    """Register the command."""
    app.command("list", epilog=_EXAMPLE)(list_runs)


def list_runs(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where runs are stored.")] = Path("reports"),
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the stored runs, the newest first."""
    from battle.errors import UsageError  # noqa: PLC0415  (heavy: not for --help)
    from battle.store import Store  # noqa: PLC0415

    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is no directory", hint="--out names the directory that holds the runs")
    entries = Store(out).list()
    if as_json:
        fields = ("run_id", "scenario", "started_at", "verdict", "ended", "problem")
        typer.echo(json.dumps([{name: getattr(entry, name) for name in fields} for entry in entries], indent=2))
        return
    if not entries:
        typer.echo(f"no runs in {out}; start one: battle run scenarios/failover.yaml", err=True)
        return
    table = Table(box=None, pad_edge=False)
    for column in ("started", "verdict", "scenario", "run"):
        table.add_column(column, no_wrap=column != "verdict")
    for entry in entries:
        said = str(entry.verdict) if entry.verdict else f"no verdict: {entry.problem}"
        cells = (entry.started_at, said, entry.scenario, entry.run_id)
        table.add_row(*(Text(cell, style=_COLOURS.get(said, "yellow") if cell is said else "") for cell in cells))
    Console(width=None if Console().is_terminal else 160).print(table)
