"""`battle check`: everything that can be known without starting anything, and the time line that would run."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from battle.cli.options import parse_sets
from battle.cli.telling import tell

if TYPE_CHECKING:
    from battle.loading import Loaded

_EXAMPLE = """[bold]Examples[/bold]

  battle check scenarios/*.yaml

  battle check scenarios/failover.yaml --set rate=500/s --proxy nginx
"""


def enter(app: typer.Typer) -> None:
    """Register the command."""
    app.command("check", epilog=_EXAMPLE)(check)


def check(
    scenarios: Annotated[list[Path], typer.Argument(metavar="SCENARIO…", help="Scenario files.")],
    sets: Annotated[list[str] | None, typer.Option("--set", metavar="K=V", help="Override a variable.")] = None,
    seed: Annotated[int | None, typer.Option(help="The seed of every random choice.")] = None,
    proxy: Annotated[str | None, typer.Option(metavar="KIND", help="Check it for another kind of proxy.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The time lines as JSON.")] = False,
) -> None:
    """Check scenarios without starting anything, and show the time line that would run."""
    from battle import app as program  # noqa: PLC0415  (heavy: not for --help)
    from battle.errors import ExitCode, ScenarioError  # noqa: PLC0415

    overrides = parse_sets(sets or [])
    good: list[Loaded] = []
    for path in scenarios:
        try:
            good.append(program.load_file(path, overrides=overrides, seed=seed, proxy=proxy))
        except ScenarioError as error:
            tell(error)
    if as_json:
        typer.echo(json.dumps([_as_data(loaded) for loaded in good], indent=2))
    else:
        for loaded in good:
            _print(loaded)
    if len(good) < len(scenarios):
        sys.exit(int(ExitCode.USAGE))


def _as_data(loaded: "Loaded") -> dict[str, Any]:
    from battle.analysis.plan import Plan  # noqa: PLC0415

    plan = Plan(loaded.scenario)
    lines = [
        {"at_ms": _ms(it.at_ns), "until_ms": _ms(it.until_ns), "what": it.what, "after": it.after}
        for it in plan.timeline
    ]
    objectives = [
        {"objective": it.objective, "expected_requests": plan.expected(it.condition)} for it in loaded.scenario.slo
    ]
    head = {"scenario": loaded.scenario.name, "file": str(loaded.path), "notes": loaded.notes}
    return {**head, "timeline": lines, "objectives": objectives}


def _ms(ns: int | None) -> float | None:
    return None if ns is None else ns / 1e6


def _print(loaded: "Loaded") -> None:
    from battle.analysis.plan import Plan  # noqa: PLC0415
    from battle.core.units import format_duration  # noqa: PLC0415

    console = Console(highlight=False, width=None if Console().is_terminal else 120)
    plan = Plan(loaded.scenario)
    console.print(f"[green]ok[/green] [bold]{escape(loaded.scenario.name)}[/bold] ({loaded.path})")
    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(3):
        table.add_column()
    for it in plan.timeline:
        until = f"… {it.until_ns / 1e9:.1f} s" if it.until_ns is not None else ""
        if it.at_ns is not None:
            when = f"{it.at_ns / 1e9:.1f} s"
        else:
            delay = f" + {format_duration(it.delay_ns)}" if it.delay_ns else ""
            when = f"after {it.after}{delay}"
        table.add_row(f"  {when}", until, escape(it.what))
    console.print(table)
    for objective in loaded.scenario.slo:
        expected = plan.expected(objective.condition)
        count = "an unknown number of requests" if expected is None else f"about {expected:,.0f} requests"
        console.print(f"  {objective.objective}: {count}", markup=False)
    for note in [*loaded.notes, *_missing(loaded)]:
        console.print(f"  note: {note}", style="yellow", markup=False)


def _missing(loaded: "Loaded") -> list[str]:
    """What is not installed here and would be needed."""
    from battle import app as program  # noqa: PLC0415
    from battle.errors import MissingDependency  # noqa: PLC0415

    try:
        program.find_proxy_program(loaded.scenario.setup.proxy.kind)
    except MissingDependency as error:
        return [f"{error.message}; {error.hint}"]
    return []
