"""`battle record`: a recording of a stored run, for `replay`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

_EXAMPLE = """[bold]Examples[/bold]

  battle record latest --output yesterday.jsonl

  battle record 20261123T041500Z --stream reads > reads.jsonl
"""


def enter(app: typer.Typer) -> None:
    """Register the command."""
    app.command("record", epilog=_EXAMPLE)(record)


def record(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run id, its beginning, latest, or a path.")],
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it there, not to stdout.")] = None,
    stream: Annotated[str | None, typer.Option(metavar="NAME", help="Which stream, when the run has several.")] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where runs are stored.")] = Path("reports"),
) -> None:
    """Make a recording of a stored run: each arrival with its request, one a line, for a phase of kind `replay`."""
    from battle import app as program  # noqa: PLC0415  (heavy: not for --help)
    from battle.errors import UsageError  # noqa: PLC0415
    from battle.store import Store  # noqa: PLC0415

    made = program.record_stored(Store(out), run, stream)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for note in made.notes:
        console.print(f"warning: {note}", style="yellow", markup=False)
    if output is None:
        sys.stdout.buffer.writelines(made.lines)
        sys.stdout.flush()
        return
    count = 0
    try:
        with output.open("wb") as file:
            for line in made.lines:
                file.write(line)
                count += 1
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}") from error
    typer.echo(f"wrote {count:,} arrivals to {output}", err=True)
