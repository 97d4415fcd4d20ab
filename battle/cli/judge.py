"""`battle judge`: the stored evidence, analysed again."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

_EXAMPLE = """[bold]Examples[/bold]

  battle judge latest

  battle judge latest scenarios/stricter.yaml
"""


def enter(app: typer.Typer) -> None:
    """Register the command."""
    app.command("judge", epilog=_EXAMPLE)(judge)


def judge(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run id, its beginning, latest, or a path.")],
    scenario: Annotated[
        Path | None, typer.Argument(metavar="[SCENARIO]", help="Take the objectives of this file instead.")
    ] = None,
    form: Annotated[str, typer.Option("--format", metavar="FORMAT", help="terminal, md or json.")] = "terminal",
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where runs are stored.")] = Path("reports"),
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Analyse the evidence of a stored run again; with a scenario, against its objectives, and nothing is stored."""
    del debug  # read where errors are told
    from battle import app as program  # noqa: PLC0415  (heavy: not for --help)
    from battle.cli.printing import print_report  # noqa: PLC0415
    from battle.store import Store  # noqa: PLC0415

    program.check_format(form)
    finished = program.judge_stored(Store(out), run, scenario)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for failure in finished.unsaved:
        console.print(f"warning: {failure}", style="yellow", markup=False)
    print_report(finished.run, form)
    sys.exit(finished.run.exit_code)
