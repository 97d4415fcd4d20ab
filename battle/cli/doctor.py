"""`battle doctor`: what is installed, what is missing and how to get it, and what this machine can do."""

import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

_EXAMPLE = """[bold]Examples[/bold]

  battle doctor

  battle doctor --json
"""
_MARKS = {"ok": "[green]ok[/green]", "warning": "[yellow]note[/yellow]", "missing": "[red]missing[/red]"}


def enter(app: typer.Typer) -> None:
    """Register the command."""
    app.command("doctor", epilog=_EXAMPLE)(doctor)


def doctor(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Look at this machine: packages, programs, clock and timers, ports, limits, disk."""
    from battle import app as program  # noqa: PLC0415  (heavy: not for --help)
    from battle.errors import ExitCode  # noqa: PLC0415

    findings = program.examine_machine()
    if as_json:
        fields = ("topic", "status", "found", "hint")
        typer.echo(json.dumps([{name: getattr(it, name) for name in fields} for it in findings], indent=2))
    else:
        console = Console(highlight=False, width=None if Console().is_terminal else 180)
        table = Table(box=None, pad_edge=False, show_header=False)
        for _ in range(4):
            table.add_column()
        for it in findings:
            table.add_row(_MARKS[it.status], escape(it.topic), escape(it.found), escape(it.hint))
        console.print(table)
    if any(it.status == "missing" for it in findings):
        sys.exit(int(ExitCode.SETUP_FAILED))
