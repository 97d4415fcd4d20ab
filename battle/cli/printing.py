"""Printing a run to stdout."""

import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console

if TYPE_CHECKING:
    from battle.core.run import Run

_NARROWEST, _ELSEWHERE = 60, 100


def print_report(run: "Run", form: str) -> None:
    """Print a run in a format; as a picture of the terminal's width when stdout is one."""
    from battle import app as program  # noqa: PLC0415  (heavy: not for --help)

    settings: dict[str, Any] = {}
    if form == "terminal":
        is_terminal = sys.stdout.isatty()
        width = Console().size.width if is_terminal else _ELSEWHERE
        settings = {"width": max(_NARROWEST, width), "color": is_terminal}
    content = program.render(run, form, **settings)
    data = content if isinstance(content, bytes) else content.encode()
    sys.stdout.buffer.write(data if data.endswith(b"\n") else data + b"\n")
    sys.stdout.flush()
