"""`${csv:FILE:COLUMN}`: looks into the file when loading, and sees to it that its rows last."""

import math
import re
from pathlib import Path

from battle.core.ports.load import EvenPattern, OpenPattern, ScriptedPattern
from battle.core.scenario import Scenario, Stream
from battle.loading.mistakes import Mistakes, suggestion
from battle.loading.nodes import Mark, Node, at, put, scalar, scalars
from battle.system.csv_columns import Column, Rows

_PLACEHOLDER = re.compile(r"\$\{(csv:[^{}]*)\}")
_DEVIATIONS = 5


class CsvFiles:
    """The CSV files of a scenario, each read once."""

    def __init__(self, mistakes: Mistakes) -> None:
        self._mistakes = mistakes
        self._read: dict[str, Rows | str] = {}

    def checked(self, text: str, mark: Mark) -> Column | None:
        """The column that a placeholder names, its path absolute; None when it cannot be: that is noted."""
        column = Column.parse(text)
        if column is None:
            self._mistakes.add(mark, f"${{{text}}} is not a placeholder", "write ${csv:FILE:COLUMN}")
            return None
        path = ((mark.file.parent if mark.file else Path()) / column.file).absolute()
        rows = self._rows(str(path))
        if isinstance(rows, str):
            self._mistakes.add(mark, f"{column.file}: {rows}", "paths are relative to the file that names them")
            return None
        if column.name not in rows.columns:
            hint = suggestion(column.name, rows.columns, what="columns")
            self._mistakes.add(mark, f"{column.file} has no column {column.name!r}", hint)
            return None
        return column._replace(file=str(path))

    def _rows(self, path: str) -> Rows | str:
        if path not in self._read:
            try:
                self._read[path] = Rows(Path(path))
            except OSError as error:
                self._read[path] = f"the file cannot be read: {error.strerror or error}"
            except ValueError as error:
                self._read[path] = str(error)
        return self._read[path]

    def limited(self, tree: Node, scenario: Scenario) -> tuple[Node, list[str]]:
        """The tree in which a stream ends where its rows may run out; a plan that needs more rows is a mistake."""
        notes = []
        for name, stream in scenario.workload.items():
            shortest = min(self._unrepeated(tree, name), key=lambda found: found[1], default=None)
            if shortest is None or (stream.max_requests or math.inf) <= shortest[1]:
                continue
            (column, count, mark), (planned, most) = shortest, _planned(stream)
            file = Path(column.file).name
            if planned > count:
                self._mistakes.add(
                    mark,
                    f"{file} has {_rows(count)}, and {name!r} plans {planned:,.0f} requests",
                    f"${{csv:{file}:{column.name}:repeat}} begins again after the last row; "
                    f"`max_requests: {count}` ends the stream there",
                )
            elif most > count:
                tree = put(tree, ("workload", name, "max_requests"), scalar(mark, count))
                notes.append(f"{file} has {_rows(count)}: {name!r} ends after as many requests")
        return tree, notes

    def _unrepeated(self, tree: Node, stream: str) -> list[tuple[Column, int, Mark]]:
        """The columns of a stream whose rows are used once, with their number, and where they stand."""
        found = []
        below = at(tree, ("workload", stream))
        for _, node in scalars(below) if below else ():
            for text in _PLACEHOLDER.findall(node.text):
                column, rows = Column.parse(text), None
                if column is not None and not column.repeats:
                    rows = self._rows(column.file)
                if column is not None and isinstance(rows, Rows):
                    found.append((column, len(rows), node.mark))
        return found


def _planned(stream: Stream) -> tuple[float, float]:
    """How many requests a stream is expected to send, and how many it could; those of users have no bound."""
    planned = most = chance = 0.0
    for phase in stream.load:
        expected = phase.planned() if isinstance(phase, OpenPattern) else 0.0
        planned += expected
        if isinstance(phase, EvenPattern | ScriptedPattern):
            most += math.ceil(expected)
        elif isinstance(phase, OpenPattern):
            most += expected
            chance += expected
        else:
            most = math.inf
    return planned, most + _DEVIATIONS * math.sqrt(chance)


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
