"""`battle run`: scenarios, one after the other, each to its verdict."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from battle.cli.options import parse_sets, parse_size
from battle.cli.printing import print_report
from battle.cli.telling import tell, tell_internal
from battle.core.shard import MOST_WORKERS
from battle.core.verdict import worst
from battle.errors import BattleError, ExitCode, Stopped

if TYPE_CHECKING:
    from battle.app import Finished

_EXAMPLE = """[bold]Examples[/bold]

  battle run scenarios/failover.yaml

  battle run scenarios/failover.yaml --set rate=500/s --proxy nginx --seed 7

  battle run scenarios/*.yaml --keep-going

  battle run scenarios/failover.yaml --set rate=40000/s --workers 2

  battle run scenarios/failover.yaml --json > run.json
"""
_COLOURS = {ExitCode.PASS: "green", ExitCode.INCONCLUSIVE: "yellow"}
_SIGNALS = {ExitCode.INTERRUPTED, ExitCode.TERMINATED}


@dataclass(frozen=True)
class _Options:
    overrides: dict[str, str]
    seed: int | None
    proxy: str | None
    workers: int
    out: Path
    chaos: bool
    quiet: bool
    form: str
    evidence_limit_bytes: int | None


@dataclass(frozen=True)
class _Ended:
    """One line of the table at the end."""

    scenario: str
    code: ExitCode
    words: str
    run_id: str = ""


def enter(app: typer.Typer) -> None:
    """Register the command."""
    app.command("run", epilog=_EXAMPLE)(run)


def run(  # noqa: PLR0917  (typer reads the options from the signature)
    scenarios: Annotated[list[Path], typer.Argument(metavar="SCENARIO…", help="Scenario files, run one by one.")],
    sets: Annotated[list[str] | None, typer.Option("--set", metavar="K=V", help="Override a variable.")] = None,
    seed: Annotated[int | None, typer.Option(help="The seed of every random choice.")] = None,
    proxy: Annotated[str | None, typer.Option(metavar="KIND", help="Run it on another kind of proxy.")] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=MOST_WORKERS, metavar="N", help="Processes that share the load out among them.")
    ] = 1,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where runs are stored.")] = Path("reports"),
    no_chaos: Annotated[
        bool, typer.Option("--no-chaos", help="Send the load without faults; objectives about faults are left out.")
    ] = False,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="What is printed at the end: terminal, md, json.")
    ] = "terminal",
    evidence_limit: Annotated[
        str,
        typer.Option("--evidence-limit", metavar="SIZE", help="The most that the stored records may take, or none."),
    ] = "2GB",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No live view; only the result.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print run.json, and only that, to stdout.")] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Go on with the next scenario when one cannot be run.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Run scenarios: start what they need, send the load, break things, judge, report."""
    del debug  # read where errors are told
    limit_bytes = parse_size("--evidence-limit", evidence_limit)
    options = _Options(
        parse_sets(sets or []),
        seed,
        proxy,
        workers,
        out,
        not no_chaos,
        quiet,
        "json" if as_json else form,
        limit_bytes,
    )
    ended: list[_Ended] = []
    for path in scenarios:
        ended.append(_one(path, options))
        if ended[-1].code in _SIGNALS or (ended[-1].run_id == "" and not keep_going):
            break
    if len(scenarios) > 1:
        _print_table(ended, left=len(scenarios) - len(ended))
    sys.exit(int(worst(it.code for it in ended)))


def _one(path: Path, options: _Options) -> _Ended:
    """Run one scenario; what goes wrong is told, and becomes a line of the table."""
    try:
        finished = _execute(path, options)
    except Stopped as error:
        tell(error)
        return _Ended(str(path), error.exit_code, error.message)
    except BattleError as error:
        tell(error)
        return _Ended(str(path), error.exit_code, error.message.splitlines()[0])
    except Exception as error:  # noqa: BLE001  (a run that breaks must not hide the ones before it)
        tell_internal(error)
        return _Ended(str(path), ExitCode.INTERNAL, str(error))
    run = finished.run
    words = run.reasons[0] if run.reasons else str(run.verdict)
    if finished.signal_after is not None:
        stopped = Stopped(finished.signal_after)
        return _Ended(run.scenario.name, stopped.exit_code, f"{stopped.message} after the run: {words}", run.report_id)
    return _Ended(run.scenario.name, ExitCode(run.exit_code), words, run.report_id)


def _execute(path: Path, options: _Options) -> "Finished":
    from battle import app as program  # noqa: PLC0415  (heavy: not for --help)
    from battle.cli.live import view_for  # noqa: PLC0415
    from battle.store import Store  # noqa: PLC0415

    program.check_format(options.form)
    loaded = program.load_file(
        path, overrides=options.overrides, seed=options.seed, proxy=options.proxy, chaos=options.chaos
    )
    view = view_for(loaded.scenario.name, is_quiet=options.quiet)
    finished = program.run_scenario(
        loaded,
        Store(options.out),
        view,
        workers=options.workers,
        evidence_limit_bytes=options.evidence_limit_bytes,
    )
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for failure in finished.unsaved:
        console.print(f"warning: {failure}", style="yellow", markup=False)
    print_report(finished.run, options.form)
    console.print(f"report: {finished.run_dir.path / 'report.md'}", style="dim", markup=False)
    return finished


def _print_table(ended: list[_Ended], left: int) -> None:
    table = Table(title=None, box=None, pad_edge=False)
    for column in ("scenario", "result", "run", "why"):
        table.add_column(column, overflow="fold")
    for it in ended:
        colour = _COLOURS.get(it.code, "red")
        table.add_row(it.scenario, f"[{colour}]{it.code.name.lower().replace('_', ' ')}[/]", it.run_id, it.words)
    console = Console(stderr=True, highlight=False)
    console.print()
    console.print(table)
    if left:
        console.print(f"{left} not run", style="yellow")
