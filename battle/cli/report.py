"""`battle report`: a stored run in another format."""

from pathlib import Path
from typing import Annotated

import typer

_EXAMPLE = """[bold]Examples[/bold]

  battle report

  battle report latest --format md --output failover.md

  battle report 20261123T041500Z --format json
"""


def enter(app: typer.Typer) -> None:
    """Register the command."""
    app.command("report", epilog=_EXAMPLE)(report)


def report(
    run: Annotated[str, typer.Argument(metavar="[RUN]", help="A run id, its beginning, or a path.")] = "latest",
    form: Annotated[str, typer.Option("--format", metavar="FORMAT", help="terminal, md or json.")] = "terminal",
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it there, not to stdout.")] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where runs are stored.")] = Path("reports"),
) -> None:
    """Print the report of a stored run."""
    from battle import app as program  # noqa: PLC0415  (heavy: not for --help)
    from battle.cli.printing import print_report  # noqa: PLC0415
    from battle.errors import UsageError  # noqa: PLC0415
    from battle.store import Store  # noqa: PLC0415

    program.check_format(form)
    stored = Store(out).find(run).load_run()
    if output is None:
        print_report(stored, form)
        return
    content = program.render(stored, form, **({"color": False} if form == "terminal" else {}))
    try:
        output.write_bytes(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}") from error
    typer.echo(f"wrote {output}", err=True)
