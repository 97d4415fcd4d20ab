"""The summary that ends a run on the terminal: verdict, reasons, objectives, faults and key figures."""

from collections.abc import Iterator
from io import StringIO
from typing import ClassVar, Literal

from pydantic import Field
from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from battle.core.ports.reporter import Reporter
from battle.core.run import Run
from battle.core.verdict import Verdict
from battle.reporters import tables
from battle.reporters import wording as say
from battle.reporters.tables import Table
from battle.reporters.timeline import draw

_STYLE = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.INCONCLUSIVE: "yellow"}
_MARKS = {"✓": "green", "✗": "red", "?": "yellow"}
_NARROW = 100
"""Below this width the tables leave out their least needed columns."""
_MIN_TEXT_CHARS = 8
_MIN_WIDTH = 60
_LEVELS = {"error": "red", "warning": "yellow", "info": "dim"}


class TerminalReporter(Reporter):
    """A summary in colour, for the terminal."""

    kind: Literal["terminal"] = "terminal"
    example: ClassVar[str] = "battle report latest --format terminal"

    width: int = Field(default=100, ge=20)
    color: bool = True

    def render(self, run: Run) -> str:
        """The summary, `width` characters wide (at least 60), with ANSI colours unless `color` is off."""
        out = StringIO()
        console = Console(
            file=out,
            width=max(self.width, _MIN_WIDTH),
            force_terminal=self.color,
            color_system="standard" if self.color else None,
            no_color=not self.color,
            legacy_windows=False,
            highlight=False,
        )
        for part in _parts(run, max(self.width, _MIN_WIDTH)):
            console.print(part)
        return "\n".join(line.rstrip() for line in out.getvalue().split("\n"))


def _parts(run: Run, width: int) -> Iterator[RenderableType]:
    yield from _verdict(run)
    yield from _objectives(run, is_narrow=width < _NARROW)
    yield from _faults(run, is_narrow=width < _NARROW)
    if lines := draw(run, width - 1):
        yield ""
        yield Padding(Text("\n".join(lines), style="dim", no_wrap=True, overflow="crop"), (0, 0, 0, 1))
    yield ""
    for line in say.key_figures(run):
        yield Padding(Text(line), (0, 1))
    for notice in run.notices:
        at = f" at {say.instant(notice.at_ms)}" if notice.at_ms is not None else ""
        yield Padding(Text(f"{notice.level}{at}: {say.one_line(notice.text)}", style=_LEVELS[notice.level]), (0, 1))


def _verdict(run: Run) -> Iterator[RenderableType]:
    if disturbed := say.still_disturbed(run):
        yield Text(f"Still disturbed: {disturbed}", style="bold red")
        yield ""
    style = _STYLE[run.verdict]
    yield Text.assemble(
        (f" {run.verdict.upper()} ", f"bold reverse {style}"), " ", (say.one_line(run.scenario.name), "bold")
    )
    for reason in say.reasons(run):
        yield Padding(Text(reason, style=style if run.verdict is not Verdict.PASS else ""), (0, 1))
    if ended := say.how_it_ended(run):
        yield Padding(Text(ended, style="bold"), (0, 1))


def _objectives(run: Run, *, is_narrow: bool) -> Iterator[RenderableType]:
    if run.slo_results:
        yield ""
        yield _grid(tables.objectives(run), {"Window", "Required"} if is_narrow else {"Window"})
        for result in run.slo_results:
            if result.reason:
                yield Padding(Text(say.one_line(f"{result.objective}: {result.reason}"), style="dim"), (0, 1))


def _faults(run: Run, *, is_narrow: bool) -> Iterator[RenderableType]:
    if run.analysis.faults:
        yield ""
        yield _grid(tables.fault_instants(run), {"Kind", "Target", "Rolled back"} if is_narrow else {"Kind"})
        yield ""
        yield _grid(tables.fault_costs(run), {"Time to effect"} if is_narrow else set())
        for fault in run.analysis.faults:
            if fault.why:
                yield Padding(Text(say.one_line(f"{fault.name}: {fault.why}"), style="yellow"), (0, 1))


def _grid(content: Table, left_out: set[str]) -> Grid:
    kept = [index for index, name in enumerate(content.names) if name not in left_out]
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), header_style="dim", show_edge=False)
    for index in kept:
        is_number = content.to_the_right[index]
        grid.add_column(
            Text(content.names[index]),
            justify="right" if is_number else "left",
            overflow="fold",
            no_wrap=is_number,
            min_width=None if is_number else _MIN_TEXT_CHARS,
        )
    for row in content.rows:
        grid.add_row(*(Text(row[index], style=_MARKS.get(row[index][:1], "")) for index in kept))
    return grid
