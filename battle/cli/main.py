"""The command line: every command in a file of its own, and errors mapped to exit codes here.

No traceback reaches the user without --debug.
"""

import sys
from typing import Annotated

import typer

import battle
from battle.cli import (
    calibrate,
    check,
    doctor,
    init,
    judge,
    kinds,
    listing,
    provider,
    record,
    report,
    rollback,
    running,
    schema,
)
from battle.cli.telling import tell, tell_internal
from battle.errors import BattleError, ExitCode

app = typer.Typer(
    name="battle",
    help="Load and chaos from YAML scenarios: proves with evidence that a failover proxy keeps serving.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _module in (
    running,
    check,
    report,
    listing,
    judge,
    record,
    kinds,
    schema,
    doctor,
    calibrate,
    init,
    provider,
    rollback,
):
    _module.enter(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"battle {battle.__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Load and chaos from YAML scenarios: proves with evidence that a failover proxy keeps serving."""
    del version, debug  # --debug is read where errors are told


def run() -> None:
    """Run the command line and end the process with the right exit code."""
    try:
        app(standalone_mode=True)
    except BattleError as error:
        tell(error)
        sys.exit(int(error.exit_code))
    except KeyboardInterrupt:
        sys.exit(int(ExitCode.INTERRUPTED))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(int(ExitCode.PASS))
    except Exception as error:  # noqa: BLE001  (the last line of defence)
        tell_internal(error)
        sys.exit(int(ExitCode.INTERNAL))
