"""`battle calibrate`: the rates that the load generator sustains on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from battle.core.calibration import Calibration

_EXAMPLE = """[bold]Examples[/bold]

  battle calibrate

  battle calibrate --seconds 20 --json
"""
_LIMITS = {
    "generator": "the generator's CPU",
    "target": "the null target, not the generator: it can do more",
    "machine": "the machine: its cores were shared with the target",
}


def enter(app: typer.Typer) -> None:
    """Register the command."""
    app.command("calibrate", epilog=_EXAMPLE)(calibrate)


def calibrate(
    seconds: Annotated[float, typer.Option(min=10, max=3600, help="About how long it may take.")] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where runs are stored.")] = Path("reports"),
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Find the rates at which the load generator keeps its schedule, with one worker and with one for each core."""
    del debug  # read where errors are told
    from battle import app as program  # noqa: PLC0415  (heavy: not for --help)

    progress = Console(stderr=True, highlight=False, style="dim")
    found, path = program.calibrate(out, seconds, lambda text: progress.print(text, markup=False))
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    _print(found)
    progress.print(f"stored in {path}; the reports of runs say how far they were from it", markup=False)


def _print(found: "Calibration") -> None:
    console = Console(highlight=False, width=None if Console().is_terminal else 140)
    machine = found.machine
    console.print(f"{machine.cpu}, {machine.cores} cores, Python {machine.python}, {machine.loop}", markup=False)
    table = Table(box=None, pad_edge=False)
    for name in ("workers", "open model", "send lag p99 there", "closed model", "limited by"):
        table.add_column(name)
    for it in (found.one, found.all_cores):
        table.add_row(
            str(it.workers),
            "none held" if it.open_per_s is None else f"{it.open_per_s:,.0f}/s",
            "–" if it.lag_p99_ms is None else f"{it.lag_p99_ms:.2f} ms",  # noqa: RUF001  (as in reports)
            f"{it.closed_per_s:,.0f}/s",
            _LIMITS[it.limit],
        )
    console.print(table)
