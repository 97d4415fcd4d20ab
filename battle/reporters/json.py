"""The run document itself, as run.json holds it."""

from typing import ClassVar, Literal

import orjson

from battle.core.ports.reporter import Reporter
from battle.core.run import Run


class JsonReporter(Reporter):
    """The whole document, for programs; its schema is printed by `battle schema run`."""

    kind: Literal["json"] = "json"
    example: ClassVar[str] = "battle report latest --format json"

    def render(self, run: Run) -> bytes:
        """The document, indented, its keys in the model's order."""
        return orjson.dumps(run.model_dump(mode="json"), option=orjson.OPT_INDENT_2) + b"\n"
