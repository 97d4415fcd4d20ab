"""Columns of CSV files, whose cells stand in requests: `${csv:FILE:COLUMN}`.

A file is UTF-8 with commas, and its first line names the columns.
"""

import csv
import re
from pathlib import Path
from typing import NamedTuple

from battle.core.shard import WHOLE, Shard

_REPEAT = "repeat"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PARTS = 2


class Column(NamedTuple):
    """What a placeholder names. With `repeats`, the first row follows the last."""

    file: str
    name: str
    repeats: bool = False

    @classmethod
    def parse(cls, text: str) -> "Column | None":
        """The column of "csv:FILE:COLUMN" or "csv:FILE:COLUMN:repeat"; None when it is neither."""
        parts = text.removeprefix("csv:").split(":")
        repeats = len(parts) > _PARTS and parts[-1] == _REPEAT
        if repeats:
            parts.pop()
        file, name = ":".join(parts[:-1]), parts[-1]
        return cls(file, name, repeats) if text.startswith("csv:") and file and name else None

    def __str__(self) -> str:
        return f"csv:{self.file}:{self.name}{f':{_REPEAT}' if self.repeats else ''}"


class Rows:
    """The rows of a file in its order, of which a share is taken; each has a cell in every column.

    Raises OSError, and ValueError that says what is wrong with the file.
    """

    def __init__(self, path: Path, shard: Shard = WHOLE) -> None:
        if path.exists() and not path.is_file():
            raise ValueError("it is no regular file")
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            try:
                self.columns = next(reader, [])
                self._rows = [dict(self._cells(row, reader.line_num)) for row in reader if row]
            except UnicodeDecodeError as error:
                raise ValueError("it is not UTF-8 text") from error
            except csv.Error as error:
                raise ValueError(f"line {reader.line_num} is not CSV: {error}") from error
        if len(set(self.columns)) < len(self.columns):
            raise ValueError("two of its columns have the same name")
        if not self._rows:
            raise ValueError("it has no rows under its first line" if self.columns else "it is empty")
        self._next, self._step = shard.index, shard.of

    def __len__(self) -> int:
        return len(self._rows)

    def _cells(self, row: list[str], line: int) -> "zip[tuple[str, str]]":
        if len(row) != len(self.columns):
            raise ValueError(f"line {line} has {len(row)} cells, and the first line names {len(self.columns)} columns")
        if any(map(_CONTROL.search, row)):
            raise ValueError(f"line {line} holds a line break or another control character")
        return zip(self.columns, row, strict=True)

    def take(self) -> dict[str, str]:
        """The next row of the share, by the names of its columns; after the last comes the first again."""
        row = self._rows[self._next % len(self._rows)]
        self._next += self._step
        return row
