"""Reporters: a finished run in one format."""

from typing import ClassVar

from battle.core.component import Component
from battle.core.run import Run


class Reporter(Component):
    """One format of report."""

    room: ClassVar[str] = "reporters"
    aliases: ClassVar[tuple[str, ...]] = ()
    """Other names that `--format` takes."""
    file_name: ClassVar[str | None] = None
    """The file in the run directory that holds it; None when it is only printed."""

    def render(self, run: Run) -> str | bytes:
        """The report. Pure."""
        raise NotImplementedError
