"""`battle kinds`: what a scenario can choose from."""

import difflib
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from battle.cli.kind_settings import Setting
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
    from battle.cli.kind_settings import shared_settings  # noqa: PLC0415  (heavy: not for --help)
    from battle.core.component import rooms  # noqa: PLC0415
    from battle.errors import UsageError  # noqa: PLC0415
    from battle.rooms import load_reporters, load_rooms  # noqa: PLC0415

    load_rooms()
    load_reporters()
    known = rooms()
    console = Console(highlight=False, width=None if Console().is_terminal else 120)
    if room == INDICATORS:
        _print_indicators(console)
    elif room is None:
        for name in known:
            _print_room(console, name)
        console.print(f"[bold]{INDICATORS}[/bold]: see `battle kinds {INDICATORS}`")
    elif room not in known:
        names = [*known, INDICATORS]
        near = difflib.get_close_matches(room, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"rooms are {', '.join(names)}"
        raise UsageError(f"there is no room {room!r}", hint=hint)
    else:
        for kind, component in sorted(known[room].items()):
            _print_kind(console, kind, component)
        console.print(f"[bold]every kind of {room}[/bold] takes also")
        _print_settings(console, shared_settings(room))


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
    from battle.cli.kind_settings import own_settings  # noqa: PLC0415  (heavy: not for --help)

    console.print(f"[bold]{kind}[/bold]  {escape(component.summary())}")
    if component.example:
        console.print(f"  {component.example}", markup=False, style="dim")
    _print_settings(console, own_settings(component))


def _print_settings(console: Console, settings: "list[Setting]") -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for setting in settings:
        default = "required" if setting.default is None else f"default {setting.default}"
        table.add_row(f"    {setting.name}", escape(setting.takes), escape(default))
    if settings:
        console.print(table)
    console.print()


def _print_indicators(console: Console) -> None:
    from battle.analysis.indicator import indicators  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    for column in ("indicator", "unit", "better", "meaning"):
        table.add_column(column, no_wrap=column == "indicator")
    for name, indicator in sorted(indicators().items()):
        table.add_row(name, str(indicator.unit), indicator.better, escape(indicator.meaning))
    console.print(table)
