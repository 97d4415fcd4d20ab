"""Errors on the terminal: what is wrong, where, and what to do. No traceback without --debug."""

import sys
import traceback

from rich.console import Console

from battle.errors import BattleError, ScenarioError, SetupError


def _console() -> Console:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if "--debug" in sys.argv:
        console.print(traceback.format_exc(), style="dim", markup=False)
    return console


def tell(error: BattleError) -> None:
    """Print an error that was raised on purpose."""
    console = _console()
    if isinstance(error, ScenarioError):
        count = len(error.problems)
        for problem in error.problems:
            console.print(str(problem), markup=False)
        console.print(f"{count} problem{'s' if count != 1 else ''}; nothing was started", style="bold red")
        return
    console.print(f"error: {error.message}", style="bold red", markup=False)
    if isinstance(error, SetupError) and error.log:
        console.print("its last lines:", style="dim")
        console.print(error.log, markup=False)
    if error.hint:
        console.print(f"hint: {error.hint}", markup=False)


def tell_internal(error: BaseException) -> None:
    """Print an error that nobody foresaw."""
    console = _console()
    console.print(f"internal error: {type(error).__name__}: {error}", style="bold red", markup=False)
    console.print("hint: run it again with --debug for the details, and report it", markup=False)
