"""`battle kinds`: what a scenario can choose from."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from battle.core.component import Component

_EXAMPLE = """[bold]Examples[/bold]

  battle kinds

  battle kinds chaos
"""
INDICATORS = "indicators"


def enter(app: typer.Typer) -> None:
    """Register the command."""
    app.command("kinds", epilog=_EXAMPLE)(kinds)


def kinds(
    room: Annotated[str | None, typer.Argument(metavar="[ROOM]", help="One room, with settings.")] = None,
) -> None:
    """List the kinds of every room; of one room with their settings and an example."""
    from battle import app as program  # noqa: PLC0415  (heavy: not for --help)
    from battle.core.component import rooms  # noqa: PLC0415
    from battle.errors import UsageError  # noqa: PLC0415

    program.load_rooms()
    program.load_reporters()
    known = rooms()
    console = Console(highlight=False, width=None if Console().is_terminal else 120)
    if room == INDICATORS:
        _print_indicators(console)
    elif room is None:
        for name in known:
            _print_room(console, name)
        console.print(f"[bold]{INDICATORS}[/bold]: see `battle kinds {INDICATORS}`")
    elif room not in known:
        names = ", ".join([*known, INDICATORS])
        raise UsageError(f"there is no room {room!r}", hint=f"rooms are {names}")
    else:
        for kind, component in sorted(known[room].items()):
            _print_kind(console, kind, component)


def _print_room(console: Console, room: str) -> None:
    from battle.core.component import kinds as kinds_of  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, show_header=False, title=f"[bold]{room}[/bold]", title_justify="left")
    table.add_column(no_wrap=True, min_width=12)
    table.add_column()
    for kind, component in sorted(kinds_of(room).items()):
        table.add_row(f"  {kind}", escape(component.summary()))
    console.print(table)
    console.print()


def _print_kind(console: Console, kind: str, component: "type[Component]") -> None:
    console.print(f"[bold]{kind}[/bold]  {escape(component.summary())}")
    if component.example:
        console.print(f"  {component.example}", markup=False, style="dim")
    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(3):
        table.add_column()
    for name, about in component.model_json_schema().get("properties", {}).items():
        if name != "kind":
            table.add_row(f"    {name}", _type_of(about), _default_of(component, name))
    console.print(table)
    console.print()


def _type_of(about: dict[str, Any]) -> str:
    if "anyOf" in about:
        return " or ".join(dict.fromkeys(_type_of(each) for each in about["anyOf"]))
    if "enum" in about:
        return ", ".join(map(str, about["enum"]))
    if "$ref" in about:
        return str(about["$ref"]).rpartition("/")[2]
    described = str(about.get("description", ""))
    if described.startswith("a "):
        return described
    named = about.get("type", "any")
    return " or ".join(named) if isinstance(named, list) else str(named)


def _default_of(component: "type[Component]", name: str) -> str:
    field = next(it for key, it in component.model_fields.items() if (it.alias or key) == name)
    if field.is_required():
        return "required"
    if field.default_factory is not None or field.default in (None, "", [], {}):
        return ""
    return f"default {field.default}"


def _print_indicators(console: Console) -> None:
    from battle.analysis.indicator import indicators  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    for column in ("indicator", "unit", "better", "meaning"):
        table.add_column(column, no_wrap=column == "indicator")
    for name, indicator in sorted(indicators().items()):
        table.add_row(name, str(indicator.unit), indicator.better, escape(indicator.meaning))
    console.print(table)
