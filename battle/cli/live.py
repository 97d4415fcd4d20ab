"""Showing a run while it goes on, always on stderr: stdout belongs to results.

`view_for` chooses: a picture on a terminal, lines elsewhere, nothing when asked to be quiet.
"""

import os
import sys
from contextlib import suppress
from typing import Self, TextIO

from rich.console import Console, ConsoleDimensions, Group
from rich.live import Live

from battle.cli.live_lines import LineView
from battle.cli.live_panel import draw
from battle.core.live import Snapshot, View
from battle.core.units import NS_PER_S


class QuietView:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing was shown."""

    def update(self, snapshot: Snapshot) -> None:
        """Nothing is shown."""


class LiveView:
    """A picture that is drawn in place, and gone when the run is over."""

    def __init__(self, title: str, console: Console | None = None) -> None:
        self._title = title
        self._console = console or Console(stderr=True, highlight=False)
        self._live = Live(
            console=self._console, auto_refresh=False, transient=True, redirect_stdout=False, vertical_overflow="crop"
        )
        self._size: ConsoleDimensions | None = None

    def __enter__(self) -> Self:
        with suppress(OSError, ValueError):
            self._size = self._console.size
            self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Erase the picture and show the cursor again."""
        with suppress(OSError, ValueError):
            self._live.stop()

    def update(self, snapshot: Snapshot) -> None:
        """Draw this instant. A terminal that is gone is no reason to end a run."""
        with suppress(OSError, ValueError):
            size = self._console.size
            if size != self._size:
                self._start_afresh(size)
            lines = draw(self._title, snapshot, size.width - 1, size.height - 1)
            self._live.update(Group(*lines), refresh=True)

    def _start_afresh(self, size: ConsoleDimensions) -> None:
        """Clear the screen: the terminal has folded the old lines, and nobody knows where the picture began."""
        self._live.stop()
        self._console.clear()
        self._live.start()
        self._size = size


def view_for(title: str, *, is_quiet: bool = False, every_ns: int = 3 * NS_PER_S, out: TextIO | None = None) -> View:
    """The view that suits the terminal: a picture needs cursor movement and UTF-8."""
    if is_quiet:
        return QuietView()
    out = out or sys.stderr
    is_utf8 = (getattr(out, "encoding", None) or "").lower().replace("-", "") == "utf8"
    if out.isatty() and is_utf8 and os.environ.get("TERM", "dumb") != "dumb":
        return LiveView(title, Console(file=out, highlight=False))
    return LineView(title, out, every_ns=every_ns)
