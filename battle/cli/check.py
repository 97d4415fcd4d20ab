"""`battle check`: everything that can be known without starting anything, and the time line that would run."""

import json
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from battle.cli.options import parse_sets
from battle.cli.telling import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from battle.analysis.plan import Plan
    from battle.core.objective import Objective
    from battle.errors import BattleError
    from battle.loading import Loaded

_EXAMPLE = """[bold]Examples[/bold]

  battle check scenarios/*.yaml

  battle check scenarios/failover.yaml --set rate=500/s --proxy nginx
"""
_OF_OUTCOMES = {"success_rate", "error_rate"}
"""Without an objective on one of these, one is implied."""


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
    from battle.errors import BattleError, ExitCode  # noqa: PLC0415

    overrides = parse_sets(sets or [])
    good: list[Loaded] = []
    told: list[dict[str, Any]] = []
    for path in scenarios:
        try:
            good.append(program.load_file(path, overrides=overrides, seed=seed, proxy=proxy))
        except BattleError as error:
            told.append({"file": str(path), "valid": False, "problems": _problems(error)})
            tell(error)
        else:
            told.append({"file": str(path), "valid": True, "problems": [], **_as_data(good[-1])})
    if as_json:
        typer.echo(json.dumps(told, indent=2))
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
        {"objective": it.objective, "implied": is_implied, "expected_requests": _expected(plan, it)}
        for it, is_implied in _judged(loaded)
    ]
    head = {"scenario": loaded.scenario.name, "notes": [*loaded.notes, *_missing(loaded)]}
    return {**head, "timeline": lines, "objectives": objectives}


def _problems(error: "BattleError") -> list[dict[str, Any]]:
    """Each mistake with its place, for programs."""
    from battle.errors import Problem, ScenarioError  # noqa: PLC0415

    found = error.problems if isinstance(error, ScenarioError) else [Problem(error.message, hint=error.hint)]
    return [{**asdict(each), "file": str(each.file) if each.file else None} for each in found]


def _judged(loaded: "Loaded") -> "list[tuple[Objective, bool]]":
    """The objectives in force, and whether each is implied."""
    from battle.analysis.objectives import IMPLIED  # noqa: PLC0415

    own = [(it, False) for it in loaded.scenario.slo]
    is_bounded = any(it.condition.indicator in _OF_OUTCOMES and not it.warn for it, _ in own)
    return own if is_bounded else [(IMPLIED, True), *own]


def _expected(plan: "Plan", objective: "Objective") -> float | None:
    """How many requests an objective can count on; None when it is about none, or when that cannot be planned."""
    from battle.analysis.indicator import indicators  # noqa: PLC0415

    known = indicators()[objective.condition.indicator]
    return plan.expected(objective.condition) if known.about == "requests" else None


def _ms(ns: int | None) -> float | None:
    return None if ns is None else ns / 1e6


def _print(loaded: "Loaded") -> None:
    from battle.analysis.plan import Plan  # noqa: PLC0415
    from battle.core.units import format_duration  # noqa: PLC0415

    console = Console(highlight=False, width=None if Console().is_terminal else 120)
    plan = Plan(loaded.scenario)
    console.print(f"[green]ok[/green] [bold]{escape(loaded.scenario.name)}[/bold] ({escape(str(loaded.path))})")
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
    for objective, is_implied in _judged(loaded):
        implied = " (implied)" if is_implied else ""
        console.print(f"  {objective.objective}{implied}: {_counts_on(plan, objective)}", markup=False)
    for note in [*loaded.notes, *_missing(loaded)]:
        console.print(f"  note: {note}", style="yellow", markup=False)


def _counts_on(plan: "Plan", objective: "Objective") -> str:
    from battle.analysis.indicator import indicators  # noqa: PLC0415

    known = indicators()[objective.condition.indicator]
    about = known.about
    if about != "requests":
        return {"fault": "judged for each fault", "run": "judged over the whole run"}[about]
    expected, what = _expected(plan, objective), "requests" if known.counts_http or not plan.has_batches else "calls"
    return f"a number of {what} that depends on the answers" if expected is None else f"about {expected:,.0f} {what}"


def _missing(loaded: "Loaded") -> list[str]:
    """What would be needed and is not there now: the proxy's program, a protocol's package, a free port."""
    from battle.system.addresses import in_use  # noqa: PLC0415

    ports = ((name, getattr(it, "port", None)) for name, it in loaded.scenario.setup.providers.items())
    busy = [f"{name}: port {port} is in use now" for name, port in ports if port is not None and in_use(port)]
    return [*dict.fromkeys(_missing_dependencies(loaded)), *busy]


def _missing_dependencies(loaded: "Loaded") -> "Iterator[str]":
    from battle import app as program  # noqa: PLC0415
    from battle.errors import MissingDependency  # noqa: PLC0415

    needs: list[Callable[[], object]] = [partial(program.find_proxy_program, loaded.scenario.setup.proxy.kind)]
    needs += [stream.protocol.require for stream in loaded.scenario.workload.values()]
    for need in needs:
        try:
            need()
        except MissingDependency as error:
            yield f"{error.message}; {error.hint}"
